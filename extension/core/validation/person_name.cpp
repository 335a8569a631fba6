// See person_name.hpp. What looks the same must be the same: invisible characters would make two people of one, so they
// are refused (the user sees why) unless they are spelling: ZWJ and ZWNJ after a virama, ZWNJ between Arabic letters
// (RFC 5892, A.1 and A.2).
#include "core/validation/person_name.hpp"

#include "core/base/text.hpp"

namespace relygate::core {

namespace {

constexpr std::size_t kMostCharacters = 100;
constexpr std::int32_t kZwnj = 0x200C;
constexpr std::int32_t kZwj = 0x200D;
constexpr std::int32_t kGraphemeJoiner = 0x034F;

constexpr bool is_name_punctuation(std::int32_t c) {
    switch (c) {
    case ' ':
    case '\'':
    case '.':
    case '-':
    case 0x2019: // typographic apostrophe
    case 0x00B7: // Catalan middle dot
    case 0x30FB: // Katakana middle dot
    case 0x05F3: // Hebrew geresh
        return true;
    default:
        return false;
    }
}

bool is_spelling_joiner(std::int32_t before, std::int32_t joiner, std::int32_t after) {
    if (joiner != kZwj && joiner != kZwnj)
        return false;
    return is_virama(before) || (joiner == kZwnj && is_arabic_letter(before) && is_arabic_letter(after));
}

constexpr Refusal refuse(const char *message, const char *hint = nullptr) {
    return {400, "invalid", message, hint};
}

} // namespace

Outcome<std::string_view> normalize_person_name(std::string_view text, Memory memory) {
    if (!is_valid_utf8(text))
        return refuse("name is not valid UTF-8");
    const auto name = compose(trim(text), memory);
    if (name.empty())
        return refuse("name is empty");
    std::size_t count = 0;
    bool has_letter = false;
    std::int32_t before = CodePoints::kEnd;
    CodePoints characters(name);
    for (auto c = characters.next(); c != CodePoints::kEnd; c = characters.next()) {
        if (++count > kMostCharacters)
            return refuse("name is longer than 100 characters");
        const auto after = CodePoints(characters.rest()).next();
        // The Hangul fillers are letters by category and draw nothing.
        const bool is_visible_letter = is_letter(c) && !is_ignorable(c);
        const bool is_following_mark = is_mark(c) && c != kGraphemeJoiner && before != CodePoints::kEnd;
        has_letter = has_letter || is_visible_letter;
        if (!is_visible_letter && !is_following_mark && !is_name_punctuation(c) &&
            !is_spelling_joiner(before, c, after)) {
            if (c == '<' || c == '>' || c == '&')
                return refuse("name contains markup", "Enter letters, blanks, apostrophes, dots and hyphens.");
            if (is_format(c) || is_control(c) || is_ignorable(c))
                return refuse("name contains an invisible character", "Type the name instead of pasting it.");
            return refuse("name contains a character that is not part of a name",
                          "Enter letters, blanks, apostrophes, dots and hyphens.");
        }
        before = c;
    }
    if (!has_letter)
        return refuse("name has no letter");
    return name;
}

} // namespace relygate::core
