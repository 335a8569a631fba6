// First and last names of people, in any script.
#pragma once

#include <string_view>

#include "core/base/outcome.hpp"

namespace relygate::core {

// Trimmed, composed (NFC), 1 to 100 characters with at least one letter; letters and marks of any script, blank ' . -
// and their typographic sisters, joiners where the spelling of Indic and Arabic scripts needs them. Markup is refused,
// never cleaned.
Outcome<std::string_view> normalize_person_name(std::string_view text, Memory memory);

} // namespace relygate::core
