// The raw request target (RFC 3986, 3.3 and 3.4): path and query are cut apart and routed as they were sent; what is
// percent-encoded is decoded afterwards, a segment or a member at a time, so that %2F is data and never a separator.
// Refused are bad escapes, NUL (PostgreSQL cannot store it, C would cut there) and what is not UTF-8 (RFC 3629).
#pragma once

#include "core/base/outcome.hpp"

#include <span>
#include <string_view>

namespace relygate::core {

struct Target {
    std::string_view path;
    std::string_view query; // without the question mark
};

// Cuts at the first question mark. Nothing is normalised: dot segments and double slashes stay and match no route.
[[nodiscard]] Target split_target(std::string_view raw) noexcept;

// Decodes one path segment; + is itself there. The view is of `raw` where nothing was escaped, else of `memory`.
Outcome<std::string_view> decode_segment(std::string_view raw, Memory memory);

struct QueryMember {
    std::string_view name;  // decoded; where it cannot be, as it was sent with ? for what is no ASCII
    std::string_view value; // decoded; empty where there is a trouble
    const char *code;       // null, or why the member is refused: `escape`, `nul`, `utf8`, `too_many`
    const char *message;
    bool is_repeated; // an earlier member has this name: an error, unless an array is asked for
};

// More members than this are one trouble of the last one: no list of ours takes as many, and bounds must be somewhere.
inline constexpr std::size_t kMaxQueryMembers = 200;

// Cuts at &, then at the first =; + is a blank. Empty pieces (a&&b) are left out, as every form parser does.
std::span<const QueryMember> parse_query(std::string_view raw, Memory memory);

} // namespace relygate::core
