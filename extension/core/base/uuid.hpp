// UUIDs (RFC 9562): the text form, and version 7 whose first 48 bits are the time, so that keys grow with time and an
// index is written at its end. Neither clock nor random source is here: the caller hands both in.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace relygate::core {

using Uuid = std::array<std::uint8_t, 16>;
using UuidText = std::array<char, 36>;

// The canonical form only: 8-4-4-4-12 hexadecimal digits of either case. No braces, no other grouping.
std::optional<Uuid> parse_uuid(std::string_view text);
UuidText print_uuid(const Uuid &uuid);
inline std::string_view view(const UuidText &text) {
    return {text.data(), text.size()};
}

// The version 7 UUID of a millisecond since 1970. `sub_ms` (0 to 4095) are the 12 bits after it: a fraction of the
// millisecond, or a counter, that keeps ids of one millisecond in order (RFC 9562, 6.2). `random` fills the rest.
Uuid make_uuid_v7(std::uint64_t unix_ms, std::uint16_t sub_ms, std::span<const std::uint8_t, 8> random);

} // namespace relygate::core
