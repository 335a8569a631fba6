// Which keys are taken, for which algorithms, what is said of the others, and which key a token means.
#include "core/token/jwk.hpp"
#include "unit/token/token_maker.hpp"

using namespace relygate;
using namespace relygate::test;
using core::Algorithm;

namespace {

// RFC 7515, A.3 (P-256) and RFC 8037, A.2.
const std::string kPoint =
    R"("kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0")";
const std::string kEdwards = R"("kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo")";

std::string secret_jwk(std::size_t size, const std::string &more = "") {
    return R"({"kty":"oct","k":")" + base64url(std::string(size, 's')) + '"' + more + '}';
}

std::string algorithms_of(const std::string &jwk) {
    core::KeySet set;
    std::vector<std::string> troubles;
    if (!set.add_jwks(jwk, troubles))
        return "none";
    std::string names;
    for (const auto &facts : core::algorithms()) {
        if (set.find(nullptr, facts.algorithm))
            names += (names.empty() ? "" : " ") + std::string(facts.name);
    }
    return names;
}

TEST(Jwk, DecidesTheAlgorithm) {
    static const TestKey rsa = make_test_key(Algorithm::rs256, "r");
    const struct {
        std::string jwk, algorithms;
    } kKeys[] = {
        {"{" + kPoint + "}", "ES256"},
        {"{" + kPoint + R"(,"alg":"ES256","use":"sig","key_ops":["verify"],"x5t":"ignored"})", "ES256"},
        {"{" + kPoint + R"(,"d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI","key_ops":["sign"]})", "ES256"},
        {"{" + make_test_key(Algorithm::es384, "").numbers() + "}", "ES384"},
        {"{" + kEdwards + "}", "EdDSA"},
        {"{" + kEdwards + R"(,"alg":"EdDSA"})", "EdDSA"},
        {"{" + rsa.numbers() + "}", "RS256 RS384 RS512 PS256"},
        {"{" + rsa.numbers() + R"(,"alg":"PS256"})", "PS256"},
        {"{" + rsa.numbers() + R"(,"alg":"RS512"})", "RS512"},
        {secret_jwk(32), "HS256"},
        {secret_jwk(47), "HS256"},
        {secret_jwk(48), "HS256 HS384"},
        {secret_jwk(64), "HS256 HS384 HS512"},
        {secret_jwk(64, R"(,"alg":"HS384")"), "HS384"},
    };
    for (const auto &[jwk, algorithms] : kKeys) {
        SCOPED_TRACE(jwk);
        EXPECT_EQ(algorithms_of(jwk), algorithms);
    }
}

TEST(Jwk, IsRefusedByName) {
    const TestKey small = make_test_key(Algorithm::rs256, "small", 1024);
    const TestKey rsa = make_test_key(Algorithm::rs256, "one");
    const std::string modulus = base64url(rsa.number(OSSL_PKEY_PARAM_RSA_N));
    const struct {
        std::string jwk, trouble;
    } kKeys[] = {
        {small.jwk(), R"(key "small": RSA of 1024 bits, at least 2048 are needed)"},
        {R"({"kty":"RSA","kid":"one","e":"AQ","n":")" + modulus + "\"}",
         R"(key "one": RSA with exponent 1: anyone can forge its signatures)"},
        {R"({"kty":"RSA","kid":"one","e":"AAAB","n":")" + modulus + "\"}",
         R"(key "one": RSA with exponent 1: anyone can forge its signatures)"},
        {R"({"kty":"RSA","kid":"even","e":"AQAA","n":")" + modulus + "\"}",
         R"(key "even": n and e are no sound RSA key)"},
        {R"({"kty":"RSA","e":"AQAB"})", "key number 1: n or e is not base64url"},
        {R"({"kid":"off","kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"})",
         R"(key "off": x and y are no point of the curve)"},
        {R"({"kty":"EC","crv":"P-256","x":"AA","y":"AA"})", "key number 1: x or y is not base64url of 32 bytes"},
        {R"({"kty":"EC","crv":"P-521","x":"AA","y":"AA"})", R"(key number 1: crv "P-521" is not supported)"},
        {R"({"kty":"EC","x":"AA","y":"AA"})", R"(key number 1: crv "" is not supported)"},
        {R"({"kty":"OKP","crv":"X25519","x":"AA"})", R"(key number 1: crv "X25519" is not supported)"},
        {R"({"kty":"OKP","crv":"Ed25519","x":"AA"})", "key number 1: x is not base64url of 32 bytes"},
        {"{" + kPoint + R"(,"alg":"ES384"})", R"(key number 1: alg "ES384" is not supported for this kind of key)"},
        {"{" + kPoint + R"(,"alg":"HS256"})", R"(key number 1: alg "HS256" is not supported for this kind of key)"},
        {"{" + kPoint + R"(,"alg":"none"})", R"(key number 1: alg "none" is not supported for this kind of key)"},
        {"{" + kPoint + R"(,"use":"enc"})", R"(key number 1: use is not "sig")"},
        {"{" + kPoint + R"(,"key_ops":["deriveKey"]})", R"(key number 1: key_ops does not have "verify")"},
        {"{" + kPoint + R"(,"kid":7})", "key number 1: kid is not a text"},
        {secret_jwk(31), "key number 1: secret of 31 bytes, at least 32 are needed"},
        {secret_jwk(63, R"(,"alg":"HS512")"), "key number 1: secret of 63 bytes, at least 64 are needed"},
        {R"({"kty":"oct","k":""})", "key number 1: k is not base64url"},
        {R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_="})", "key number 1: k is not base64url"},
        {R"({"kty":"DSA"})", R"(key number 1: kty "DSA" is not supported)"},
        {R"({"x":1})", "key number 1: kty is missing"},
        {R"({"kid":"a\u001b[31m"})", R"(key "a\u001b[31m": kty is missing)"},
    };
    for (const auto &[jwk, trouble] : kKeys) {
        SCOPED_TRACE(jwk);
        core::KeySet set;
        std::vector<std::string> troubles;
        const auto added = set.add_jwks(jwk, troubles);
        ASSERT_FALSE(added);
        EXPECT_STREQ(added.refusal().code, "key");
        ASSERT_EQ(troubles.size(), 1U);
        EXPECT_EQ(troubles[0], trouble);
        EXPECT_EQ(set.size(), 0U);
        // In a set it is passed over, and the others are good.
        std::string both = R"({"keys":[)";
        both.append(jwk).append(",{").append(kEdwards).append("}]}");
        EXPECT_EQ(set.add_jwks(both, troubles).value(), 1U);
        EXPECT_EQ(troubles.size(), 2U);
    }
}

