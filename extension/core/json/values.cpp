// See values.hpp.
#include "core/json/values.hpp"

#include <charconv>
#include <chrono>
#include <cstdio>
#include <limits>
#include <optional>

namespace relygate::core {
namespace {

constexpr Refusal kNotText{400, "type", "value must be a text"};
constexpr Refusal kNotNumber{400, "type", "value must be a number"};
constexpr Refusal kNotBoolean{400, "type", "value must be true or false"};
constexpr Refusal kNotWhole{400, "invalid", "value must be a whole number"};
constexpr Refusal kNoNumber{400, "invalid", "value is not a number"};
constexpr Refusal kNoBoolean{400, "invalid", "value must be true or false"};
constexpr Refusal kNoUuid{400, "invalid", "value is not a UUID"};
constexpr Refusal kNoDate{400, "invalid", "value is not a date", "Dates are written as in 2027-02-28."};
constexpr Refusal kNoInstant{400, "invalid", "value is not a moment with an offset",
                             "Moments are written as in 2027-02-28T09:30:00Z or 2027-02-28T15:00:00+05:30."};
constexpr Refusal kOutOfRange{400, "range", "value is out of range"};

bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

std::size_t count_digits(std::string_view text) {
    std::size_t count = 0;
    while (count < text.size() && is_digit(text[count]))
        ++count;
    return count;
}

Refusal out_of_range(std::int64_t least, std::int64_t most) {
    char detail[80];
    std::snprintf(detail, sizeof detail, "The least is %lld, the most is %lld.", static_cast<long long>(least),
                  static_cast<long long>(most));
    return kOutOfRange.with_detail(detail);
}

// A JSON number taken apart: whole and fraction digits, and the power of ten.
struct Decimal {
    bool is_negative = false;
    std::string_view whole;
    std::string_view fraction;
    int exponent = 0;
};

std::optional<Decimal> parse_decimal(std::string_view text) {
    Decimal decimal;
    if (text.starts_with('-')) {
        decimal.is_negative = true;
        text.remove_prefix(1);
    }
    decimal.whole = text.substr(0, count_digits(text));
    text.remove_prefix(decimal.whole.size());
    if (decimal.whole.empty() || (decimal.whole.size() > 1 && decimal.whole.front() == '0'))
        return std::nullopt;
    if (text.starts_with('.')) {
        decimal.fraction = text.substr(1, count_digits(text.substr(1)));
        text.remove_prefix(1 + decimal.fraction.size());
        if (decimal.fraction.empty())
            return std::nullopt;
    }
    if (text.empty())
        return decimal;
    if (text.front() != 'e' && text.front() != 'E')
        return std::nullopt;
    text.remove_prefix(1);
    const bool is_minus = text.starts_with('-');
    if (is_minus || text.starts_with('+'))
        text.remove_prefix(1);
    if (text.empty() || count_digits(text) != text.size())
        return std::nullopt;
    int exponent = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), exponent).ec != std::errc{} || exponent > 1000)
        exponent = 1000; // beyond everything that fits
    decimal.exponent = is_minus ? -exponent : exponent;
    return decimal;
}

// Two or four digits at `at`, or -1.
int number_at(std::string_view text, std::size_t at, std::size_t size) {
    const std::string_view digits = text.substr(at, size);
    if (digits.size() != size || count_digits(digits) != size)
        return -1;
    int value = 0;
    std::from_chars(digits.data(), digits.data() + size, value);
    return value;
}

std::optional<std::chrono::sys_days> day_of(std::string_view text) {
    if (text.size() != 10 || text[4] != '-' || text[7] != '-')
        return std::nullopt;
    const int year = number_at(text, 0, 4);
    const int month = number_at(text, 5, 2);
    const int day = number_at(text, 8, 2);
    if (year < 1 || month < 1 || day < 1)
        return std::nullopt;
    const std::chrono::year_month_day date{std::chrono::year{year}, std::chrono::month{static_cast<unsigned>(month)},
                                           std::chrono::day{static_cast<unsigned>(day)}};
    if (!date.ok())
        return std::nullopt;
    return std::chrono::sys_days{date};
}

} // namespace

