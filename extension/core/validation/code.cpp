// See code.hpp.
#include "core/validation/code.hpp"

#include <algorithm>

#include "core/base/text.hpp"

namespace relygate::core {

namespace {

constexpr bool is_letter_or_digit(char c) {
    return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

template <typename Allowed>
bool has_only(std::string_view text, std::size_t fewest, std::size_t most, Allowed allowed) {
    return text.size() >= fewest && text.size() <= most && std::all_of(text.begin(), text.end(), allowed);
}

} // namespace

Outcome<std::string_view> normalize_user_name(std::string_view text, Memory) {
    const auto name = trim(text);
    if (!has_only(name, 3, 50, [](char c) { return is_letter_or_digit(c) || c == '_' || c == '.' || c == '-'; }))
        return Refusal{400, "invalid", "user name is not valid",
                       "Use 3 to 50 letters from A to Z, digits, underscores, dots and hyphens."};
    return name;
}

Outcome<std::string_view> normalize_code(std::string_view text, Memory memory) {
    const auto code = upper_ascii(trim(text), memory);
    if (!has_only(code, 2, 50, [](char c) { return is_letter_or_digit(c) || c == '_'; }))
        return Refusal{400, "invalid", "code is not valid", "Use 2 to 50 letters from A to Z, digits and underscores."};
    return code;
}

} // namespace relygate::core
