// A refusal's detail is cut at a character's boundary, never inside one.
#include "core/base/outcome.hpp"

#include <gtest/gtest.h>

#include <string>

using relygate::core::Outcome;
using relygate::core::Refusal;

namespace {

constexpr Refusal kRefusal{.status = 400, .code = "invalid", .message = "value is not valid"};

TEST(Refusal, KeepsAShortDetailWhole) {
    EXPECT_STREQ(kRefusal.with_detail("It is short.").detail, "It is short.");
}

TEST(Refusal, CutsALongDetailAtACharacterBoundary) {
    for (std::size_t shift = 0; shift < 4; ++shift) {
        SCOPED_TRACE(shift);
        std::string text(shift, 'a');
        while (text.size() < 400)
            text += "\xE0\xA4\x85"; // three bytes each
        const std::string kept = kRefusal.with_detail(text).detail;
        EXPECT_LT(kept.size(), sizeof kRefusal.detail);
        EXPECT_GT(kept.size(), sizeof kRefusal.detail - 4);
        EXPECT_EQ((kept.size() - shift) % 3, 0u);
    }
}

TEST(Outcome, IsAValueOrARefusal) {
    EXPECT_EQ(Outcome<int>(7).value(), 7);
    const Outcome<int> refused = kRefusal;
    EXPECT_FALSE(refused);
    EXPECT_EQ(refused.refusal().status, 400);
}

} // namespace
