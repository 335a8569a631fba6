// See label.hpp.
#include "core/validation/label.hpp"

#include "core/base/text.hpp"

#include <string>

namespace relygate::core {

namespace {

constexpr Refusal refuse(const char *message) {
    return {400, "invalid", message};
}

struct Limits {
    std::size_t most_characters;
    bool may_have_lines;
    bool may_be_empty;
    const char *too_long;
};

constexpr std::int32_t kZwnj = 0x200C, kZwj = 0x200D, kKeycap = 0x20E3, kBlackFlag = 0x1F3F4;
constexpr std::int32_t kFirstJoiningScript = 0x0600; // Latin, Greek, Cyrillic and Hebrew stand before it

constexpr bool is_between(std::int32_t c, std::int32_t first, std::int32_t last) {
    return first <= c && c <= last;
}

constexpr bool is_variation_selector(std::int32_t c) {
    return is_between(c, 0xFE00, 0xFE0F) || is_between(c, 0xE0100, 0xE01EF) || is_between(c, 0x180B, 0x180D);
}

constexpr bool is_tag(std::int32_t c) {
    return is_between(c, 0xE0020, 0xE007F);
}

// Whether a character that draws nothing changes how the one before or after it looks. `before` is the last that stays.
bool is_at_work(std::int32_t before, std::int32_t c, std::int32_t after) {
    if (c == kZwj || c == kZwnj)
        return before >= kFirstJoiningScript && after >= kFirstJoiningScript && !is_blank(before) && !is_blank(after) &&
               (!is_ignorable(before) || is_variation_selector(before)) && !is_ignorable(after);
    if (is_variation_selector(c))
        return (before >= 0x00A9 && !is_blank(before) && !is_ignorable(before)) || after == kKeycap;
    return is_tag(c) && (before == kBlackFlag || is_tag(before));
}

// The text without what nobody sees; separators of lines and paragraphs become blanks.
std::string_view leave_visible(std::string_view text, Memory memory) {
    std::string visible;
    std::int32_t before = CodePoints::kEnd;
    CodePoints characters(text);
    for (std::string_view at = text; !at.empty(); at = characters.rest()) {
        const auto c = characters.next();
        const auto after = CodePoints(characters.rest()).next();
        if (is_ignorable(c) && !is_bidi_control(c) && !is_at_work(before, c, after))
            continue;
        if (c == 0x2028 || c == 0x2029)
            visible += ' ';
        else
            visible.append(at.substr(0, at.size() - characters.rest().size()));
        before = c;
    }
    return keep(visible, memory);
}

Outcome<std::string_view> check(std::string_view text, const Limits &limits, Memory memory) {
    if (!is_valid_utf8(text))
        return refuse("text is not valid UTF-8");
    const auto label = compose(trim(text), memory);
    if (label.empty() && !limits.may_be_empty)
        return refuse("text is empty");
    std::size_t count = 0;
    CodePoints characters(label);
    for (auto c = characters.next(); c != CodePoints::kEnd; c = characters.next()) {
        if (++count > limits.most_characters)
            return refuse(limits.too_long);
        if (is_control(c) && !(limits.may_have_lines && (c == '\n' || c == '\r' || c == '\t')))
            return refuse("text contains a control character");
        // They turn the text around on the guard's screen.
        if (is_bidi_control(c))
            return refuse("text contains a character that changes the writing direction");
    }
    return label;
}

constexpr Limits kLabel{250, false, false, "text is longer than 250 characters"};

} // namespace

Outcome<std::string_view> normalize_label(std::string_view text, Memory memory) {
    if (!is_valid_utf8(text))
        return check(text, kLabel, memory);
    return check(leave_visible(compose(text, memory), memory), kLabel, memory);
}

bool looks_like_label(std::string_view text, Memory memory) {
    return static_cast<bool>(check(text, kLabel, memory));
}

Outcome<std::string_view> normalize_remark(std::string_view text, Memory memory) {
    return check(text, {500, true, false, "text is longer than 500 characters"}, memory);
}

Outcome<std::string_view> normalize_search(std::string_view text, Memory memory) {
    return check(text, {200, false, true, "search text is longer than 200 characters"}, memory);
}

} // namespace relygate::core
