// The signature algorithms that tokens may have (RFC 7518, 3.1; RFC 8037): one table, asked by keys, tokens and tests.
// `none` is not among them. Names are compared exactly: no list of spellings to forget one in.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace relygate::core {

enum class Algorithm : std::uint8_t { hs256, hs384, hs512, rs256, rs384, rs512, ps256, es256, es384, eddsa };

struct AlgorithmFacts {
    Algorithm algorithm;
    std::string_view name;
    std::string_view key_type; // kty
    std::string_view curve;    // crv; empty: the key has none
    const char *digest;        // OpenSSL's name; null: part of the algorithm
    std::size_t size; // oct: bytes that the secret needs; EC, OKP: bytes of a signature; RSA: 0, as long as the modulus
};

std::span<const AlgorithmFacts> algorithms();
const AlgorithmFacts &facts_of(Algorithm algorithm);
std::optional<Algorithm> find_algorithm(std::string_view name);
inline std::string_view name_of(Algorithm algorithm) {
    return facts_of(algorithm).name;
}

} // namespace relygate::core
