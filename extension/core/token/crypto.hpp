// What tokens need of OpenSSL, behind views: keys from their numbers, checking and making signatures. Signatures here
// are those of JWS: of ECDSA r and s side by side (RFC 7518, 3.4), never DER.
#pragma once

#include "core/base/outcome.hpp"
#include "core/token/algorithm.hpp"

#include <memory>
#include <string_view>

using EVP_PKEY = struct evp_pkey_st;

namespace relygate::core {

struct FreePkey {
    void operator()(EVP_PKEY *pkey) const;
};
using Pkey = std::unique_ptr<EVP_PKEY, FreePkey>;

// Public keys; null where the numbers are no key. Numbers are big-endian.
Pkey load_rsa(std::string_view modulus, std::string_view exponent);
Pkey load_ec(std::string_view curve, std::string_view x, std::string_view y, std::string_view private_number = {});
Pkey load_ed25519(std::string_view public_bytes);
Pkey load_ed25519_private(std::string_view private_bytes);

// OpenSSL loads RSA keys with exponent 1, under which anyone can forge; this finds it, and points off their curve.
bool is_sound(EVP_PKEY &pkey);
int bits_of(EVP_PKEY &pkey);

bool verify(EVP_PKEY &pkey, Algorithm algorithm, std::string_view message, std::string_view signature);
bool verify_hmac(std::string_view secret, Algorithm algorithm, std::string_view message, std::string_view signature);

// Empty where OpenSSL fails. ES256, ES384 and EdDSA.
std::string_view sign(EVP_PKEY &pkey, Algorithm algorithm, std::string_view message, Memory memory);

// The numbers of a new key, each of `size` bytes; the public ones x and, for EC, y.
struct KeyNumbers {
    std::string_view x, y, private_number;
};
KeyNumbers make_key_numbers(Algorithm algorithm, Memory memory); // ES256, ES384, EdDSA; empty where OpenSSL fails

std::string_view sha256(std::string_view bytes, Memory memory);

} // namespace relygate::core
