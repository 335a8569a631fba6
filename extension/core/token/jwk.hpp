// Keys for tokens (RFC 7517, 7518, 8037). A key decides which algorithms it may be used with; a token can only name one of
// them (RFC 8725, 3.1):
//   - a JWK with `alg`: that one;
//   - without: what kty and crv allow. EC P-256 ES256, P-384 ES384, Ed25519 EdDSA; oct HS256, HS384, HS512, as far as its length
//     reaches (32, 48, 64 bytes: RFC 7518, 3.2); RSA RS256, RS384, RS512 and PS256. So a public key never becomes an HMAC
//     secret. To narrow an RSA key, publish it with `alg`.
// Never used, and told by name: RSA below 2048 bits or with exponent 1, points off their curve, short secrets, keys that are
// not for signatures.
#pragma once

#include "core/base/outcome.hpp"

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

using EVP_PKEY = struct evp_pkey_st;

namespace relygate::core {

enum class Algorithm : std::uint8_t { hs256, hs384, hs512, rs256, rs384, rs512, ps256, es256, es384, eddsa };

std::optional<Algorithm> find_algorithm(std::string_view name); // exact spelling
std::string_view name_of(Algorithm algorithm);

struct FreePkey {
    void operator()(EVP_PKEY *pkey) const;
};

class Key {
  public:
    std::string kid; // empty: it has none
    std::unique_ptr<EVP_PKEY, FreePkey> pkey; // null for an HMAC secret
    std::string secret;
    std::uint32_t algorithms = 0; // a bit each

    bool fits(Algorithm algorithm) const { return algorithms >> static_cast<unsigned>(algorithm) & 1U; }
};

// The keys that a token may be signed with. It owns them and may be read by several threads; it does not change while it is
// used: new keys come as a new set.
class KeySet {
  public:
    // Adds a JWK Set or a single JWK; the number of keys that were taken. As RFC 7517, 5 asks, a key of a set that cannot be
    // used is passed over, with a line for the operator in `troubles` ("key \"a\": RSA of 1024 bits, at least 2048 are needed").
    // Refused (code `key`) is text that is no JWK Set or JWK, and a single JWK that cannot be used.
    Outcome<std::size_t> add_jwks(std::string_view text, std::vector<std::string> &troubles);
    // Adds a secret for HS256, HS384 and HS512, as far as its length reaches. Shorter than 32 bytes: refused.
    Outcome<std::size_t> add_secret(std::string_view secret);

    // What the header of a token says about its key: kid (null: none) and algorithm. Refused with the reasons `key` (unknown
    // kid; no kid and not exactly one key that fits) and `algorithm` (the key is for another one).
    Outcome<const Key *> find(const std::string_view *kid, Algorithm algorithm) const;

    std::size_t size() const { return keys_.size(); }

  private:
    std::vector<Key> keys_;
};

// A new private key as JWK with alg, use and kid (its RFC 7638 thumbprint). ES256 and EdDSA only: what the product signs with.
Outcome<std::string_view> make_key(std::string_view algorithm, Memory memory);
// The same JWK without its private part.
Outcome<std::string_view> public_jwk(std::string_view private_jwk, Memory memory);

} // namespace relygate::core
