// See label.hpp.
#include "core/validation/label.hpp"

#include "core/base/text.hpp"

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

} // namespace

Outcome<std::string_view> normalize_label(std::string_view text, Memory memory) {
    return check(text, {250, false, false, "text is longer than 250 characters"}, memory);
}

Outcome<std::string_view> normalize_remark(std::string_view text, Memory memory) {
    return check(text, {500, true, false, "text is longer than 500 characters"}, memory);
}

Outcome<std::string_view> normalize_search(std::string_view text, Memory memory) {
    return check(text, {200, false, true, "search text is longer than 200 characters"}, memory);
}

} // namespace relygate::core
