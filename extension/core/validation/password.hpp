// New passwords: long enough, of four kinds of characters, not the user name and none of the commonest. A password is
// never changed by a rule and never repeated in a message.
#pragma once

#include <cstddef>
#include <string_view>

#include "core/base/outcome.hpp"

namespace relygate::core {

inline constexpr std::size_t kFewestPasswordCharacters = 8; // a tenant can ask for more
inline constexpr std::size_t kMostPasswordBytes = 1024;     // hashing time must not be the caller's choice

// `user_name` may be empty where it is not known yet.
Outcome<std::string_view> check_password(std::string_view password, std::string_view user_name,
                                         std::size_t fewest_characters = kFewestPasswordCharacters);

} // namespace relygate::core
