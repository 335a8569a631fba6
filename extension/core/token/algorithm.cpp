// See algorithm.hpp.
#include "core/token/algorithm.hpp"

#include <array>

namespace relygate::core {
namespace {

constexpr std::array<AlgorithmFacts, 10> kAlgorithms{{
    {Algorithm::hs256, "HS256", "oct", "", "SHA256", 32},
    {Algorithm::hs384, "HS384", "oct", "", "SHA384", 48},
    {Algorithm::hs512, "HS512", "oct", "", "SHA512", 64},
    {Algorithm::rs256, "RS256", "RSA", "", "SHA256", 0},
    {Algorithm::rs384, "RS384", "RSA", "", "SHA384", 0},
    {Algorithm::rs512, "RS512", "RSA", "", "SHA512", 0},
    {Algorithm::ps256, "PS256", "RSA", "", "SHA256", 0},
    {Algorithm::es256, "ES256", "EC", "P-256", "SHA256", 64},
    {Algorithm::es384, "ES384", "EC", "P-384", "SHA384", 96},
    {Algorithm::eddsa, "EdDSA", "OKP", "Ed25519", nullptr, 64},
}};

constexpr bool stand_in_the_order_of_the_enum() {
    for (std::size_t i = 0; i < kAlgorithms.size(); ++i) {
        if (static_cast<std::size_t>(kAlgorithms[i].algorithm) != i)
            return false;
    }
    return true;
}
static_assert(stand_in_the_order_of_the_enum());

} // namespace

std::span<const AlgorithmFacts> algorithms() {
    return kAlgorithms;
}

const AlgorithmFacts &facts_of(Algorithm algorithm) {
    return kAlgorithms[static_cast<std::size_t>(algorithm)];
}

std::optional<Algorithm> find_algorithm(std::string_view name) {
    for (const AlgorithmFacts &facts : kAlgorithms) {
        if (facts.name == name)
            return facts.algorithm;
    }
    return std::nullopt;
}

} // namespace relygate::core
