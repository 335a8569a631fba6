// JWS in compact form (RFC 7515) under the rules of RFC 8725: the key decides the algorithm, `crit` and `b64` are
// refused, jwk, jku, x5u and x5c are not looked at, size and spelling are checked before any cryptography.
//
// Refusals have status 401; their code is the reason: size, format, header, algorithm, key, signature; then those of
// claims.hpp.
#pragma once

#include "core/base/outcome.hpp"
#include "core/token/jwk.hpp"

#include <string_view>

namespace relygate::core {

inline constexpr std::size_t kMaxTokenSize = 8192;

// A token whose signature holds. Views in `memory`.
struct SignedToken {
    std::string_view payload; // any bytes
    std::string_view type;    // `typ` of the header
    bool has_type = false;
    Algorithm algorithm = Algorithm::es256;
    std::string_view kid; // of the key; empty: it has none
};

Outcome<SignedToken> verify_signature(std::string_view token, const KeySet &keys, Memory memory);

// The payload of something that has the form of a token, to be shown to an operator. It proves nothing.
std::string_view unverified_payload(std::string_view token, Memory memory);

// A token of these claims (JSON text of an object) by a private JWK for ES256 or EdDSA, with its kid in the header.
Outcome<std::string_view> sign_token(std::string_view private_jwk, std::string_view claims, Memory memory,
                                     std::string_view type = "JWT");

} // namespace relygate::core
