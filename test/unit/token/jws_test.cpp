// Signatures: the examples of the RFCs, every algorithm forwards, and that nothing else verifies.
#include "core/token/jws.hpp"
#include "unit/token/token_maker.hpp"

#include <openssl/err.h>
#include <random>

using namespace relygate;
using namespace relygate::test;
using core::Algorithm;

namespace {

std::string reason(std::string_view token, const core::KeySet &keys) {
    std::pmr::monotonic_buffer_resource memory;
    const auto result = core::verify_signature(token, keys, memory);
    EXPECT_EQ(ERR_peek_error(), 0U) << "an error left behind is blamed on the next TLS connection";
    return result ? "valid" : result.refusal().code;
}

core::KeySet set_of(const std::string &jwk) {
    core::KeySet keys;
    std::vector<std::string> troubles;
    EXPECT_TRUE(keys.add_jwks(jwk, troubles));
    EXPECT_TRUE(troubles.empty()) << troubles[0];
    return keys;
}

struct Example {
    const char *source;
    std::string jwk;
    std::string token;
};

const std::string kJoe =
    "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const std::string kFrodo =
    "SXTigJlzIGEgZGFuZ2Vyb3VzIGJ1c2luZXNzLCBGcm9kbywgZ29pbmcgb3V0IHlvdXIgZG9vci4gWW91IHN0ZXAgb250byB0aGUgcm9h"
    "ZCwgYW5kIGlmIHlvdSBkb24ndCBrZWVwIHlvdXIgZmVldCwgdGhlcmXigJlzIG5vIGtub3dpbmcgd2hlcmUgeW91IG1pZ2h0IGJlIHN3"
    "ZXB0IG9mZiB0by4";

const Example kExamples[] = {
    {"RFC 7515, A.1: HS256",
     R"({"kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"})",
     "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9." + kJoe + ".dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"},
    {"RFC 7515, A.2: RS256",
     R"({"kty":"RSA","e":"AQAB","n":"ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4Ql)"
     "L-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-"
     "UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs"
     "91kzk2PAcDTW9gb54h4FRWyuXpoQ\"}",
     "eyJhbGciOiJSUzI1NiJ9." + kJoe +
         ".cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9C"
         "UAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_"
         "dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0i"
         "gcN_IoypGlUPQGe77Rw"},
    {"RFC 7515, A.3: ES256",
     R"({"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"})",
     "eyJhbGciOiJFUzI1NiJ9." + kJoe +
         ".DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"},
    {"RFC 8037, A.4: EdDSA", R"({"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"})",
     "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc."
     "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg"},
    {"RFC 7520, 4.1: RS256",
     R"({"kty":"RSA","kid":"bilbo.baggins@hobbiton.example","use":"sig","e":"AQAB","n":"n4EPtAOCc9AlkeQHPzHStgAbgs7bTZLwUBZdR8_KuKPEHLd4rHVT)"
     "eT-O-XV2jRojdNhxJWTDvNd7nqQ0VEiZQHz_AJmSCpMaJMRBSFKrKb2wqVwGU_NsYOYL-QtiWN2lbzcEe6XC0dApr5ydQLrHqkHHig3RBord"
     "aZ6Aj-oBHqFEHYpPe7Tpe-OfVfHd1E6cS6M1FZcD1NNLYD5lFHpPI9bTwJlsde3uhGqC0ZCuEHg8lhzwOHrtIQbS0FVbb9k3-tVTU4fg_3L_"
     "vniUFAKwuCLqKnS2BYwdq_mzSnbLY7h_qixoR7jig3__kRhuaxwUkRz5iaiQkqgc5gHdrNP5zw\"}",
     "eyJhbGciOiJSUzI1NiIsImtpZCI6ImJpbGJvLmJhZ2dpbnNAaG9iYml0b24uZXhhbXBsZSJ9." + kFrodo +
         ".MRjdkly7_-oTPTS3AXP41iQIGKa80A0ZmTuV5MEaHoxnW2e5CZ5NlKtainoFmKZopdHM1O2U4mwzJdQx996ivp83xuglII7PNDi84wnB-BD"
         "koBwA78185hX-Es4JIwmDLJK3lfWRa-XtL0RnltuYv746iYTh_qHRD68BNt1uSNCrUCTJDt5aAE6x8wW1Kt9eRo4QPocSadnHXFxnt8Is9Uz"
         "pERV0ePPQdLuW3IS_de3xyIrDaLGdjluPxUAhb6L2aXic1U12podGU0KLUQSE_oI-ZnmKJ3F4uOZDnd6QZWJushZ41Axf_fcIe8u9ipH84og"
         "oree7vjbU5y18kDquDg"},
    {"RFC 7520, 4.4: HS256",
     R"({"kty":"oct","kid":"018c0ae5-4d9b-471b-bfd6-eef314bc7037","use":"sig","alg":"HS256","k":"hJtXIZ2uSN5kbQfbtTNWbpdmhkV8FJG-Onbc6mxCcYg"})",
     "eyJhbGciOiJIUzI1NiIsImtpZCI6IjAxOGMwYWU1LTRkOWItNDcxYi1iZmQ2LWVlZjMxNGJjNzAzNyJ9." + kFrodo +
         ".s0h6KThzkfBBBkLspW1h84VsJZFTsPPqMDA7g1Md7p0"},
};

