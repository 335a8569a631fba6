// The cache of verified tokens: who is in it, and when it forgets. Verification itself is core's and tested there.
#include "shim/token.hpp"

#include "core/token/key_pair.hpp"
#include "core/token/jws.hpp"

#include <gtest/gtest.h>
#include <memory_resource>
#include <string>

namespace relygate::shim {
namespace {

class Tokens : public testing::Test {
  protected:
    std::pmr::monotonic_buffer_resource memory_; // first: the key is made in it
    std::string private_key_ = std::string(core::make_key("ES256", memory_).value());
    Config config_;

    std::shared_ptr<const KeyRing> ring() {
        std::vector<std::string> problems;
        const std::string set = "{\"keys\":[" + std::string(core::public_jwk(private_key_, memory_).value()) + "]}";
        auto ring = KeyRing::make(config_, set, problems);
        EXPECT_TRUE(problems.empty());
        return ring;
    }
    std::string token(std::int64_t expires, int number = 0) {
        const std::string claims =
            R"({"iss":"i","sub":"0192f3a4-0000-7000-8000-00000000000a","tenant_id":"0192f3a4-0000-7000-8000-00000000000b",)"
            R"("role":"host","iat":1000,"nbf":1000,"jti":")" +
            std::to_string(number) + R"(","sid":"0192f3a4-0000-7000-8000-00000000000c","exp":)" +
            std::to_string(expires) + "}";
        return std::string(core::sign_token(private_key_, claims, memory_).value());
    }
};

TEST_F(Tokens, AreVerifiedOnce) {
    TokenChecker checker(config_);
    EXPECT_FALSE(checker.check(token(2000), 1500).identity) << "no keys yet";
    checker.use(ring());
    const auto text = token(2000);
    const auto first = checker.check(text, 1500), second = checker.check(text, 1999);
    ASSERT_TRUE(first.identity) << first.reason;
    EXPECT_EQ(first.identity, second.identity);
    EXPECT_EQ(first.identity->tenant_id, "0192f3a4-0000-7000-8000-00000000000b");
    EXPECT_EQ(first.identity->session_id, "0192f3a4-0000-7000-8000-00000000000c");
    EXPECT_EQ(first.identity->expires_us, 2'000'000'000);
    EXPECT_EQ(checker.hits(), 1U);
}

TEST_F(Tokens, AreNotForgottenWhenTheSameKeysAreReadAnew) {
    std::vector<std::string> problems;
    const std::string set = "{\"keys\":[" + std::string(core::public_jwk(private_key_, memory_).value()) + "]}";
    const auto before = KeyRing::make(config_, set, problems);
    EXPECT_EQ(KeyRing::make(config_, set, problems, before), before);
    EXPECT_NE(KeyRing::make(config_, R"({"keys":[]})", problems, before), before);
    Config with_file = config_;
    with_file.jwks_file = "/dev/null";
    EXPECT_EQ(KeyRing::make(with_file, set, problems, before), before) << "an empty file is as none";
}

TEST_F(Tokens, AreForgottenWhenTheyEnd) {
    TokenChecker checker(config_);
    checker.use(ring());
    const auto text = token(2000);
    EXPECT_TRUE(checker.check(text, 1500).identity);
    const auto late = checker.check(text, 2000);
    EXPECT_FALSE(late.identity);
    EXPECT_STREQ(late.reason, "expired");
}

TEST_F(Tokens, AreForgottenWithTheirKeys) {
    TokenChecker checker(config_);
    checker.use(ring());
    const auto text = token(2000);
    EXPECT_TRUE(checker.check(text, 1500).identity);
    private_key_ = std::string(core::make_key("ES256", memory_).value());
    checker.use(ring());
    const auto after = checker.check(text, 1500);
    EXPECT_FALSE(after.identity);
    EXPECT_TRUE(after.is_unknown_key);
}

TEST_F(Tokens, AreNotRememberedWithoutBound) {
    TokenChecker checker(config_);
    checker.use(ring());
    const auto first = token(2000);
    EXPECT_TRUE(checker.check(first, 1500).identity);
    for (std::size_t i = 1; i <= TokenChecker::kMostRemembered; i++)
        EXPECT_TRUE(checker.check(token(2000, static_cast<int>(i)), 1500).identity);
    const auto misses = checker.misses();
    EXPECT_TRUE(checker.check(first, 1500).identity);
    EXPECT_EQ(checker.misses(), misses + 1) << "the oldest made room";
}

TEST(BearerToken, IsTakenFromItsSchemeAlone) {
    for (const auto *good : {"Bearer a.b.c", "bearer a.b.c", "BEARER  a.b.c "})
        EXPECT_EQ(bearer_token(good), "a.b.c") << good;
    for (const auto *bad : {"", "Bearer", "Bearer ", "Bearera.b.c", "Basic a.b.c", "Bearer a b", "Bearer a,b", "a.b.c"})
        EXPECT_FALSE(bearer_token(bad)) << bad;
}

} // namespace
} // namespace relygate::shim
