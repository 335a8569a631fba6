// See vehicle_number.hpp. The Indian formats are those of the Central Motor Vehicles Rules, 1989 (rules 47, 50, 76 and
// the schedule of S.O. 443(E)) with what was on the road before and what embassies and the forces use.
#include "core/validation/vehicle_number.hpp"

#include <algorithm>
#include <array>

#include "core/base/text.hpp"
#include "core/validation/indian_state.hpp"
#include "core/validation/shape.hpp"

namespace relygate::core {

namespace {

constexpr Refusal refuse(const char *message, const char *hint = nullptr) {
    return {400, "invalid", message, hint};
}

constexpr bool is_zero(std::string_view digits) {
    return std::all_of(digits.begin(), digits.end(), [](char c) { return c == '0'; });
}

// What is left after taking digits (or capitals) off the front.
template <typename Is> std::string_view take(std::string_view &text, std::size_t most, Is is) {
    std::size_t size = 0;
    while (size < most && size < text.size() && is(text[size]))
        ++size;
    const auto taken = text.substr(0, size);
    text.remove_prefix(size);
    return taken;
}

constexpr bool has_state(std::string_view mark) {
    return is_indian_state(mark.substr(0, 2));
}

// KA03MH4821, DL7CBR0093, TN224410, RJ9CA118: state, office, up to three letters of the series, number. Trade
// certificates of the old form (KA01TC0042) are written so too.
bool is_standard(std::string_view mark) {
    if (!has_shape(mark, "AA99?A?A?A?99?9?9?") || !has_state(mark))
        return false;
    auto rest = mark.substr(2);
    const auto office = take(rest, 2, is_digit);
    const auto series = take(rest, 3, is_capital);
    // Without series, digits may belong to office or number; one that is not all zero serves both.
    return series.empty() ? !is_zero(office) && !is_zero(rest.empty() ? office.substr(1) : rest)
                          : !is_zero(office) && !is_zero(rest);
}

// 22BH6517AA: the year of registration since 2021, number, one or two letters without I and O.
bool is_bharat(std::string_view mark) {
    return has_shape(mark, "99BH9999AA?") && mark.substr(0, 2) >= "21" && mark.substr(0, 2) <= "29" &&
           !is_zero(mark.substr(4, 4)) && mark.substr(8).find_first_of("IO") == std::string_view::npos;
}

// 77CD18, 12CC5, 44UN7, 3CDP12: country, kind, number.
bool is_diplomatic(std::string_view mark) {
    auto rest = mark;
    const auto country = take(rest, 3, is_digit);
    const auto kind = take(rest, 3, is_capital);
    const auto number = take(rest, 4, is_digit);
    constexpr std::array<std::string_view, 4> kKinds = {"CD", "CC", "UN", "CDP"};
    return rest.empty() && !is_zero(country) && !is_zero(number) &&
           std::find(kKinds.begin(), kKinds.end(), kind) != kKinds.end();
}

// T0926MH2245BB: month and year, state, number, letters.
bool is_temporary(std::string_view mark) {
    return has_shape(mark, "T9999AA9999AA?") && mark.substr(1, 2) >= "01" && mark.substr(1, 2) <= "12" &&
           is_indian_state(mark.substr(5, 2)) && !is_zero(mark.substr(7, 4));
}

// KA03A0012TC0042: state, office, class of vehicle, dealer, TC, number (rule 34, since 2022).
bool is_trade_certificate(std::string_view mark) {
    return has_shape(mark, "AA99A99?9?9?TC99?9?9?") && has_state(mark) && !is_zero(mark.substr(2, 2));
}

// MHVAAB0042: state, VA, series, number (rule 81A, since 2021).
bool is_vintage(std::string_view mark) {
    return has_shape(mark, "AAVAAA99?9?9?") && has_state(mark) && !is_zero(mark.substr(6));
}

// MFC2207: three letters and a number, from before 1989.
bool is_before_1989(std::string_view mark) {
    return has_shape(mark, "AAA99?9?9?") && !is_zero(mark.substr(3));
}

// 03D153874H: the year, class, number, check letter; on the vehicle an arrow stands before it.
bool is_defence(std::string_view mark) {
    return has_shape(mark, "99A99999?9?A");
}

bool is_indian(std::string_view mark) {
    return is_standard(mark) || is_bharat(mark) || is_diplomatic(mark) || is_temporary(mark) ||
           is_trade_certificate(mark) || is_vintage(mark) || is_before_1989(mark) || is_defence(mark);
}

constexpr std::size_t kMost = 15;
constexpr std::int32_t kBroadArrow = 0x2191;

} // namespace

Outcome<std::string_view> normalize_vehicle_number(std::string_view text, std::string_view country, Memory memory) {
    std::array<char, kMost> mark;
    std::size_t size = 0;
    CodePoints characters(trim(text));
    for (auto c = characters.next(); c != CodePoints::kEnd; c = characters.next()) {
        if (c == ' ' || c == 0xA0 || c == '-' || c == '.' || (c == kBroadArrow && size == 0 && country == "IN"))
            continue;
        if (c >= 'a' && c <= 'z')
            c -= 'a' - 'A';
        if (c < 0 || c > 'Z' || !(is_digit(static_cast<char>(c)) || is_capital(static_cast<char>(c))))
            return refuse("vehicle number contains a character that is not a letter from A to Z or a digit",
                          "Enter the registration mark in Latin letters.");
        if (size == mark.size())
            return refuse("vehicle number is longer than 15 letters and digits");
        mark[size++] = static_cast<char>(c);
    }
    const std::string_view number(mark.data(), size);
    if (size < 2)
        return refuse("vehicle number is shorter than 2 letters and digits");
    if (country == "IN" && !is_indian(number)) {
        if (has_shape(number, "99BHNNNNNN?"))
            return refuse("vehicle number is not a valid BH series mark",
                          "It has a year from 21, BH, four digits and one or two letters without I and O.");
        if (has_shape(number, "AA99?A?A?A?99?9?9?") && !has_state(number))
            return refuse("vehicle number begins with no state of India", "Check the first two letters.");
        return refuse("vehicle number is not an Indian registration mark", "Enter it as KA03MH4821.");
    }
    return keep(number, memory);
}

} // namespace relygate::core