Outcome<std::int64_t> parse_integer(std::string_view text, std::int64_t least, std::int64_t most) {
    const auto decimal = parse_decimal(text);
    if (!decimal)
        return kNotWhole;
    // The digits that count: without zeros in front and behind. `exponent` zeros follow them.
    std::uint64_t digits = 0;
    int count = 0, zeros = 0;
    int exponent = decimal->exponent - static_cast<int>(decimal->fraction.size());
    for (const std::string_view part : {decimal->whole, decimal->fraction}) {
        for (const char c : part) {
            if (c == '0') {
                zeros += count > 0;
                continue;
            }
            count += zeros + 1;
            if (count > 19)
                return decimal->exponent < 0 || !decimal->fraction.empty() ? kNotWhole : out_of_range(least, most);
            for (; zeros > 0; --zeros)
                digits *= 10;
            digits = digits * 10 + static_cast<std::uint64_t>(c - '0');
        }
    }
    exponent += zeros;
    if (count == 0)
        exponent = 0;
    if (exponent < 0)
        return kNotWhole;
    if (count + exponent > 19)
        return out_of_range(least, most);
    for (; exponent > 0; --exponent)
        digits *= 10;
    constexpr auto kMost = static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    if (digits > kMost + decimal->is_negative)
        return out_of_range(least, most);
    const auto value = static_cast<std::int64_t>(decimal->is_negative ? 0 - digits : digits);
    if (value < least || value > most)
        return out_of_range(least, most);
    return value;
}

Outcome<bool> parse_boolean(std::string_view text) {
    if (text == "true")
        return true;
    if (text == "false")
        return false;
    return kNoBoolean;
}

Outcome<Uuid> parse_uuid_value(std::string_view text) {
    const auto uuid = parse_uuid(text);
    if (!uuid)
        return kNoUuid;
    return *uuid;
}

Outcome<std::int32_t> parse_date(std::string_view text) {
    const auto day = day_of(text);
    if (!day)
        return kNoDate;
    return static_cast<std::int32_t>(day->time_since_epoch().count());
}

Outcome<std::int64_t> parse_instant(std::string_view text) {
    using namespace std::chrono;
    // 2027-02-28T15:00:00[.fraction](Z|+05:30)
    const auto day = day_of(text.substr(0, 10));
    if (!day || text.size() < 20 || (text[10] != 'T' && text[10] != 't') || text[13] != ':' || text[16] != ':')
        return kNoInstant;
    const int hour = number_at(text, 11, 2), minute = number_at(text, 14, 2), second = number_at(text, 17, 2);
    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || second < 0 || second > 59)
        return kNoInstant;
    text.remove_prefix(19);

    std::int64_t micros = 0;
    if (text.front() == '.') {
        const std::size_t size = count_digits(text.substr(1));
        if (size == 0)
            return kNoInstant;
        for (std::size_t i = 0; i < 6; ++i)
            micros = micros * 10 + (i < size ? text[1 + i] - '0' : 0);
        text.remove_prefix(1 + size);
    }

    minutes offset{0};
    if (text != "Z" && text != "z") {
        if (text.size() != 6 || (text[0] != '+' && text[0] != '-') || text[3] != ':')
            return kNoInstant;
        const int hours_off = number_at(text, 1, 2), minutes_off = number_at(text, 4, 2);
        if (hours_off < 0 || hours_off > 23 || minutes_off < 0 || minutes_off > 59)
            return kNoInstant;
        offset = minutes{(text[0] == '-' ? -1 : 1) * (hours_off * 60 + minutes_off)};
    }
    const auto moment = *day + hours{hour} + minutes{minute} + seconds{second} + microseconds{micros} - offset;
    if (moment < sys_days{year{1} / 1 / 1} || moment >= sys_days{year{10000} / 1 / 1})
        return kOutOfRange;
    return static_cast<std::int64_t>(moment.time_since_epoch().count());
}

Outcome<std::string_view> text_from(const JsonValue &value) {
    if (!value.is_string())
        return kNotText;
    return value.text;
}

Outcome<std::int64_t> integer_from(const JsonValue &value, std::int64_t least, std::int64_t most) {
    if (value.kind != JsonValue::Kind::number)
        return kNotNumber;
    return parse_integer(value.text, least, most);
}

Outcome<bool> boolean_from(const JsonValue &value) {
    if (value.kind != JsonValue::Kind::boolean)
        return kNotBoolean;
    return value.truth;
}

Outcome<Uuid> uuid_from(const JsonValue &value) {
    if (!value.is_string())
        return kNotText;
    return parse_uuid_value(value.text);
}

Outcome<std::int32_t> date_from(const JsonValue &value) {
    if (!value.is_string())
        return kNotText;
    return parse_date(value.text);
}

Outcome<std::int64_t> instant_from(const JsonValue &value) {
    if (!value.is_string())
        return kNotText;
    return parse_instant(value.text);
}

Outcome<double> number_from(const JsonValue &value, double least, double most) {
    if (value.kind != JsonValue::Kind::number)
        return kNotNumber;
    double number = 0;
    const auto [end, error] = std::from_chars(value.text.data(), value.text.data() + value.text.size(), number);
    if (error != std::errc{} || end != value.text.data() + value.text.size())
        return kNoNumber;
    if (!(number >= least && number <= most))
        return kOutOfRange;
    return number;
}

} // namespace relygate::core
