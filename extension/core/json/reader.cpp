// See reader.hpp.
#include "core/json/reader.hpp"

#include "core/json/screen.hpp"

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <jansson.h>
#include <memory>
#include <string>
#include <vector>

namespace relygate::core {

// Copies jansson's tree into `memory`, with numbers as they were written.
class JsonCopy {
  public:
    JsonCopy(Memory memory, std::span<const std::string_view> numbers) : memory_(memory), numbers_(numbers) {}

    JsonValue copy(json_t *from) { // no deeper than kMaxJsonDepth: screened
        JsonValue value;
        switch (json_typeof(from)) {
        case JSON_OBJECT: {
            auto *members = allocate<JsonMember>(json_object_size(from));
            value.kind = JsonValue::Kind::object;
            for (void *i = json_object_iter(from); i; i = json_object_iter_next(from, i)) { // in the order of the text
                const std::string_view name{json_object_iter_key(i), json_object_iter_key_len(i)};
                new (members + value.size_) JsonMember{keep(name), copy(json_object_iter_value(i))};
                ++value.size_;
            }
            value.members_ = members;
            break;
        }
        case JSON_ARRAY: {
            auto *items = allocate<JsonValue>(json_array_size(from));
            value.kind = JsonValue::Kind::array;
            for (; value.size_ < json_array_size(from); ++value.size_)
                new (items + value.size_) JsonValue{copy(json_array_get(from, value.size_))};
            value.items_ = items;
            break;
        }
        case JSON_STRING:
            value.kind = JsonValue::Kind::string;
            value.text = keep({json_string_value(from), json_string_length(from)});
            break;
        case JSON_INTEGER:
        case JSON_REAL:
            value.kind = JsonValue::Kind::number;
            if (next_number_ < numbers_.size())
                value.text = keep(numbers_[next_number_++]);
            break;
        case JSON_TRUE:
        case JSON_FALSE:
            value.kind = JsonValue::Kind::boolean;
            value.truth = json_is_true(from);
            break;
        case JSON_NULL:
            break;
        }
        return value;
    }

  private:
    template <typename T> T *allocate(std::size_t count) {
        return static_cast<T *>(memory_.allocate(std::max<std::size_t>(count, 1) * sizeof(T), alignof(T)));
    }
    std::string_view keep(std::string_view text) {
        char *bytes = allocate<char>(text.size());
        std::copy(text.begin(), text.end(), bytes);
        return {bytes, text.size()};
    }

    std::pmr::memory_resource &memory_;
    std::span<const std::string_view> numbers_;
    std::size_t next_number_ = 0;
};

namespace {

struct Release {
    void operator()(json_t *value) const { json_decref(value); }
};

JsonReading whole(const char *code, std::string_view message) {
    JsonReading reading;
    reading.code = code;
    reading.message = message;
    return reading;
}

JsonReading whole(const char *code, const char *message, std::size_t position, Memory memory) {
    constexpr std::size_t kSize = 128;
    char *text = static_cast<char *>(memory.allocate(kSize, 1));
    const int size = std::snprintf(text, kSize, "%s at byte %zu", message, position);
    return whole(code, {text, std::min(static_cast<std::size_t>(size), kSize - 1)});
}

JsonReading blame(std::span<const FieldError> errors, Memory memory) {
    for (const FieldError &error : errors) {
        if (error.field.empty()) // of no member: bytes before, after or instead of an object
            return whole("json_syntax", error.message);
    }
    JsonReading reading;
    auto *kept = static_cast<FieldError *>(memory.allocate(errors.size_bytes(), alignof(FieldError)));
    std::uninitialized_copy(errors.begin(), errors.end(), kept);
    reading.errors = {kept, errors.size()};
    return reading;
}

JsonReading explain(const json_error_t &error, Memory memory) {
    const auto position = static_cast<std::size_t>(std::max(error.position, 0));
    switch (json_error_code(&error)) {
    case json_error_invalid_utf8:
        return whole("json_utf8", "JSON text is not valid UTF-8", position, memory);
    case json_error_premature_end_of_input:
        return whole("json_syntax", "JSON text ends too early", position, memory);
    case json_error_end_of_input_expected:
        return whole("json_syntax", "JSON text goes on after its value", position, memory);
    default:
        if (error.text[0] == '\0')                               // jansson says nothing when malloc fails
            (void)std::pmr::null_memory_resource()->allocate(1); // throws std::bad_alloc
        return whole("json_syntax", "JSON text is malformed", position, memory);
    }
}

std::unique_ptr<json_t, Release> parse(std::string_view text, json_error_t &error) {
    constexpr std::size_t kFlags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY | JSON_DECODE_INT_AS_REAL;
    return std::unique_ptr<json_t, Release>(json_loadb(text.data(), text.size(), kFlags, &error));
}

// What is wrong in some members, and the value of the rest, where it is JSON then.
JsonReading mend(std::string_view text, const JsonScreen &screen, Memory memory) {
    std::vector<FieldError> errors = screen.errors;
    std::string mended = mend_values(text, screen);
    json_error_t error;
    auto tree = parse(mended, error);
    if (!tree && json_error_code(&error) == json_error_duplicate_key) {
        drop_duplicates(mended, errors, memory);
        tree = parse(mended, error);
    }
    if (errors.empty())
        return explain(error, memory);
    JsonReading reading = blame(errors, memory);
    if (tree && !reading.code)
        reading.value = JsonCopy(memory, screen_json(mended, memory).numbers).copy(tree.get());
    return reading;
}

} // namespace

const JsonValue *JsonValue::find(std::string_view name) const {
    for (const JsonMember &member : members()) {
        if (member.name == name)
            return &member.value;
    }
    return nullptr;
}

JsonReading read_json(std::string_view text, Memory memory) {
    if (text.starts_with("\xEF\xBB\xBF"))
        return whole("json_bom", "JSON text begins with a byte order mark (BOM)");
    const JsonScreen screen = screen_json(text, memory);
    if (screen.is_too_deep)
        return whole("json_depth", "JSON text is nested too deep");
    if (screen.is_too_big)
        return whole("json_size", "JSON text has too many values");
    if (!screen.errors.empty())
        return mend(text, screen, memory);

    json_error_t error;
    const auto tree = parse(text, error);
    if (!tree)
        return json_error_code(&error) == json_error_duplicate_key ? mend(text, screen, memory)
                                                                   : explain(error, memory);
    JsonReading reading;
    reading.value = JsonCopy(memory, screen.numbers).copy(tree.get());
    return reading;
}

JsonReading read_json_object(std::string_view text, Memory memory) {
    const JsonReading reading = read_json(text, memory);
    if (reading.is_good() && !reading.value.is_object())
        return whole("json_object", "JSON text is not an object");
    return reading;
}

} // namespace relygate::core
