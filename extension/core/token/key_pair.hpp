// Key pairs that the product signs with, as private JWKs (RFC 7517): made, read for signing, and without their private
// part for everybody. ES256 and EdDSA only.
#pragma once

#include "core/base/outcome.hpp"
#include "core/token/crypto.hpp"

#include <string_view>

namespace relygate::core {

// A new private key with alg, use and kid (its thumbprint: RFC 7638).
Outcome<std::string_view> make_key(std::string_view algorithm, Memory memory);
// The same key for everybody: only what is known to be public is copied.
Outcome<std::string_view> public_jwk(std::string_view private_jwk, Memory memory);

// A private key for one signature. It owns the key: not for a frame that PostgreSQL leaves by longjmp.
struct SigningKey {
    Pkey pkey;
    Algorithm algorithm = Algorithm::es256;
    std::string_view kid; // in the memory that was given
};
// A null pkey, and why in `trouble`, where the text is no such key.
SigningKey read_signing_key(std::string_view private_jwk, Memory memory, const Refusal *&trouble);

} // namespace relygate::core
