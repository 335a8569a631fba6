// See email.hpp. Quoted local parts and address literals are allowed by the RFC and unknown to forms and mailers:
// refused. A CR or LF would let a notification carry headers of the writer's choice (CWE-93); no rule below lets one
// through.
#include "core/validation/email.hpp"

#include <algorithm>

#include "core/base/text.hpp"

namespace relygate::core {

namespace {

constexpr std::size_t kMostOctets = 254; // RFC 5321, 4.5.3.1.3: a path of 256 with its angle brackets
constexpr std::size_t kMostLocalOctets = 64;
constexpr std::size_t kMostLabelOctets = 63;

constexpr bool is_digit(char c) {
    return c >= '0' && c <= '9';
}
constexpr bool is_letter_or_digit(char c) {
    return is_digit(c) || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z');
}
constexpr bool is_atom(char c) {
    return is_letter_or_digit(c) || std::string_view("!#$%&'*+-/=?^_`{|}~").find(c) != std::string_view::npos;
}

// Calls `is_part` for each piece between dots; true if all are.
template <typename Part> bool all_parts(std::string_view text, Part is_part) {
    for (;;) {
        const auto dot = text.find('.');
        if (!is_part(text.substr(0, dot)))
            return false;
        if (dot == std::string_view::npos)
            return true;
        text.remove_prefix(dot + 1);
    }
}

bool is_local_part(std::string_view text) {
    return text.size() <= kMostLocalOctets && all_parts(text, [](std::string_view atom) {
               return !atom.empty() && std::all_of(atom.begin(), atom.end(), is_atom);
           });
}

bool is_label(std::string_view label) {
    return !label.empty() && label.size() <= kMostLabelOctets && label.front() != '-' && label.back() != '-' &&
           std::all_of(label.begin(), label.end(), [](char c) { return is_letter_or_digit(c) || c == '-'; });
}

bool is_domain(std::string_view text) {
    const auto dot = text.rfind('.');
    if (dot == std::string_view::npos || !all_parts(text, is_label))
        return false;
    const auto top = text.substr(dot + 1);
    return !std::all_of(top.begin(), top.end(), is_digit);
}

constexpr Refusal refuse(const char *message, const char *hint = nullptr) {
    return {400, "invalid", message, hint};
}

} // namespace

Outcome<std::string_view> normalize_email(std::string_view text, Memory memory) {
    const auto address = trim(text);
    if (address.size() > kMostOctets)
        return refuse("e-mail address is longer than 254 characters");
    const auto at = address.rfind('@');
    if (at == std::string_view::npos)
        return refuse("e-mail address has no @");
    if (!is_local_part(address.substr(0, at)))
        return refuse("e-mail address is not valid before the @", "Enter the address alone, as name@example.org.");
    if (!is_domain(address.substr(at + 1)))
        return refuse("e-mail address has no valid domain after the @",
                      "Write domains with other than ASCII letters in their xn-- form.");
    auto *copy = static_cast<char *>(memory.allocate(address.size(), 1));
    std::transform(address.begin(), address.end(), copy,
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    std::copy_n(address.begin(), at, copy);
    return std::string_view(copy, address.size());
}

} // namespace relygate::core
