// See binding.hpp.
#include "core/route/binding.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"
#include "core/json/values.hpp"
#include "core/route/cursor.hpp"
#include "core/route/target.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <vector>

namespace relygate::core {
namespace {

constexpr int kMaxPage = 10'000'000; // times 100 it is still an int

constexpr const char *kNeeded = "is needed";
constexpr const char *kNullIsNone = "is needed, and null is as good as absent";
constexpr const char *kUnknown = "there is no such member";
constexpr const char *kTwice = "is given twice";

template <typename T> std::span<const T> copy(const std::vector<T> &items, Memory memory) {
    if (items.empty())
        return {};
    T *kept = static_cast<T *>(memory.allocate(items.size() * sizeof(T), alignof(T)));
    std::uninitialized_copy(items.begin(), items.end(), kept);
    return {kept, items.size()};
}

std::string_view object_of(std::string_view member) {
    const std::size_t dot = member.rfind('.');
    return dot == std::string_view::npos ? std::string_view() : member.substr(0, dot);
}

bool is_array(ValueKind kind) {
    return kind == ValueKind::text_array || kind == ValueKind::uuid_array;
}

// What JSON writes as a string.
bool is_textual(ValueKind kind) {
    return kind == ValueKind::text || kind == ValueKind::uuid || kind == ValueKind::date ||
           kind == ValueKind::timestamptz;
}

const char *wanted(ValueKind kind) {
    switch (kind) {
    case ValueKind::text:
        return "must be a text";
    case ValueKind::int4:
    case ValueKind::int8:
        return "must be a whole number";
    case ValueKind::boolean:
        return "must be true or false";
    case ValueKind::uuid:
        return "must be a UUID";
    case ValueKind::date:
        return "must be a date as 2026-11-25";
    case ValueKind::timestamptz:
        return "must be a time with offset as 2026-11-25T10:00:00Z";
    case ValueKind::text_array:
        return "must be an array of texts";
    case ValueKind::uuid_array:
        return "must be an array of UUIDs";
    }
    return "";
}

class Binder {
  public:
    Binder(const BindingRequest &request, Memory memory)
        : request_(request), memory_(memory), values_(request.parameters.size()), texts_(request.parameters.size()) {}

    Binding run() {
        bind_path();
        bind_query();
        bind_body();
        bind_arrays();
        bind_document_numbers();
        if (is_body_read_ && !is_foreign_tenant_) {
            check_alternatives();
            check_needed();
        }
        Binding binding;
        binding.values = copy(values_, memory_);
        binding.errors = copy(errors_, memory_);
        binding.body_code = body_code_;
        binding.body_message = body_message_;
        binding.is_foreign_tenant = is_foreign_tenant_;
        binding.page = page_;
        return binding;
    }

  private:
    // Only the first error of a member is told; views that do not live in `memory_` yet are kept there.
    void refuse(std::string_view member, std::string_view code, std::string_view message) {
        if (!has_error(member))
            errors_.push_back({keep(member, memory_), code, message});
    }

    bool has_error(std::string_view member) const {
        return std::any_of(errors_.begin(), errors_.end(), [&](const FieldError &e) { return e.field == member; });
    }

    int find(std::string_view member) const {
        for (std::size_t i = 0; i < request_.parameters.size(); ++i)
            if (!request_.parameters[i].is_filled && request_.parameters[i].member == member)
                return static_cast<int>(i);
        return -1;
    }

    bool is_object(std::string_view path) const {
        return std::any_of(request_.parameters.begin(), request_.parameters.end(), [&](const Parameter &p) {
            return p.member.size() > path.size() && p.member.starts_with(path) && p.member[path.size()] == '.';
        });
    }

    void bind_path() {
        for (const RouteParameter &sent : request_.path) {
            const auto at = std::find_if(request_.parameters.begin(), request_.parameters.end(),
                                         [&](const Parameter &p) { return p.name == sent.name; });
            if (at == request_.parameters.end())
                continue; // the function does not ask for it
            const auto decoded = decode_segment(sent.value, memory_);
            const std::size_t i = static_cast<std::size_t>(at - request_.parameters.begin());
            if (decoded)
                set_text(i, decoded.value());
            else
                refuse(at->member, decoded.refusal().code, decoded.refusal().message);
        }
    }

