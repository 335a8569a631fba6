// What a backend knows of the routes: the rows of relygate.routes and, from the first use of a route on, the signature
// of its function and a kept plan that calls it. Read again when a row was changed (relcache invalidation by the
// trigger routes_changed) or when any function was (pg_proc); PostgreSQL delivers both to all backends after the
// commit.
#pragma once

#include "core/route/binding.hpp"
#include "core/route/route_table.hpp"
#include "pg/postgres.hpp"

namespace relygate::pg {

struct DirectCall; // call.hpp

struct Signature {
    const core::Parameter *parameters = nullptr;
    const Oid *types = nullptr; // the base types, which the plan takes
    int count = 0;
    // Positions of the parameters that the dispatcher fills; -1: not there.
    int page_limit = -1, page_offset = -1, after = -1, counting = -1, given = -1, sort = -1, tenant_id = -1;
    int tenant_argument = -1;
    std::string_view default_sort; // the DEFAULT of `sort`, so that a cursor says which order it is of
    SPIPlanPtr plan = nullptr;     // $n is the n-th parameter; a null one takes its DEFAULT
    DirectCall *direct = nullptr;  // null: by the plan alone
};

enum class AnswerKind { object, list, none, answer };

struct Route {
    std::string_view method, pattern;
    const char *function, *permission, *location, *message, *tenant_argument; // the last and location may be null
    AnswerKind answer;
    int status;
    bool is_product, is_public, is_read_only, is_while_suspended;
    const std::string_view *required; // parameter names
    int required_count;
    const core::Alternatives *one_of;
    int one_of_count;
    Signature *signature; // null until asked for
};

// Finds the route; the result's `route` is null where there is none. Valid until the end of the request.
const Route *find_route(std::string_view method, std::string_view path, core::RouteMatch &match);
// Raises where the function is not there, is overloaded, or takes a type that no member can have.
const Signature &signature_of(const Route &route);
// Whether a function or a route was changed since find_route: a call may then have seen half of an upgrade.
[[nodiscard]] bool definitions_changed();

} // namespace relygate::pg
