// Names for programs and for logging in: ASCII only, so that nobody can register a look-alike.
#pragma once

#include <string_view>

#include "core/base/outcome.hpp"

namespace relygate::core {

Outcome<std::string_view> normalize_user_name(std::string_view text, Memory memory); // 3 to 50 of A-Z a-z 0-9 _ . -
Outcome<std::string_view> normalize_code(std::string_view text, Memory memory); // 2 to 50 of A-Z 0-9 _, in upper case

} // namespace relygate::core