    void bind_query() {
        std::string_view page, size, cursor;
        for (const QueryMember &sent : parse_query(request_.query, memory_)) {
            if (sent.code) {
                refuse(sent.name, sent.code, sent.message);
                continue;
            }
            const int at = find(sent.name);
            if (at >= 0 && is_array(request_.parameters[at].kind)) {
                texts_[at].push_back(sent.value);
                values_[at].is_given = true;
            } else if (sent.is_repeated) {
                refuse(sent.name, "duplicate", kTwice);
            } else if (at >= 0) {
                if (values_[at].is_given)
                    refuse(sent.name, "duplicate", kTwice); // the path has it
                else
                    set_text(at, sent.value);
            } else if (request_.is_paged && sent.name == "page") {
                page = sent.value.empty() ? " " : sent.value;
            } else if (request_.is_paged && sent.name == "pageSize") {
                size = sent.value.empty() ? " " : sent.value;
            } else if (request_.is_paged && sent.name == "cursor") {
                cursor = sent.value.empty() ? " " : sent.value;
            } else if (!is_tenant(sent.name, sent.value)) {
                refuse(sent.name, "unknown", kUnknown);
            }
        }
        if (request_.is_paged)
            bind_page(page, size, cursor);
    }

    void bind_page(std::string_view page, std::string_view size, std::string_view cursor) {
        const auto number = [&](const char *member, std::string_view text, int most, const char *message, int &result) {
            if (text.empty())
                return;
            if (const auto parsed = parse_integer(text, 1, most))
                result = static_cast<int>(parsed.value());
            else
                refuse(member, parsed.refusal().code, message);
        };
        number("page", page, kMaxPage, "must be a whole number from 1 on", page_.number);
        number("pageSize", size, 100, "must be a whole number from 1 to 100", page_.size);
        const int sort = find("sort");
        if (sort >= 0)
            page_.sort = values_[sort].text;
        if (cursor.empty())
            return;
        page_.is_cursor = true;
        const auto parsed = parse_cursor(cursor, request_.cursor_seal, memory_);
        if (!page.empty())
            refuse("cursor", "conflict", "give page or cursor, not both");
        else if (!parsed)
            refuse("cursor", parsed.refusal().code, parsed.refusal().message);
        else if (!page_.sort.empty() && page_.sort != parsed.value().sort)
            refuse("cursor", "conflict", "belongs to another sort order");
        else {
            page_.sort = parsed.value().sort;
            page_.after = parsed.value().key;
        }
    }

    // "tenantId" where the route has no such argument: the token's own is passed over, any other is refused.
    bool is_tenant(std::string_view member, std::string_view value) {
        if (member != "tenantId" || request_.tenant.empty())
            return false;
        const auto uuid = parse_uuid(value);
        const auto own = parse_uuid(request_.tenant);
        if (!uuid || !own || *uuid != *own)
            is_foreign_tenant_ = true;
        return true;
    }

    void bind_body() {
        if (request_.body.empty())
            return;
        if (!request_.takes_body) {
            is_body_read_ = false;
            body_code_ = "body";
            body_message_ = "a request of this kind takes no body";
            return;
        }
        const JsonReading reading = read_json_object(request_.body, memory_);
        for (const FieldError &error : reading.errors)
            refuse(error.field, error.code, error.message);
        is_body_read_ = reading.is_good();
        body_code_ = reading.code;
        body_message_ = reading.message;
        if (is_body_read_)
            walk(reading.value, {});
    }

    void walk(const JsonValue &object, const std::string &prefix) {
        for (const JsonMember &sent : object.members()) {
            const std::string path = prefix + std::string(sent.name);
            const JsonValue &value = sent.value;
            if (const int at = find(path); at >= 0) {
                if (values_[at].is_given)
                    refuse(path, "duplicate", kTwice); // path or query have it
                else
                    set_json(static_cast<std::size_t>(at), value);
            } else if (is_object(path)) {
                if (value.is_object()) {
                    objects_.push_back(path);
                    walk(value, path + ".");
                } else if (!value.is_null()) {
                    refuse(path, "type", "must be an object");
                }
            } else if (value.is_null() && !request_.keeps_null) {
                continue; // as good as absent, whatever it is called
            } else if (!(prefix.empty() && is_tenant(path, value.text))) {
                refuse(path, "unknown", kUnknown);
            }
        }
    }

