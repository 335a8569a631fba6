// Values of environment variables: numbers with units, yes and no, lists. The operations guide writes 15 (minutes),
// 30000 (milliseconds), 30s, 8h, 10mb and 25MB for what are all times and sizes, so a suffix is taken everywhere and
// what a bare number means is said where the variable is described.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace relygate::shim {

// Digits only, no sign, no blank; nothing where it is another thing or does not fit.
std::optional<std::int64_t> parse_count(std::string_view text);

// Milliseconds. Suffixes ms, s, m, min, h, d; `bare_ms` is what a number without suffix is worth.
std::optional<std::int64_t> parse_duration_ms(std::string_view text, std::int64_t bare_ms);

// Bytes. Suffixes b, k, kb, m, mb, g, gb in either case, each 1024 of the one before, as Express and nginx count.
std::optional<std::int64_t> parse_size(std::string_view text);

// true, yes, on, 1 and false, no, off, 0, in either case.
std::optional<bool> parse_boolean(std::string_view text);

// Cut at commas, blanks around each piece removed, empty pieces left out.
std::vector<std::string> parse_list(std::string_view text);

std::string_view trim(std::string_view text);
bool equal_ignoring_case(std::string_view left, std::string_view right); // ASCII

} // namespace relygate::shim
