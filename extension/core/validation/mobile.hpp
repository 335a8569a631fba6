// Mobile numbers: as people write them in, E.164 out (+ and 8 to 15 digits). One person must come out as one value,
// whatever the spelling, since uniqueness, search, watchlist and one-time codes all compare it.
#pragma once

#include <string_view>

#include "core/base/outcome.hpp"

namespace relygate::core {

// `country` (ISO 3166-1) says what a number without + or 00 means; empty: only international numbers are understood.
Outcome<std::string_view> normalize_mobile(std::string_view text, std::string_view country, Memory memory);

// Could this be a number in some country? For CHECKs, which do not know the tenant and run before the trigger that
// does.
bool looks_like_mobile(std::string_view text);

} // namespace relygate::core
