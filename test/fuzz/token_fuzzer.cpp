// Signed tokens and key sets. The input is a token, a line end, a JWK set; the token is verified with fixed keys, with
// those of the input, and its claims are judged. No private key of the fixed ones is in the input, so no token of
// theirs verifies.
#include "fuzzing.hpp"

#include "core/token/claims.hpp"
#include "core/token/jwk.hpp"
#include "core/token/jws.hpp"

#include <string>
#include <vector>

using namespace relygate;

namespace {

// Of RFC 7517, appendix A.1, and RFC 8037, appendix A.2: public keys whose tokens nobody makes here.
constexpr std::string_view kPublished =
    R"({"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",)"
    R"("y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","kid":"1"},)"
    R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo","kid":"2"}]})";

const core::KeySet &published() {
    static const auto *keys = [] {
        auto *made = new core::KeySet;
        std::vector<std::string> troubles;
        const auto added = made->add_jwks(kPublished, troubles);
        fuzz::require(added && added.value() == 2, "the fixed keys are good");
        return made;
    }();
    return *keys;
}

} // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    auto rest = fuzz::text_of(data, size);
    const auto token = fuzz::next_line(rest);
    std::pmr::monotonic_buffer_resource memory;
    (void)core::unverified_payload(token, memory);
    fuzz::require(!core::verify_token(token, published(), {.issuer = "x", .audience = "y"}, 1'700'000'000, memory),
                  "nobody signs with keys that he does not have");
    core::KeySet keys;
    std::vector<std::string> troubles;
    const auto added = keys.add_jwks(rest, troubles);
    fuzz::require(keys.size() == (added ? added.value() : 0), "the number of keys is told");
    (void)core::verify_token(token, keys, {}, 1'700'000'000, memory);
    // Claims by themselves: a payload that was signed may hold anything.
    core::SignedToken signed_token;
    signed_token.payload = token;
    if (const auto claims = core::check_claims(signed_token, {.leeway_seconds = 30}, 1'700'000'000, memory))
        fuzz::require(claims.value().expires_at + 30 >= 1'700'000'000, "what is expired is refused");
    return 0;
}
