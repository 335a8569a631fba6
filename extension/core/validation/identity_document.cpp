// See identity_document.hpp.
#include "core/validation/identity_document.hpp"

#include <algorithm>
#include <array>

#include "core/base/text.hpp"
#include "core/validation/indian_state.hpp"
#include "core/validation/shape.hpp"
#include "core/validation/words.hpp"

namespace relygate::core {

namespace {

constexpr std::size_t kMost = 30;

constexpr Refusal refuse(const char *message, const char *hint = nullptr) {
    return {400, "invalid", message, hint};
}

using Checked = const char *; // null: right; else what is wrong, as a hint
constexpr const char *kPlain = "Enter the number as it stands on the document.";

Checked check_aadhaar(std::string_view number) {
    if (has_shape(number, "9999999999999999"))
        return "These are 16 digits, a virtual ID; enter the 12 digits of the Aadhaar.";
    if (number.find('X') != std::string_view::npos)
        return "The number is masked and cannot be checked; enter all 12 digits.";
    const bool is_right = has_shape(number, "999999999999") && number.front() >= '2' && has_verhoeff_digit(number);
    return is_right ? nullptr : "An Aadhaar has 12 digits and a check digit; one of them is wrong or missing.";
}

Checked check_pan(std::string_view number) {
    const bool is_right =
        has_shape(number, "AAAAA9999A") && std::string_view("ABCFGHJLPT").find(number[3]) != std::string_view::npos;
    return is_right ? nullptr
                    : "A PAN has five letters, four digits and a letter; the fourth letter is the kind of holder.";
}

// The nationality is not asked for, so every country's passport must pass: the travel documents of ICAO 9303 have up to
// nine characters. India's are a letter and seven digits.
Checked check_passport(std::string_view number) {
    const bool is_right =
        number.size() >= 6 && number.size() <= 9 && std::any_of(number.begin(), number.end(), is_digit);
    return is_right ? nullptr : "A passport number has 6 to 9 letters and digits.";
}

bool is_any_number(std::string_view number) {
    return number.size() >= 4 && number.size() <= 20 && std::any_of(number.begin(), number.end(), is_digit);
}

Checked check_licence(std::string_view number, bool is_indian) {
    const bool is_right = is_indian ? has_shape(number, "AA9999999999999") && is_indian_state(number.substr(0, 2)) &&
                                          (number.substr(4, 2) == "19" || number.substr(4, 2) == "20")
                                    : is_any_number(number);
    if (is_right)
        return nullptr;
    return is_indian ? "A driving licence has the state, two digits of the office, the year and seven digits." : kPlain;
}

// The photo identity card of the Election Commission: three letters and seven digits; older ones have the state and up
// to fourteen digits between slashes.
Checked check_voter_id(std::string_view number, bool is_indian) {
    const bool is_right = is_indian ? has_shape(number, "AAA9999999") || (has_shape(number, "AA999999999?9?9?9?9?9?") &&
                                                                          is_indian_state(number.substr(0, 2)))
                                    : is_any_number(number);
    if (is_right)
        return nullptr;
    return is_indian ? "A voter id has three letters and seven digits." : kPlain;
}

// Upper case, blanks, hyphens and slashes out. Digits of other scripts are refused: no table lookup by (byte - '0')
// ever sees one.
Outcome<std::string_view> plain(std::string_view text, Memory memory) {
    std::array<char, kMost> number;
    std::size_t size = 0;
    CodePoints characters(trim(text));
    for (auto c = characters.next(); c != CodePoints::kEnd; c = characters.next()) {
        if (c == ' ' || c == 0xA0 || c == '-' || c == '/' || c == '.')
            continue;
        if (c >= 'a' && c <= 'z')
            c -= 'a' - 'A';
        if (c < 0 || c > 'Z' || !(is_digit(static_cast<char>(c)) || is_capital(static_cast<char>(c))))
            return refuse("document number contains a character that is not a letter from A to Z or a digit", kPlain);
        if (size == number.size())
            return refuse("document number is longer than 30 letters and digits", kPlain);
        number[size++] = static_cast<char>(c);
    }
    if (size == 0)
        return refuse("document number is empty");
    return keep({number.data(), size}, memory);
}

} // namespace

Outcome<std::string_view> normalize_document_number(std::string_view type, std::string_view text,
                                                    std::string_view country, Memory memory) {
    if (!is_word(kDocumentTypes, type))
        return Refusal{400, "unknown", "document type is not known", nullptr, "documentType"};
    const auto number = plain(text, memory);
    if (!number)
        return number;
    const bool is_indian = country.empty() || country == "IN";
    Checked wrong = nullptr;
    if (type == "aadhaar")
        wrong = check_aadhaar(number.value());
    else if (type == "pan")
        wrong = check_pan(number.value());
    else if (type == "passport")
        wrong = check_passport(number.value());
    else if (type == "driving_licence")
        wrong = check_licence(number.value(), is_indian);
    else if (type == "voter_id")
        wrong = check_voter_id(number.value(), is_indian);
    if (wrong != nullptr)
        return refuse("document number is not valid for its type", wrong);
    return number;
}

std::string_view mask_document_number(std::string_view type, std::string_view number, Memory memory) {
    // A short number would be shown nearly whole by its last four.
    const std::size_t shown = type == "aadhaar" || number.size() >= 8 ? std::min<std::size_t>(4, number.size())
                                                                      : std::min<std::size_t>(2, number.size() / 2);
    auto *masked = static_cast<char *>(memory.allocate(number.size() + 1, 1));
    std::fill_n(masked, number.size() - shown, 'X');
    std::copy(number.end() - static_cast<std::ptrdiff_t>(shown), number.end(), masked + number.size() - shown);
    return {masked, number.size()};
}

Outcome<std::string_view> check_document_text(std::string_view text, Memory memory) {
    return plain(text, memory);
}

bool has_verhoeff_digit(std::string_view digits) {
    // Multiplication in the dihedral group of order ten, and the permutation applied at each place from the right.
    constexpr std::array<std::array<unsigned char, 10>, 10> kProduct = {{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
                                                                         {1, 2, 3, 4, 0, 6, 7, 8, 9, 5},
                                                                         {2, 3, 4, 0, 1, 7, 8, 9, 5, 6},
                                                                         {3, 4, 0, 1, 2, 8, 9, 5, 6, 7},
                                                                         {4, 0, 1, 2, 3, 9, 5, 6, 7, 8},
                                                                         {5, 9, 8, 7, 6, 0, 4, 3, 2, 1},
                                                                         {6, 5, 9, 8, 7, 1, 0, 4, 3, 2},
                                                                         {7, 6, 5, 9, 8, 2, 1, 0, 4, 3},
                                                                         {8, 7, 6, 5, 9, 3, 2, 1, 0, 4},
                                                                         {9, 8, 7, 6, 5, 4, 3, 2, 1, 0}}};
    constexpr std::array<std::array<unsigned char, 10>, 8> kPlace = {{{0, 1, 2, 3, 4, 5, 6, 7, 8, 9},
                                                                      {1, 5, 7, 6, 2, 8, 3, 0, 9, 4},
                                                                      {5, 8, 0, 3, 7, 9, 6, 1, 4, 2},
                                                                      {8, 9, 1, 6, 0, 4, 3, 5, 2, 7},
                                                                      {9, 4, 5, 3, 1, 2, 6, 8, 7, 0},
                                                                      {4, 2, 8, 6, 5, 7, 3, 9, 0, 1},
                                                                      {2, 7, 9, 3, 8, 0, 6, 4, 1, 5},
                                                                      {7, 0, 4, 6, 9, 1, 3, 2, 5, 8}}};
    if (digits.empty() || !std::all_of(digits.begin(), digits.end(), is_digit))
        return false;
    std::size_t check = 0;
    for (std::size_t place = 0; place < digits.size(); ++place) {
        const auto digit = static_cast<std::size_t>(digits[digits.size() - 1 - place] - '0');
        check = kProduct[check][kPlace[place % 8][digit]];
    }
    return check == 0;
}

} // namespace relygate::core
