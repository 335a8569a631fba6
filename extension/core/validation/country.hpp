// Countries: which codes there are and how telephones are dialled there.
#pragma once

#include <span>
#include <string_view>

#include "core/base/outcome.hpp"

namespace relygate::core {

struct Country {
    std::string_view code; // ISO 3166-1 alpha-2
    int calling_code;
    std::string_view trunk_prefixes; // separated by bars, empty where nothing is dialled before a national number
};

const Country *find_country(std::string_view code); // null: no such country
std::span<const Country> countries();

Outcome<std::string_view> normalize_country(std::string_view text, Memory memory);

} // namespace relygate::core