TEST(Jwk, TextThatIsNoKeyIsRefused) {
    for (const char *text :
         {"", "[]", "null", "-----BEGIN PUBLIC KEY-----", R"({"keys":{}})", R"({"keys":[],"keys":[]})"}) {
        SCOPED_TRACE(text);
        core::KeySet set;
        std::vector<std::string> troubles;
        EXPECT_FALSE(set.add_jwks(text, troubles));
    }
    core::KeySet set;
    std::vector<std::string> troubles;
    EXPECT_EQ(set.add_jwks(R"({"keys":[]})", troubles).value(), 0U);
    EXPECT_EQ(set.add_jwks(R"({"keys":[1,null]})", troubles).value(), 0U);
    EXPECT_EQ(troubles.size(), 2U);
}

TEST(Secret, NeedsItsLength) {
    core::KeySet set;
    for (const std::size_t size : {0U, 1U, 31U})
        EXPECT_FALSE(set.add_secret(std::string(size, 'x')));
    ASSERT_TRUE(set.add_secret(std::string(32, 'x')));
    EXPECT_TRUE(set.find(nullptr, Algorithm::hs256));
    EXPECT_FALSE(set.find(nullptr, Algorithm::hs384));
}

TEST(KeySet, FindsTheKeyThatIsMeant) {
    core::KeySet set;
    std::vector<std::string> troubles;
    const std::string named = "{" + kPoint + R"(,"kid":"a"})";
    const std::string second = "{" + make_test_key(Algorithm::es256, "").numbers() + R"(,"kid":"b"})";
    ASSERT_TRUE(set.add_jwks("{\"keys\":[" + named + ",{" + kEdwards + R"(,"kid":"e"}]})", troubles));
    const auto reason = [&](const char *kid, Algorithm algorithm) {
        const std::string_view name = kid ? kid : "";
        const auto found = set.find(kid ? &name : nullptr, algorithm);
        return std::string(found ? "found " + found.value()->kid : found.refusal().code);
    };
    EXPECT_EQ(reason("a", Algorithm::es256), "found a");
    EXPECT_EQ(reason("a", Algorithm::hs256), "algorithm");
    EXPECT_EQ(reason("a", Algorithm::eddsa), "algorithm");
    EXPECT_EQ(reason("x", Algorithm::es256), "key");
    EXPECT_EQ(reason("", Algorithm::es256), "key");
    EXPECT_EQ(reason(nullptr, Algorithm::es256), "found a"); // the only one
    EXPECT_EQ(reason(nullptr, Algorithm::rs256), "key");
    ASSERT_TRUE(set.add_jwks(second, troubles));
    EXPECT_EQ(reason(nullptr, Algorithm::es256), "key"); // two fit
    EXPECT_EQ(reason("b", Algorithm::es256), "found b");
    ASSERT_TRUE(set.add_secret(std::string(64, 's')));
    EXPECT_EQ(reason(nullptr, Algorithm::hs512), "found ");
    EXPECT_EQ(reason("x", Algorithm::hs256), "found "); // a key without name answers to names that no other has
    EXPECT_EQ(reason("x", Algorithm::es256), "key");
    EXPECT_FALSE(set.add_jwks(second, troubles)); // the kid is taken
    EXPECT_EQ(troubles.back(), R"(key "b": another key has this kid)");
}

TEST(KeySet, OfOneKeyBlamesTheAlgorithm) {
    core::KeySet set;
    std::vector<std::string> troubles;
    ASSERT_TRUE(set.add_jwks("{" + kPoint + "}", troubles));
    EXPECT_STREQ(set.find(nullptr, Algorithm::hs256).refusal().code, "algorithm");
    const std::string_view kid = "x";
    EXPECT_TRUE(set.find(&kid, Algorithm::es256));
}

} // namespace
