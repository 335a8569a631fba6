// Keys that the product makes, and what it signs with them.
#include "core/json/reader.hpp"
#include "core/token/claims.hpp"
#include "core/token/key_pair.hpp"
#include "unit/token/token_maker.hpp"

#include <set>

using namespace relygate;
using namespace relygate::test;

namespace {

TEST(KeyPair, SignsWhatItsPublicHalfVerifies) {
    for (const char *algorithm : {"ES256", "EdDSA"}) {
        SCOPED_TRACE(algorithm);
        std::set<std::string> seen;
        for (int i = 0; i < 20; ++i) {
            std::pmr::monotonic_buffer_resource memory;
            const auto made = core::make_key(algorithm, memory);
            ASSERT_TRUE(made);
            const auto published = core::public_jwk(made.value(), memory);
            ASSERT_TRUE(published);
            EXPECT_EQ(published.value().find("\"d\""), std::string_view::npos);
            const auto jwk = core::read_json_object(published.value(), memory).value;
            const std::string kid(jwk.find("kid")->text);
            EXPECT_TRUE(seen.insert(kid).second);
            EXPECT_EQ(jwk.find("alg")->text, algorithm);
            EXPECT_EQ(jwk.find("use")->text, "sig");

            core::KeySet keys;
            std::vector<std::string> troubles;
            ASSERT_TRUE(keys.add_jwks(published.value(), troubles));
            const auto token = core::sign_token(made.value(), R"({"exp":1})", memory);
            ASSERT_TRUE(token) << token.refusal().message;
            const auto verified = core::verify_signature(token.value(), keys, memory);
            ASSERT_TRUE(verified) << verified.refusal().message;
            EXPECT_EQ(verified.value().payload, R"({"exp":1})");
            EXPECT_EQ(verified.value().type, "JWT");
            EXPECT_EQ(verified.value().kid, kid);
            const auto other = core::sign_token(made.value(), "{}", memory, "refresh+jwt");
            EXPECT_EQ(core::verify_signature(other.value(), keys, memory).value().type, "refresh+jwt");
        }
    }
}

TEST(KeyPair, SignsTheExampleOfRfc8037) {
    std::pmr::monotonic_buffer_resource memory;
    const std::string_view jwk =
        R"({"kty":"OKP","crv":"Ed25519","d":"nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})";
    const core::Refusal *trouble = nullptr;
    const core::SigningKey key = core::read_signing_key(jwk, memory, trouble);
    ASSERT_TRUE(key.pkey);
    EXPECT_EQ(base64url(core::sign(*key.pkey, key.algorithm, "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc",
                                   memory)),
              "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg");
    // A.3 has the thumbprint of this key.
    EXPECT_EQ(base64url(core::sha256(
                  R"({"crv":"Ed25519","kty":"OKP","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})", memory)),
              "kPrK_qmxVWaYVA9wwBF6Iuo3vVzz7TxHCTwXBygrS4k");
}

TEST(KeyPair, RefusesTheRest) {
    std::pmr::monotonic_buffer_resource memory;
    for (const char *algorithm : {"", "none", "HS256", "RS256", "ES384", "es256"})
        EXPECT_FALSE(core::make_key(algorithm, memory)) << algorithm;
    const auto made = core::make_key("ES256", memory).value();
    EXPECT_FALSE(core::public_jwk(R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr"})", memory));
    EXPECT_FALSE(core::public_jwk("", memory));
    EXPECT_FALSE(core::sign_token(core::public_jwk(made, memory).value(), "{}", memory));
    EXPECT_FALSE(core::sign_token("{}", "{}", memory));
    EXPECT_FALSE(core::sign_token("", "{}", memory));
    for (const char *claims : {"", "[]", "{", R"({"a":1,"a":2})"})
        EXPECT_FALSE(core::sign_token(made, claims, memory)) << claims;
    // A secret must not come out in the words of a refusal.
    std::string broken(made);
    broken.replace(broken.find("P-256"), 5, "P-257");
    const auto refused = core::sign_token(broken, "{}", memory);
    ASSERT_FALSE(refused);
    EXPECT_STREQ(refused.refusal().detail, "");
}

} // namespace
