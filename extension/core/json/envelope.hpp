// The error envelope of the API (api.md), written by the dispatcher and, for what never reached it, by the shim: the
// same members in the same order, so that a client cannot tell who answered.
#pragma once

#include "core/base/outcome.hpp"

#include <span>
#include <string_view>

namespace relygate::core {

// One wrong member of a request. `field` is its path (visitor.mobile, units[2]), `code` a stable word (required, type,
// invalid, range, duplicate, unknown ...), `message` one line for people.
struct FieldError {
    std::string_view field;
    std::string_view code;
    std::string_view message;
};

struct ErrorEnvelope {
    std::string_view message;
    std::string_view code;
    std::span<const FieldError> errors;
    std::string_view data; // JSON text; empty: the member is left out
    std::string_view request_id;
};

// The JSON text, in `memory`. Bytes that are not UTF-8 come out as U+FFFD: an answer is always valid JSON.
std::string_view write_envelope(const ErrorEnvelope &envelope, Memory memory);

} // namespace relygate::core
