// See text.hpp. Categories come from libutf8proc; only digits need care, since it knows no numeric values.
#include "core/base/text.hpp"

#include <algorithm>
#include <cstring>
#include <new>

#include <utf8proc.h>

namespace relygate::core {

namespace {

constexpr std::int32_t kLastCodePoint = 0x10FFFF;

const utf8proc_property_t *property(std::int32_t character) {
    // utf8proc answers a harmless property for what is no character.
    return utf8proc_get_property(character < 0 || character > kLastCodePoint ? 0 : character);
}

int category(std::int32_t character) {
    if (character < 0 || character > kLastCodePoint)
        return UTF8PROC_CATEGORY_CN;
    return property(character)->category;
}

// Decomposes and reencodes inside `memory`. utf8proc_map would give memory of malloc, which a longjmp could leak.
std::string_view map(std::string_view text, int options, Memory memory) {
    const auto *bytes = reinterpret_cast<const utf8proc_uint8_t *>(text.data());
    const auto size = static_cast<utf8proc_ssize_t>(text.size());
    const auto needed = utf8proc_decompose(bytes, size, nullptr, 0, static_cast<utf8proc_option_t>(options));
    if (needed <= 0)
        return {};
    // One more than needed: reencoding ends the text with a zero byte.
    const auto count = static_cast<std::size_t>(needed) + 1;
    auto *buffer =
        static_cast<utf8proc_int32_t *>(memory.allocate(count * sizeof(utf8proc_int32_t), alignof(utf8proc_int32_t)));
    utf8proc_decompose(bytes, size, buffer, needed, static_cast<utf8proc_option_t>(options));
    const auto length = utf8proc_reencode(buffer, needed, static_cast<utf8proc_option_t>(options));
    if (length < 0)
        return {};
    return {reinterpret_cast<const char *>(buffer), static_cast<std::size_t>(length)};
}

bool is_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

char upper(char c) {
    return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
}

} // namespace

std::int32_t CodePoints::next() {
    if (rest_.empty())
        return kEnd;
    utf8proc_int32_t character;
    const auto used = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t *>(rest_.data()),
                                       static_cast<utf8proc_ssize_t>(rest_.size()), &character);
    if (used <= 0) {
        rest_.remove_prefix(1);
        return kInvalid;
    }
    rest_.remove_prefix(static_cast<std::size_t>(used));
    return character;
}

bool is_valid_utf8(std::string_view text) {
    CodePoints characters(text);
    for (auto c = characters.next(); c != CodePoints::kEnd; c = characters.next())
        if (c == CodePoints::kInvalid || c == 0)
            return false;
    return true;
}

std::size_t count_characters(std::string_view text) {
    std::size_t count = 0;
    CodePoints characters(text);
    while (characters.next() != CodePoints::kEnd)
        ++count;
    return count;
}

bool is_letter(std::int32_t character) {
    const int c = category(character);
    return c >= UTF8PROC_CATEGORY_LU && c <= UTF8PROC_CATEGORY_LO;
}

bool is_mark(std::int32_t character) {
    const int c = category(character);
    return c == UTF8PROC_CATEGORY_MN || c == UTF8PROC_CATEGORY_MC;
}

bool is_format(std::int32_t character) {
    return category(character) == UTF8PROC_CATEGORY_CF;
}

bool is_control(std::int32_t character) {
    return category(character) == UTF8PROC_CATEGORY_CC;
}

bool is_blank(std::int32_t character) {
    switch (character) {
    case ' ':
    case '\t':
    case '\r':
    case '\n':
    case 0x00A0:
    case 0x3000:
    case 0xFEFF:
        return true;
    default:
        return false;
    }
}

bool is_ignorable(std::int32_t character) {
    return character >= 0 && property(character)->ignorable;
}

bool is_virama(std::int32_t character) {
    return character >= 0 && property(character)->combining_class == 9;
}

bool is_bidi_control(std::int32_t character) {
    return (character >= 0x202A && character <= 0x202E) || (character >= 0x2066 && character <= 0x2069);
}

bool is_arabic_letter(std::int32_t character) {
    struct Range {
        std::int32_t first, last;
    };
    // Arabic, its supplement and extensions, and the presentation forms.
    constexpr Range kArabic[] = {
        {0x0600, 0x06FF}, {0x0750, 0x077F}, {0x0870, 0x08FF}, {0xFB50, 0xFDFF}, {0xFE70, 0xFEFC}};
    return is_letter(character) && std::any_of(std::begin(kArabic), std::end(kArabic), [&](const Range &range) {
               return character >= range.first && character <= range.last;
           });
}

int digit_value(std::int32_t character) {
    if (character >= '0' && character <= '9')
        return character - '0';
    if (category(character) != UTF8PROC_CATEGORY_ND)
        return -1;
    // Decimal digits stand in runs of ten from 0 to 9 (Unicode's stability policy: Nd only for such); several runs may
    // follow each other, as the mathematical ones do. So the distance from the run's start decides.
    auto first = character;
    while (category(first - 1) == UTF8PROC_CATEGORY_ND)
        --first;
    return (character - first) % 10;
}

std::string_view trim(std::string_view text) {
    for (;;) {
        CodePoints characters(text);
        const auto c = characters.next();
        if (c < 0 || !is_blank(c))
            break;
        text = characters.rest();
    }
    for (;;) {
        // Steps back over the continuation bytes of the last character; a blank has at most three bytes.
        std::size_t start = text.size();
        while (start > 0 && text.size() - start < 3 && (text[start - 1] & 0xC0) == 0x80)
            --start;
        if (start == 0)
            break;
        --start;
        CodePoints characters(text.substr(start));
        const auto c = characters.next();
        if (c < 0 || !is_blank(c) || !characters.rest().empty())
            break;
        text = text.substr(0, start);
    }
    return text;
}

std::string_view compose(std::string_view text, Memory memory) {
    if (is_ascii(text))
        return text;
    return map(text, UTF8PROC_STABLE | UTF8PROC_COMPOSE, memory);
}

std::string_view fold_search(std::string_view text, Memory memory) {
    // Folding can uncover what composing joins again and the other way round, so the whole is done as NFKC_Casefold
    // wants it.
    return map(text, UTF8PROC_STABLE | UTF8PROC_COMPOSE | UTF8PROC_COMPAT | UTF8PROC_CASEFOLD | UTF8PROC_IGNORE,
               memory);
}

std::string_view upper_ascii(std::string_view text, Memory memory) {
    auto *copy = static_cast<char *>(memory.allocate(text.size() + 1, 1));
    std::transform(text.begin(), text.end(), copy, upper);
    return {copy, text.size()};
}

bool equals_ignoring_case(std::string_view one, std::string_view other) {
    return std::equal(one.begin(), one.end(), other.begin(), other.end(),
                      [](char a, char b) { return upper(a) == upper(b); });
}

std::string_view keep(std::string_view text, Memory memory) {
    auto *copy = static_cast<char *>(memory.allocate(text.size() + 1, 1));
    if (!text.empty())
        std::memcpy(copy, text.data(), text.size());
    return {copy, text.size()};
}

} // namespace relygate::core
