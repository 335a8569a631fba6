// What libmicrohttpd 0.9.75 lets through and a strict server must refuse (RFC 9110, RFC 9112). The library takes two
// lengths, any transfer coding, folded lines, NUL inside values, any method and no Host; whoever stands in front of us
// may read the same bytes another way, and then one request becomes two. So what is not plainly right is refused, and
// the connection closed. Nothing here knows the library: a head comes in as views.
#pragma once

#include "core/base/outcome.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace relygate::shim {

struct HeaderField {
    std::string_view name;
    std::string_view value;
};

struct RawHead {
    std::string_view method;
    std::string_view target; // as it was sent
    std::string_view version;
    std::span<const HeaderField> fields;
    // Not 0: the views lie where the bytes came in, `method` first, and the head has so many bytes; see is_whole.
    std::size_t size_in_place = 0;
};

// The fields that the shim looks at; a view with null data stands for an absent one.
struct HeadFacts {
    std::string_view authorization;
    std::string_view content_type;
    std::string_view content_encoding;
    std::string_view origin;
    std::string_view request_method; // of a CORS preflight
    std::string_view request_id;
    std::string_view idempotency_key;
    std::string_view if_none_match;
    std::optional<std::int64_t> content_length;
    bool is_chunked = false;
    bool expects_continue = false; // the client waits before it sends the body

    [[nodiscard]] bool has_body() const { return is_chunked || content_length.value_or(0) > 0; }
};

struct HeadCheck {
    HeadFacts facts;                      // filled also where the head is refused: the answer needs origin and id
    std::optional<core::Refusal> refusal; // a syntax error: the connection must be closed
};

HeadCheck check_head(const RawHead &head);

// True where method, target and version stand one blank apart and each line of the head begins right behind the CR LF
// of the one before. libmicrohttpd 0.9.75 parses in
// place and puts NUL where the colon and the line ends were; a folded value was copied elsewhere, a value or
// target cut at a NUL or a line that ended with a bare CR or LF leaves another gap. None of them can be seen in the
// values themselves.
bool is_whole(const RawHead &head);

// The bytes of a connection's memory that libmicrohttpd needs to hold a head of `size` bytes: where it came in, an
// entry for each header, argument and cookie, and a copy of the cookies. What is left over must hold the answer's head.
std::size_t memory_taken(const RawHead &head, std::size_t size);

// Arguments in a target; each costs the library an entry before anybody is asked whether the target is acceptable.
std::size_t count_arguments(std::string_view target);

// The methods that exist here; anything else, other spellings too, is answered 501.
bool is_known_method(std::string_view method);

// One path segment's worth of trust: "/" first, visible ASCII only, whole percent escapes, no NUL, no fragment.
std::optional<core::Refusal> check_path(std::string_view path);

// JSON in UTF-8, not compressed, is what the routes take: 415 otherwise.
std::optional<core::Refusal> check_body_type(const HeadFacts &facts);

// What may stand in logs and in the database as a request's id; a bad one is replaced, never quoted.
bool is_request_id(std::string_view text);

} // namespace relygate::shim
