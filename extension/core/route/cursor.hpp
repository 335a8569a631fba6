// Where a list goes on: the sort order and the key of the last row, as base64url. The seal ties it to its list, so a
// cursor of another list, or one that somebody made up, is refused instead of misread. It hides nothing and needs no
// secret: whoever forges one sees only what the list shows anyway.
#pragma once

#include "core/base/outcome.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace relygate::core {

struct Cursor {
    std::string_view sort;
    std::span<const std::string_view> key; // never empty: it ends in the row's id
};

inline constexpr Refusal kNoCursor{.status = 400, .code = "invalid", .message = "is no cursor of this list"};

std::string_view make_cursor(std::uint32_t seal, std::string_view sort, std::span<const std::string_view> key,
                             Memory memory);
// Whether the parts can be a key: the last is a UUID, none is longer than a name can be. A sort by time (its word ends
// in "At") has one part before the id, an instant or nothing: "now" and "infinity", which PostgreSQL would take, are
// none.
Outcome<Cursor> parse_cursor(std::string_view text, std::uint32_t seal, Memory memory);

} // namespace relygate::core
