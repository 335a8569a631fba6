// See mobile.hpp. First the text becomes digits, then the digits become a number: read as they are, without the trunk
// prefix, without the own calling code; the first reading that the numbering plan knows wins. So ten Indian digits that
// begin with 91 are never shortened.
#include "core/validation/mobile.hpp"

#include <algorithm>
#include <array>
#include <charconv>

#include "core/base/text.hpp"
#include "core/validation/calling_plans.hpp"
#include "core/validation/country.hpp"

namespace relygate::core {

namespace {

constexpr std::size_t kFewestDigits = 8;
constexpr std::size_t kMostDigits = 15;
constexpr std::size_t kMostWrittenDigits = kMostDigits + 5; // 00, a trunk prefix in brackets

constexpr Refusal refuse(const char *message, const char *hint = nullptr) {
    return {400, "invalid", message, hint};
}

struct Written {
    std::array<char, kMostWrittenDigits> digits{};
    std::size_t size = 0;
    bool is_international = false;

    std::string_view view() const { return {digits.data(), size}; }
};

Outcome<Written> read(std::string_view text) {
    Written written;
    bool is_ended = false; // a line end may come after the number, not inside it
    CodePoints characters(text);
    for (auto c = characters.next(); c != CodePoints::kEnd; c = characters.next()) {
        if (const int digit = digit_value(c); digit >= 0) {
            if (is_ended)
                return refuse("mobile number must be one number on one line");
            if (written.size == written.digits.size())
                return refuse("mobile number has too many digits");
            written.digits[written.size++] = static_cast<char>('0' + digit);
        } else if (c == '+' && written.size == 0 && !written.is_international) {
            written.is_international = true;
        } else if (is_blank(c) && c != ' ' && c != 0xA0) {
            is_ended = written.size > 0 || written.is_international;
        } else if ((c == 'E' || c == 'e') && written.size > 0 && text.find('+', 1) != std::string_view::npos) {
            return refuse("mobile number has lost its last digits in a spreadsheet",
                          "Format the column as text and enter the number again.");
        } else if (c != ' ' && c != 0xA0 && c != '-' && c != '.' && c != '(' && c != ')' && !is_format(c)) {
            return refuse("mobile number contains a character that is not a digit",
                          "Enter one number, without extension or a second number.");
        }
    }
    if (written.size == 0)
        return refuse("mobile number has no digits");
    if (!written.is_international && written.view().starts_with("00")) {
        written.is_international = true;
        std::copy(written.digits.begin() + 2, written.digits.begin() + static_cast<std::ptrdiff_t>(written.size),
                  written.digits.begin());
        written.size -= 2;
    }
    return written;
}

Outcome<std::string_view> as_e164(int calling_code, std::string_view national, Memory memory) {
    char code[4];
    const auto code_size = static_cast<std::size_t>(std::to_chars(code, code + sizeof code, calling_code).ptr - code);
    const auto size = code_size + national.size();
    if (size < kFewestDigits || size > kMostDigits)
        return refuse("mobile number must have 8 to 15 digits with its calling code");
    auto *number = static_cast<char *>(memory.allocate(size + 1, 1));
    number[0] = '+';
    auto *end = std::copy(code, code + code_size, number + 1);
    std::copy(national.begin(), national.end(), end);
    return std::string_view(number, size + 1);
}

// Calls `use` with each trunk prefix until one is taken.
template <typename Use> bool any_prefix(std::string_view prefixes, Use use) {
    while (!prefixes.empty()) {
        const auto end = std::min(prefixes.find('|'), prefixes.size());
        if (use(prefixes.substr(0, end)))
            return true;
        prefixes.remove_prefix(std::min(end + 1, prefixes.size()));
    }
    return false;
}

// Takes a trunk prefix away where a number of the plan remains.
bool strip_trunk(int calling_code, std::string_view prefixes, std::string_view &digits) {
    return any_prefix(prefixes, [&](std::string_view prefix) {
        if (!digits.starts_with(prefix) || !is_national_number(calling_code, digits.substr(prefix.size())))
            return false;
        digits.remove_prefix(prefix.size());
        return true;
    });
}

// Brazil dials the carrier's two digits between trunk prefix and number.
bool strip_brazilian_carrier(std::string_view &digits) {
    if (!digits.starts_with('0') || digits.size() < 13 || !is_national_number(55, digits.substr(3)))
        return false;
    digits.remove_prefix(3);
    return true;
}

// Argentina writes a mobile at home as 0, area, 15, subscriber; abroad as 9, area, subscriber (libphonenumber does the
// same).
struct ArgentineMobile {
    std::array<char, 11> digits{};
    bool is_found = false;
};
ArgentineMobile read_argentine_mobile(std::string_view digits) {
    if (digits.starts_with('0'))
        digits.remove_prefix(1);
    ArgentineMobile mobile;
    if (digits.size() != 12)
        return mobile;
    for (std::size_t area = 2; area <= 4 && !mobile.is_found; ++area) {
        if (digits.substr(area, 2) != "15")
            continue;
        mobile.digits[0] = '9';
        auto *end = std::copy_n(digits.begin(), area, mobile.digits.begin() + 1);
        std::copy(digits.begin() + area + 2, digits.end(), end);
        mobile.is_found = is_national_number(54, {mobile.digits.data(), mobile.digits.size()});
    }
    return mobile;
}

constexpr Refusal kUnknownCode = refuse("mobile number has an unknown calling code");

Outcome<std::string_view> international(std::string_view digits, Memory memory) {
    const int code = find_calling_code(digits);
    if (code == 0)
        return kUnknownCode;
    digits.remove_prefix(code < 10 ? 1 : code < 100 ? 2 : 3);
    if (!is_national_number(code, digits)) {
        // +44 (0)7400 123456: the trunk prefix does not belong there, but there is one possible meaning.
        const auto all = countries();
        const bool is_stripped = std::any_of(all.begin(), all.end(), [&](const Country &country) {
            return country.calling_code == code && strip_trunk(code, country.trunk_prefixes, digits);
        });
        if (!is_stripped && code == 91)
            return refuse("mobile number is not an Indian mobile number",
                          "After +91 come ten digits that begin with 6, 7, 8 or 9.");
        if (!is_stripped)
            return refuse("mobile number does not exist in the country of its calling code",
                          "Check for missing or extra digits.");
    }
    return as_e164(code, digits, memory);
}

Outcome<std::string_view> national(std::string_view digits, const Country &country, Memory memory) {
    const int code = country.calling_code;
    if (is_national_number(code, digits) || strip_trunk(code, country.trunk_prefixes, digits) ||
        (code == 55 && strip_brazilian_carrier(digits)))
        return as_e164(code, digits, memory);
    if (code == 54)
        if (const auto mobile = read_argentine_mobile(digits); mobile.is_found)
            return as_e164(code, {mobile.digits.data(), mobile.digits.size()}, memory);
    // Spreadsheets and SMS gateways write the calling code without +.
    if (find_calling_code(digits) == code) {
        auto rest = digits.substr(code < 10 ? 1 : code < 100 ? 2 : 3);
        if (is_national_number(code, rest) || strip_trunk(code, country.trunk_prefixes, rest))
            return as_e164(code, rest, memory);
    }
    if (code == 91)
        return refuse("mobile number is not an Indian mobile number",
                      "Enter ten digits that begin with 6, 7, 8 or 9, or + and the calling code of another country.");
    return refuse("mobile number does not exist in this country",
                  "Check the digits, or begin with + and the calling code of another country.");
}

} // namespace

Outcome<std::string_view> normalize_mobile(std::string_view text, std::string_view country_code, Memory memory) {
    const auto written = read(text);
    if (!written)
        return written.refusal();
    const auto digits = written.value().view();
    if (written.value().is_international)
        return international(digits, memory);
    const Country *country = find_country(country_code);
    if (country == nullptr)
        return refuse("mobile number needs its calling code", "Begin with + and the calling code of the country.");
    return national(digits, *country, memory);
}

bool looks_like_mobile(std::string_view text) {
    const auto written = read(text);
    return written && written.value().size >= 4;
}

} // namespace relygate::core