    void set_json(std::size_t at, const JsonValue &sent) {
        const Parameter &parameter = request_.parameters[at];
        Value &value = values_[at];
        value.is_given = true;
        switch (sent.kind) {
        case JsonValue::Kind::null:
            return;
        case JsonValue::Kind::number:
            if (parameter.kind == ValueKind::int4 || parameter.kind == ValueKind::int8)
                return set_integer(at, sent.text);
            break;
        case JsonValue::Kind::boolean:
            if (parameter.kind == ValueKind::boolean) {
                value.number = sent.truth;
                value.is_null = false;
                return;
            }
            break;
        case JsonValue::Kind::string:
            if (is_textual(parameter.kind))
                return set_text(at, sent.text);
            break;
        case JsonValue::Kind::array:
            if (is_array(parameter.kind))
                return set_items(at, sent);
            break;
        case JsonValue::Kind::object:
            break;
        }
        refuse(parameter.member, "type", wanted(parameter.kind));
    }

    void set_items(std::size_t at, const JsonValue &sent) {
        for (const JsonValue &item : sent.items()) {
            if (!item.is_string())
                return refuse(request_.parameters[at].member, "type", wanted(request_.parameters[at].kind));
            texts_[at].push_back(item.text);
        }
        arrays_.push_back(at);
    }

    // A value that came as text: of the path, the query or a JSON string.
    void set_text(std::size_t at, std::string_view text) {
        const Parameter &parameter = request_.parameters[at];
        Value &value = values_[at];
        value.is_given = true;
        const auto take = [&](const auto &parsed, auto &&store) {
            if (!parsed)
                return refuse(parameter.member, parsed.refusal().code, parsed.refusal().message);
            store(parsed.value());
            value.is_null = false;
        };
        const auto number = [&](std::int64_t parsed) { value.number = parsed; };
        switch (parameter.kind) {
        case ValueKind::text:
            if (parameter.rule && std::string_view(parameter.rule->name) == "document_number_input") {
                value.text = text;
                document_numbers_.push_back(at); // its rule asks for the type, which may come later
            } else {
                apply_rule(at, text, {});
            }
            return;
        case ValueKind::int4:
        case ValueKind::int8:
            return set_integer(at, text);
        case ValueKind::boolean:
            return take(parse_boolean(text), number);
        case ValueKind::uuid:
            return take(parse_uuid_value(text), [&](const Uuid &uuid) { value.uuid = uuid; });
        case ValueKind::date:
            return take(parse_date(text), number);
        case ValueKind::timestamptz:
            return take(parse_instant(text), number);
        case ValueKind::text_array:
        case ValueKind::uuid_array:
            texts_[at].push_back(text); // of the path
        }
    }

    void set_integer(std::size_t at, std::string_view text) {
        const Parameter &parameter = request_.parameters[at];
        const bool is_small = parameter.kind == ValueKind::int4;
        const auto parsed = parse_integer(text, is_small ? INT32_MIN : INT64_MIN, is_small ? INT32_MAX : INT64_MAX);
        if (!parsed)
            return refuse(parameter.member, parsed.refusal().code, parsed.refusal().message);
        std::int64_t number = parsed.value();
        if (parameter.rule) {
            const std::string digits = std::to_string(number); // 2.0 is 2 for the rule too
            const auto ruled = parameter.rule->apply(digits, RuleContext{request_.country, {}}, memory_);
            if (!ruled)
                return refuse(parameter.member, ruled.refusal().code, ruled.refusal().message);
        }
        values_[at].number = number;
        values_[at].is_null = false;
    }

    void apply_rule(std::size_t at, std::string_view text, std::string_view document_type) {
        const Parameter &parameter = request_.parameters[at];
        if (parameter.rule) {
            const auto ruled = parameter.rule->apply(text, RuleContext{request_.country, document_type}, memory_);
            if (!ruled)
                return refuse(parameter.member, ruled.refusal().code, ruled.refusal().message);
            text = ruled.value();
        }
        values_[at].text = keep(text, memory_);
        values_[at].is_null = false;
    }