TEST(Jws, VerifiesTheExamplesOfTheRfcs) {
    for (const Example &example : kExamples) {
        SCOPED_TRACE(example.source);
        const core::KeySet keys = set_of(example.jwk);
        EXPECT_EQ(reason(example.token, keys), "valid");
        for (const Example &other : kExamples) {
            if (other.source != example.source) {
                EXPECT_NE(reason(other.token, keys), "valid") << other.source;
            }
        }
    }
}

TEST(Jws, KnowsEveryAlgorithm) {
    for (const auto &facts : core::algorithms()) {
        SCOPED_TRACE(facts.name);
        const TestKey key = make_test_key(facts.algorithm, "k");
        const core::KeySet keys = set_of(key.jwk());
        std::pmr::monotonic_buffer_resource memory;
        const std::string token = make_token(key, key.header(), "any bytes");
        const auto result = core::verify_signature(token, keys, memory);
        ASSERT_TRUE(result) << result.refusal().message;
        EXPECT_EQ(result.value().payload, "any bytes");
        EXPECT_EQ(result.value().algorithm, facts.algorithm);
        EXPECT_EQ(result.value().kid, "k");
        EXPECT_EQ(result.value().type, "JWT");
        // By another key of the same kind, under the same name.
        EXPECT_EQ(reason(make_token(make_test_key(facts.algorithm, "k"), key.header(), "any bytes"), keys),
                  "signature");
        // A right signature under the name of another algorithm.
        for (const auto &other : core::algorithms()) {
            if (other.name == facts.name)
                continue;
            const std::string header = R"({"alg":")" + std::string(other.name) + R"(","kid":"k"})";
            EXPECT_EQ(reason(make_token(key, header, "{}"), keys), "algorithm") << other.name;
        }
    }
}

// One changed character anywhere, or one less, or one more: never valid, and never a crash.
TEST(Jws, TakesNoChange) {
    std::mt19937 random(8725);
    constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=+/ \n";
    for (const auto algorithm :
         {Algorithm::hs256, Algorithm::es256, Algorithm::es384, Algorithm::eddsa, Algorithm::rs256, Algorithm::ps256}) {
        SCOPED_TRACE(core::name_of(algorithm));
        const TestKey key = make_test_key(algorithm, "k");
        const core::KeySet keys = set_of(key.jwk());
        const std::string token = make_token(key, key.header(), R"({"sub":"x"})");
        ASSERT_EQ(reason(token, keys), "valid");
        for (int i = 0; i < 800; ++i) {
            std::string changed = token;
            const std::size_t at = random() % changed.size();
            switch (random() % 4) {
            case 0:
                changed.erase(at, 1);
                break;
            case 1:
                changed.insert(at, 1, kAlphabet[random() % kAlphabet.size()]);
                break;
            case 2:
                changed.resize(at);
                break;
            default:
                changed[at] = kAlphabet[random() % kAlphabet.size()];
                break;
            }
            if (changed != token) {
                ASSERT_NE(reason(changed, keys), "valid") << changed << "\nof " << token;
            }
        }
    }
}

