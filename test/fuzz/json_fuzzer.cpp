// The JSON reader and the values that are parsed from its texts. What is good is valid UTF-8 without NUL, within the
// bounds, and finds each of its members by name.
#include "fuzzing.hpp"

#include "core/base/text.hpp"
#include "core/json/reader.hpp"
#include "core/json/values.hpp"

#include <limits>

using namespace relygate;

namespace {

void walk(const core::JsonValue &value, std::size_t depth, std::size_t &count) {
    fuzz::require(depth <= core::kMaxJsonDepth + 1, "depth is bounded");
    fuzz::require(++count <= core::kMaxJsonValues, "the number of values is bounded");
    if (value.is_string())
        fuzz::require(core::is_valid_utf8(value.text) && value.text.find('\0') == std::string_view::npos,
                      "strings are UTF-8 without NUL");
    (void)core::text_from(value);
    (void)core::boolean_from(value);
    (void)core::uuid_from(value);
    (void)core::date_from(value);
    (void)core::instant_from(value);
    if (const auto number = core::integer_from(value, -100, 100))
        fuzz::require(number.value() >= -100 && number.value() <= 100, "a whole number is within its bounds");
    for (const auto &item : value.items())
        walk(item, depth + 1, count);
    for (const auto &member : value.members()) {
        fuzz::require(value.find(member.name) == &member.value, "no name stands twice");
        walk(member.value, depth + 1, count);
    }
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    std::pmr::monotonic_buffer_resource memory;
    const auto reading = core::read_json(text, memory);
    std::size_t count = 0;
    fuzz::require(!reading.code || (reading.value.is_null() && reading.errors.empty()),
                  "a text that is wrong as a whole has no value");
    if (!reading.code) // beside errors too: what is left of a mended text keeps the same promises
        walk(reading.value, 0, count);
    const auto object = core::read_json_object(text, memory);
    if (object.is_good())
        fuzz::require(object.value.is_object(), "an object is one");
    (void)core::parse_integer(text, std::numeric_limits<std::int64_t>::min(), std::numeric_limits<std::int64_t>::max());
    (void)core::parse_date(text);
    (void)core::parse_instant(text);
    (void)core::parse_uuid_value(text);
    return 0;
}
