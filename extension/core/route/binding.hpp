// Members become arguments: path parameters, query and JSON body are bound to a function's named parameters by path and
// kind. Every wrong member is found, not only the first; nothing is guessed and nothing unknown is passed over in
// silence. Values are parsed here and by the rules of core/validation, never by PostgreSQL's input functions, which
// take "tomorrow" and round 2.5 people. null is as good as absent; only `given` tells them apart. Two parameters called
// x_from and x_until are a period: it does not end before it begins.
#pragma once

#include "core/base/outcome.hpp"
#include "core/base/uuid.hpp"
#include "core/json/envelope.hpp"
#include "core/route/route_table.hpp"
#include "core/validation/input_rule.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace relygate::core {

enum class ValueKind { text, int4, int8, boolean, uuid, date, timestamptz, text_array, uuid_array };

struct Parameter {
    std::string_view name;   // visitor__first_name
    std::string_view member; // visitor.firstName
    ValueKind kind = ValueKind::text;
    const InputRule *rule = nullptr; // of an input domain; null: any value of the kind
    bool has_default = false;        // without one it is needed
    bool is_required = false;        // by the route, although it has a DEFAULT; in a PATCH: null cannot clear it
    bool is_filled = false;          // by the dispatcher: no member of a request
};

// "{visitor|visitor_id}": exactly one of these members or objects.
using Alternatives = std::span<const std::string_view>;

struct BindingRequest {
    std::span<const Parameter> parameters;
    std::span<const Alternatives> one_of;
    std::span<const RouteParameter> path; // raw values
    std::string_view query;               // raw
    std::string_view body;                // JSON text, empty: {}
    std::string_view country;             // of the tenant, for the rules
    std::string_view tenant;              // its id as text; empty: none
    bool is_paged = false;                // takes page, pageSize, cursor
    bool takes_body = true;               // GET does not
    bool keeps_null = false;              // PATCH: an unknown member that is null is an error there
    std::uint32_t cursor_seal = 0;        // of the route: a cursor of another list is none
    std::string_view default_sort;        // where neither the query nor a cursor names one
};

struct Value {
    bool is_given = false; // the member was there, null too
    bool is_null = true;
    std::string_view text;
    std::int64_t number = 0; // int4, int8; boolean; date: days since 1970; timestamptz: microseconds since 1970
    Uuid uuid = {};
    std::span<const std::string_view> texts;
    std::span<const Uuid> uuids;
};

struct Page {
    bool is_cursor = false; // then no totals
    int number = 1;
    int size = 20;
    std::string_view sort;                   // that of the request, else the cursor's, else the default
    std::span<const std::string_view> after; // the last row's key
};

struct Binding {
    std::span<const Value> values; // in the order of the parameters
    std::span<const FieldError> errors;
    const char *body_code = nullptr; // the body as a whole is wrong: no JSON, no object, two documents
    std::string_view body_message;
    bool is_read = true;            // false: the members are not known, since the body could not be read
    bool is_foreign_tenant = false; // a tenantId that is not the token's
    Page page;
};

Binding bind(const BindingRequest &request, Memory memory);

} // namespace relygate::core
