// Registration marks of vehicles: India's own formats, elsewhere 2 to 15 letters and digits.
#pragma once

#include <string_view>

#include "core/base/outcome.hpp"

namespace relygate::core {

// Upper case, without blanks, hyphens and dots: what gates search for. `country` (ISO 3166-1) chooses the rule.
Outcome<std::string_view> normalize_vehicle_number(std::string_view text, std::string_view country, Memory memory);

} // namespace relygate::core
