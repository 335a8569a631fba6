// base64url without padding (RFC 4648, 5; RFC 7515, 2). Decoding is strict: only the alphabet, no padding, no blanks,
// and the unused bits of the last character must be zero. So a text has exactly one spelling, and what is remembered by
// its text (a token cache, a revocation list) cannot be passed by with another spelling of the same bytes.
#pragma once

#include "core/base/outcome.hpp"

#include <optional>
#include <string_view>

namespace relygate::core {

// Bytes are held in a string_view, as everywhere in core. The results live in `memory`.
std::string_view encode_base64url(std::string_view bytes, Memory memory);
std::optional<std::string_view> decode_base64url(std::string_view text, Memory memory);

} // namespace relygate::core
