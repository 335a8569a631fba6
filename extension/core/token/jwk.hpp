// Keys for tokens (RFC 7517, 7518, 8037). A key decides which algorithms it may be used with; a token can only name one
// of them (RFC 8725, 3.1):
//   - a JWK with `alg`: that one;
//   - without: what kty and crv allow. EC P-256 ES256, P-384 ES384, Ed25519 EdDSA; oct HS256, HS384, HS512, as far as
//   its length
//     reaches (32, 48, 64 bytes: RFC 7518, 3.2); RSA RS256, RS384, RS512 and PS256. So a public key never becomes an
//     HMAC secret. To narrow an RSA key, publish it with `alg`.
// Never used, and told by name: RSA below 2048 bits or with exponent 1, points off their curve, short secrets, keys
// that are not for signatures.
#pragma once

#include "core/base/outcome.hpp"
#include "core/token/algorithm.hpp"
#include "core/token/crypto.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace relygate::core {

struct Key {
    std::string kid; // empty: none
    Pkey pkey;       // null: an HMAC secret
    std::string secret;
    std::uint32_t algorithms = 0; // a bit each

    bool fits(Algorithm algorithm) const { return algorithms >> static_cast<unsigned>(algorithm) & 1U; }
};

// The keys that a token may be signed with. It owns them and may be read by several threads; it does not change while
// it is used: new keys come as a new set.
class KeySet {
  public:
    // Adds a JWK Set or a single JWK; the number of keys that were taken. As RFC 7517, 5 asks, a key of a set that
    // cannot be used is passed over, with a line for the operator in `troubles` ("key \"a\": RSA of 1024 bits, at least
    // 2048 are needed"). Refused (code `key`) is text that is no JWK Set or JWK, and a single JWK that cannot be used.
    Outcome<std::size_t> add_jwks(std::string_view text, std::vector<std::string> &troubles);
    // Adds a secret for HS256, HS384 and HS512, as far as its length reaches. Shorter than 32 bytes: refused.
    Outcome<std::size_t> add_secret(std::string_view secret);

    // The key that a token means by kid (null: it names none) and algorithm. A key without kid answers to every name
    // that no other key has. Refused with the reasons `key` (unknown kid; none or several keys that may be meant) and
    // `algorithm` (the key that is meant is for another one).
    Outcome<const Key *> find(const std::string_view *kid, Algorithm algorithm) const;

    std::size_t size() const { return keys_.size(); }

  private:
    std::vector<Key> keys_;
};

} // namespace relygate::core