TEST(Jws, LooksAtTheFormFirst) {
    const TestKey key = make_test_key(Algorithm::es256, "k");
    const core::KeySet keys = set_of(key.jwk());
    const auto with_header = [&](const std::string &header) { return reason(make_token(key, header, "{}"), keys); };
    EXPECT_EQ(reason("", keys), "format");
    EXPECT_EQ(reason("..", keys), "header");
    EXPECT_EQ(reason("a.b", keys), "format");
    EXPECT_EQ(reason(std::string(8192, '.'), keys), "format");
    EXPECT_EQ(reason(std::string(8193, '.'), keys), "size");
    EXPECT_EQ(with_header(""), "header");
    EXPECT_EQ(with_header("[]"), "header");
    EXPECT_EQ(with_header("{}"), "header");
    EXPECT_EQ(with_header(R"({"alg":null})"), "header");
    EXPECT_EQ(with_header(R"({"alg":"ES256","alg":"none","kid":"k"})"), "header");
    EXPECT_EQ(with_header(R"({"alg":"ES256","kid":["k"]})"), "header");
    EXPECT_EQ(with_header(R"({"alg":"ES256","kid":null})"), "header");
    EXPECT_EQ(with_header(R"({"alg":"ES256","kid":"k","typ":1})"), "header");
    EXPECT_EQ(with_header(R"({"alg":"ES256","kid":"k","crit":null})"), "header");
    EXPECT_EQ(with_header(R"({"alg":"ES256","kid":"k","b64":false})"), "header");
    EXPECT_EQ(with_header(R"({"alg":"es256","kid":"k"})"), "algorithm");
    EXPECT_EQ(with_header(R"({"alg":"","kid":"k"})"), "algorithm");
    EXPECT_EQ(with_header(R"({"alg":"ES256","kid":"k\u0000"})"), "header");
    EXPECT_EQ(with_header(R"({"alg":"ES256","kid":"k","cty":"x","jku":"http://127.0.0.1/"})"), "valid");
    EXPECT_EQ(with_header(R"({"alg":"ES256"})"), "valid");
}

TEST(Jws, RefusesForgedNumbers) {
    const TestKey key = make_test_key(Algorithm::es256, "k");
    const core::KeySet keys = set_of(key.jwk());
    const std::string message = base64url(key.header()) + '.' + base64url("{}");
    // The order of the group, as r, s or both; and a signature that is moved by it.
    const std::string order = from_base64url("_____wAAAAD__________7zm-q2nF56E87nKwvxjJVE");
    const std::string zero(32, '\0'), one = std::string(31, '\0') + '\x01', big(32, '\xFF');
    for (const auto &r : {zero, one, order, big}) {
        for (const auto &s : {zero, one, order, big})
            EXPECT_EQ(reason(message + '.' + base64url(r + s), keys), "signature");
    }
    const std::string right = sign_bytes(key, Algorithm::es256, message);
    EXPECT_EQ(reason(message + '.' + base64url(right), keys), "valid");
    EXPECT_EQ(reason(message + '.' + base64url(right + '\0'), keys), "signature");
    EXPECT_EQ(reason(message + '.' + base64url(right.substr(32) + right.substr(0, 32)), keys), "signature");
}

// OpenSSL takes a PSS signature whose leading zeros were cut off; RFC 8017 does not.
TEST(Jws, WantsRsaSignaturesAsLongAsTheModulus) {
    for (const auto algorithm : {Algorithm::rs256, Algorithm::ps256}) {
        const TestKey key = make_test_key(algorithm, "k");
        const core::KeySet keys = set_of(key.jwk());
        for (int i = 0;; ++i) {
            const std::string message = base64url(key.header()) + '.' + base64url(std::to_string(i));
            const std::string signature = sign_bytes(key, algorithm, message);
            if (signature[0] != 0)
                continue;
            EXPECT_EQ(reason(message + '.' + base64url(signature), keys), "valid");
            EXPECT_EQ(reason(message + '.' + base64url(signature.substr(1)), keys), "signature");
            EXPECT_EQ(reason(message + '.' + base64url('\0' + signature), keys), "signature");
            break;
        }
    }
}

TEST(Jws, ShowsAPayloadWithoutProof) {
    std::pmr::monotonic_buffer_resource memory;
    EXPECT_EQ(core::unverified_payload("x." + base64url("{\"a\":1}") + ".y", memory), "{\"a\":1}");
    EXPECT_EQ(core::unverified_payload("x.!.y", memory), "");
    EXPECT_EQ(core::unverified_payload("x", memory), "");
}

} // namespace
