// See arguments.hpp.
#include "core/route/arguments.hpp"

#include "core/base/text.hpp"
#include "core/json/values.hpp"

#include <algorithm>
#include <memory>
#include <string>

namespace relygate::core {
namespace {

template <typename T> std::span<const T> copy(const std::vector<T> &items, Memory memory) {
    if (items.empty())
        return {};
    T *kept = static_cast<T *>(memory.allocate(items.size() * sizeof(T), alignof(T)));
    std::uninitialized_copy(items.begin(), items.end(), kept);
    return {kept, items.size()};
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

} // namespace

std::string_view object_of(std::string_view member) {
    const std::size_t dot = member.rfind('.');
    return dot == std::string_view::npos ? std::string_view() : member.substr(0, dot);
}

bool is_array(ValueKind kind) {
    return kind == ValueKind::text_array || kind == ValueKind::uuid_array;
}

Arguments::Arguments(std::span<const Parameter> parameters, std::string_view country, Memory memory)
    : parameters_(parameters), country_(country), memory_(memory), values_(parameters.size()),
      texts_(parameters.size()) {}

void Arguments::finish() {
    bind_arrays();
    bind_document_numbers();
}

std::span<const Value> Arguments::values() const {
    return copy(values_, memory_);
}

std::span<const FieldError> Arguments::errors() const {
    return copy(errors_, memory_);
}

// Only the first error of a member is told; views that do not live in `memory_` yet are kept there.
void Arguments::refuse(std::string_view member, std::string_view code, std::string_view message) {
    if (errors_.size() < kMaxErrors && !has_error(member)) // each one looks through all others
        errors_.push_back({keep(member, memory_), code, message});
}

void Arguments::refuse(std::string_view member, const Refusal &refusal) {
    const char *more = refusal.detail[0] != '\0' ? refusal.detail : refusal.hint;
    refuse(member, refusal.code,
           more ? keep(std::string(refusal.message) + ". " + more, memory_) : std::string_view(refusal.message));
}

bool Arguments::has_error(std::string_view member) const {
    return std::any_of(errors_.begin(), errors_.end(), [&](const FieldError &e) { return e.field == member; });
}

void Arguments::add_item(std::size_t at, std::string_view text) {
    texts_[at].push_back(text);
    values_[at].is_given = true;
}

void Arguments::set_json(std::size_t at, const JsonValue &sent) {
    const Parameter &parameter = parameters_[at];
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

void Arguments::set_items(std::size_t at, const JsonValue &sent) {
    for (const JsonValue &item : sent.items()) {
        if (!item.is_string())
            return refuse(parameters_[at].member, "type", wanted(parameters_[at].kind));
        texts_[at].push_back(item.text);
    }
    arrays_.push_back(at);
}

// A value that came as text: of the path, the query or a JSON string.
void Arguments::set_text(std::size_t at, std::string_view text) {
    const Parameter &parameter = parameters_[at];
    Value &value = values_[at];
    value.is_given = true;
    const auto take = [&](const auto &parsed, auto &&store) {
        if (!parsed)
            return refuse(parameter.member, parsed.refusal());
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

void Arguments::set_integer(std::size_t at, std::string_view text) {
    const Parameter &parameter = parameters_[at];
    const bool is_small = parameter.kind == ValueKind::int4;
    const auto parsed = parse_integer(text, is_small ? INT32_MIN : INT64_MIN, is_small ? INT32_MAX : INT64_MAX);
    if (!parsed) {
        // The rule knows the bounds that are meant: "the most is 1000", not 2147483647.
        if (parameter.rule && std::string_view(parsed.refusal().code) == "range")
            if (const auto ruled = parameter.rule->apply(text, RuleContext{country_, {}}, memory_); !ruled)
                return refuse(parameter.member, ruled.refusal());
        return refuse(parameter.member, parsed.refusal());
    }
    std::int64_t number = parsed.value();
    if (parameter.rule) {
        const std::string digits = std::to_string(number); // 2.0 is 2 for the rule too
        const auto ruled = parameter.rule->apply(digits, RuleContext{country_, {}}, memory_);
        if (!ruled)
            return refuse(parameter.member, ruled.refusal());
    }
    values_[at].number = number;
    values_[at].is_null = false;
}

void Arguments::apply_rule(std::size_t at, std::string_view text, std::string_view document_type) {
    const Parameter &parameter = parameters_[at];
    if (parameter.rule) {
        const auto ruled = parameter.rule->apply(text, RuleContext{country_, document_type}, memory_);
        if (!ruled)
            return refuse(parameter.member, ruled.refusal());
        text = ruled.value();
    }
    values_[at].text = keep(text, memory_);
    values_[at].is_null = false;
}

// Elements of arrays are texts until all of them are there.
void Arguments::bind_arrays() {
    for (std::size_t at = 0; at < texts_.size(); ++at) {
        const Parameter &parameter = parameters_[at];
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

void Arguments::bind_document_numbers() {
    for (const std::size_t at : document_numbers_) {
        const std::string_view object = object_of(parameters_[at].member);
        std::string_view type;
        for (std::size_t i = 0; i < values_.size(); ++i)
            if (const InputRule *rule = parameters_[i].rule; rule &&
                                                             std::string_view(rule->name) == "document_type_input" &&
                                                             object_of(parameters_[i].member) == object)
                type = values_[i].text;
        apply_rule(at, values_[at].text, type);
    }
}

} // namespace relygate::core
