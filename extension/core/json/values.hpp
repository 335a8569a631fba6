// Scalars from JSON and from the text of a query, by our own rules: PostgreSQL's input functions take "tomorrow" and
// "infinity", let DateStyle decide 01/02/2027, and its casts round 2.5 people to 3. Nothing is guessed: ISO 8601 only,
// a moment has an offset, a number stands for a text nowhere.
//
// Refusals have status 400 and one of the codes `type` (a number where a text is asked for), `invalid` and `range`.
#pragma once

#include "core/base/outcome.hpp"
#include "core/base/uuid.hpp"
#include "core/json/reader.hpp"

#include <cstdint>
#include <string_view>

namespace relygate::core {

// A JSON number whose value is whole: 2, 2.0 and 20e-1 are 2; 2.5 is refused.
Outcome<std::int64_t> parse_integer(std::string_view text, std::int64_t least, std::int64_t most);
Outcome<bool> parse_boolean(std::string_view text); // true or false
Outcome<Uuid> parse_uuid_value(std::string_view text);
// YYYY-MM-DD of the Gregorian calendar, years 0001 to 9999, as days since 1970-01-01.
Outcome<std::int32_t> parse_date(std::string_view text);
// RFC 3339 with Z or an offset, years 0001 to 9999, as microseconds since 1970 UTC; a finer fraction is cut. Second 60
// is refused: a clock that does not know leap seconds would store another moment.
Outcome<std::int64_t> parse_instant(std::string_view text);

Outcome<std::string_view> text_from(const JsonValue &value);
Outcome<std::int64_t> integer_from(const JsonValue &value, std::int64_t least, std::int64_t most);
Outcome<bool> boolean_from(const JsonValue &value);
Outcome<Uuid> uuid_from(const JsonValue &value);
Outcome<std::int32_t> date_from(const JsonValue &value);
Outcome<std::int64_t> instant_from(const JsonValue &value);

// A finite number with a fraction, as NumericDates are (RFC 7519, 2).
Outcome<double> number_from(const JsonValue &value, double least, double most);

} // namespace relygate::core
