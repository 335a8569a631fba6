// Numbers of identity documents by type. They are secrets: no message, hint or detail repeats any part of one; what is
// stored is a masked form and a keyed hash of the normalised number.
#pragma once

#include <span>
#include <string_view>

#include "core/base/outcome.hpp"

namespace relygate::core {

// The normalised number, of which the keyed hash is made. `country` (of the tenant) decides for the types that every
// country has in its own form: outside India a driving licence or voter id is 4 to 20 letters and digits.
Outcome<std::string_view> normalize_document_number(std::string_view type, std::string_view text,
                                                    std::string_view country, Memory memory);

// What may be shown: the last four characters (two of a short number), the rest as X.
std::string_view mask_document_number(std::string_view type, std::string_view number, Memory memory);

// Without knowing the type: could it be one? For a binder that has not seen the type yet.
Outcome<std::string_view> check_document_text(std::string_view text, Memory memory);

// The digit that completes the Verhoeff check of the digits (J. Verhoeff, 1969): it finds each single wrong digit and
// each exchange of neighbours. True if the last digit is right; false for anything but ASCII digits.
bool has_verhoeff_digit(std::string_view digits);

} // namespace relygate::core
