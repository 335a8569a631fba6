// Time zones by name.
#pragma once

#include <string_view>

#include "core/base/outcome.hpp"

namespace relygate::core {

bool is_time_zone(std::string_view name);
// The name as the database writes it, whatever its case was.
Outcome<std::string_view> normalize_time_zone(std::string_view text, Memory memory);

} // namespace relygate::core
