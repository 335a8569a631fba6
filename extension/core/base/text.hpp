// Text in UTF-8: is it valid, what are its characters, its composed (NFC) and its folded form. Unicode's tables are
// those of libutf8proc. Every function here takes hostile bytes; what it does not understand it refuses, it never reads
// past the end.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "core/base/outcome.hpp"

namespace relygate::core {

// Well-formed UTF-8 (RFC 3629: no surrogates, no overlong forms, up to U+10FFFF) without U+0000, which PostgreSQL
// cannot store.
bool is_valid_utf8(std::string_view text);

// Walks over the characters of a text; ill-formed bytes come out as kInvalid, one byte each.
class CodePoints {
  public:
    static constexpr std::int32_t kEnd = -1;
    static constexpr std::int32_t kInvalid = -2;

    explicit CodePoints(std::string_view text) : rest_(text) {}
    std::int32_t next();
    std::string_view rest() const { return rest_; }

  private:
    std::string_view rest_;
};

// How many characters (code points) the text has; ill-formed bytes count one each.
std::size_t count_characters(std::string_view text);

// General categories (UAX 44, table 12), as far as rules ask for them.
bool is_letter(std::int32_t character);       // L*
bool is_mark(std::int32_t character);         // Mn, Mc
bool is_format(std::int32_t character);       // Cf: joiners, direction marks, byte order mark
bool is_control(std::int32_t character);      // Cc
bool is_blank(std::int32_t character);        // what trimming takes away: blank, tab, CR, LF, U+00A0, U+3000, U+FEFF
bool is_ignorable(std::int32_t character);    // Default_Ignorable_Code_Point: draws nothing
bool is_virama(std::int32_t character);       // canonical combining class 9
bool is_bidi_control(std::int32_t character); // embeddings, overrides and isolates, which turn text around
bool is_arabic_letter(std::int32_t character);
int digit_value(std::int32_t character); // 0 to 9 for a decimal digit of any script (Nd), else -1

std::string_view trim(std::string_view text);
std::string_view compose(std::string_view text, Memory memory); // NFC (UAX 15); the text must be valid
std::string_view fold_search(std::string_view text,
                             Memory memory); // NFKC_Casefold: two spellings of a name compare equal
std::string_view upper_ascii(std::string_view text, Memory memory);
bool equals_ignoring_case(std::string_view one, std::string_view other); // ASCII letters only

// A copy in `memory`: what leaves a rule must not point into the caller's temporary.
std::string_view keep(std::string_view text, Memory memory);

} // namespace relygate::core