    // Elements of arrays are texts until all of them are there.
    void bind_arrays() {
        for (std::size_t at = 0; at < texts_.size(); ++at) {
            const Parameter &parameter = request_.parameters[at];
            const bool is_empty_array = std::find(arrays_.begin(), arrays_.end(), at) != arrays_.end();
            if (!is_array(parameter.kind) || (texts_[at].empty() && !is_empty_array) || has_error(parameter.member))
                continue;
            Value &value = values_[at];
            if (parameter.kind == ValueKind::text_array) {
                std::vector<std::string_view> kept;
                for (const std::string_view text : texts_[at])
                    kept.push_back(keep(text, memory_));
                value.texts = copy(kept, memory_);
            } else {
                std::vector<Uuid> uuids;
                for (const std::string_view text : texts_[at]) {
                    const auto uuid = parse_uuid(text);
                    if (!uuid)
                        refuse(parameter.member, "invalid", wanted(parameter.kind));
                    else
                        uuids.push_back(*uuid);
                }
                value.uuids = copy(uuids, memory_);
            }
            value.is_null = has_error(parameter.member);
        }
    }

    void bind_document_numbers() {
        for (const std::size_t at : document_numbers_) {
            const std::string_view object = object_of(request_.parameters[at].member);
            std::string_view type;
            for (std::size_t i = 0; i < values_.size(); ++i)
                if (const InputRule *rule = request_.parameters[i].rule;
                    rule && std::string_view(rule->name) == "document_type_input" &&
                    object_of(request_.parameters[i].member) == object)
                    type = values_[i].text;
            apply_rule(at, values_[at].text, type);
        }
    }

    // A wrong member is there all the same: one mistake is told once.
    bool is_there(std::string_view member) const {
        if (std::find(objects_.begin(), objects_.end(), member) != objects_.end() || has_error(member))
            return true;
        const int at = find(member);
        return at >= 0 && (!values_[at].is_null || has_error(member));
    }

    bool is_alternative(std::string_view member) const {
        return std::any_of(request_.one_of.begin(), request_.one_of.end(), [&](const Alternatives &row) {
            return std::find(row.begin(), row.end(), member) != row.end();
        });
    }

    void check_alternatives() {
        for (const Alternatives &row : request_.one_of) {
            std::string_view first;
            for (const std::string_view member : row) {
                if (!is_there(member))
                    continue;
                if (!first.empty())
                    refuse(member, "conflict", "cannot be given together with its alternative");
                else
                    first = member;
            }
            if (first.empty() && !row.empty())
                refuse(row[0], "required", "is needed, or its alternative");
        }
    }

    void check_needed() {
        for (std::size_t i = 0; i < values_.size(); ++i) {
            const Parameter &parameter = request_.parameters[i];
            if (parameter.is_filled || !values_[i].is_null || (parameter.has_default && !parameter.is_required) ||
                is_alternative(parameter.member))
                continue;
            const std::string_view object = object_of(parameter.member);
            const bool is_object_there =
                object.empty() || std::find(objects_.begin(), objects_.end(), object) != objects_.end();
            if (!is_object_there && (parameter.has_default || is_alternative(object) || has_error(object)))
                continue;
            refuse(parameter.member, "required", values_[i].is_given ? kNullIsNone : kNeeded);
        }
    }

    const BindingRequest &request_;
    Memory memory_;
    std::vector<Value> values_;
    std::vector<std::vector<std::string_view>> texts_; // elements of array parameters
    std::vector<std::size_t> arrays_;                  // JSON arrays that were there, [] too
    std::vector<std::size_t> document_numbers_;
    std::vector<std::string> objects_; // paths of the JSON objects that were there
    std::vector<FieldError> errors_;
    bool is_body_read_ = true; // what is missing can be told only then
    const char *body_code_ = nullptr;
    std::string_view body_message_;
    bool is_foreign_tenant_ = false;
    Page page_;
};

} // namespace

Binding bind(const BindingRequest &request, Memory memory) {
    return Binder(request, memory).run();
}

} // namespace relygate::core
