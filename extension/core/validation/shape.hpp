// Small patterns for registration marks and document numbers: 9 stands for a digit, A for a letter from A to Z, N for
// either,
// "?" after one of them makes it optional, everything else for itself. For texts that are upper-case ASCII already.
#pragma once

#include <string_view>

namespace relygate::core {

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool is_capital(char c) {
    return c >= 'A' && c <= 'Z';
}

constexpr bool has_shape(std::string_view text, std::string_view shape) {
    if (shape.empty())
        return text.empty();
    const bool is_optional = shape.size() > 1 && shape[1] == '?';
    const auto rest = shape.substr(is_optional ? 2 : 1);
    if (is_optional && has_shape(text, rest))
        return true;
    if (text.empty())
        return false;
    const char c = text.front();
    const char s = shape.front();
    const bool fits = s == '9'   ? is_digit(c)
                      : s == 'A' ? is_capital(c)
                      : s == 'N' ? is_digit(c) || is_capital(c)
                                 : c == s;
    return fits && has_shape(text.substr(1), rest);
}

static_assert(has_shape("KA03", "AA99") && has_shape("KA3", "AA99?") && !has_shape("KA033", "AA99?"));

} // namespace relygate::core
