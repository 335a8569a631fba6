#include "shim/slow_reads.hpp"

#include <gtest/gtest.h>

namespace relygate::shim {
namespace {

const Route kList{"GET", "/api/visits", false, true, LaneKind::read, 0};
const Route kOne{"GET", "/api/visits/{id}", false, true, LaneKind::read, 0};

TEST(SlowReads, OneThatTakesATenthOfASecondIsEnough) {
    SlowReads reads;
    EXPECT_FALSE(reads.learn(kList, "north", 24));
    EXPECT_FALSE(reads.has(kList, "north"));
    EXPECT_TRUE(reads.learn(kList, "north", 100));
    EXPECT_FALSE(reads.learn(kList, "north", 100)) << "said once";
    EXPECT_TRUE(reads.has(kList, "north"));
    EXPECT_FALSE(reads.has(kList, "south")) << "another tenant has other rows";
    EXPECT_FALSE(reads.has(kOne, "north"));
}

TEST(SlowReads, SeveralHeavyOnesAreButNotAFewAmongQuickOnes) {
    SlowReads reads;
    EXPECT_FALSE(reads.learn(kList, "north", 30));
    EXPECT_FALSE(reads.learn(kList, "north", 30));
    EXPECT_TRUE(reads.learn(kList, "north", 30));
    for (int i = 0; i < 1000; i++)
        reads.learn(kOne, "north", i % 10 == 0 ? 40 : 1);
    EXPECT_TRUE(reads.has(kList, "north"));
    EXPECT_FALSE(reads.has(kOne, "north"));
}

TEST(SlowReads, QuickAgainTheyComeBackAfterAWhile) {
    SlowReads reads;
    for (int i = 0; i < 100; i++)
        reads.learn(kList, "north", 500);
    int quick = 0;
    while (reads.has(kList, "north") && quick < 1000) {
        reads.learn(kList, "north", 1);
        quick++;
    }
    EXPECT_GT(quick, 4) << "one quick page among slow ones says nothing";
    EXPECT_LT(quick, 50);
    EXPECT_TRUE(reads.learn(kList, "north", 500)) << "and go again";
    reads.forget();
    EXPECT_FALSE(reads.has(kList, "north"));
}

TEST(SlowReads, SuspectsAreSoUntilOneOfThemIsKnown) {
    SlowReads reads;
    reads.suspect(kList, "north");
    EXPECT_TRUE(reads.is_suspect(kList, "north"));
    EXPECT_FALSE(reads.is_suspect(kList, "south"));
    EXPECT_FALSE(reads.is_suspect(kOne, "north"));
    EXPECT_FALSE(reads.has(kList, "north")) << "nothing is known yet";
    reads.learn(kOne, "north", 1);
    EXPECT_TRUE(reads.is_suspect(kList, "north"));
    reads.learn(kList, "north", 1);
    EXPECT_FALSE(reads.is_suspect(kList, "north"));
    reads.suspect(kList, "north");
    EXPECT_TRUE(reads.learn(kList, "north", 100));
    EXPECT_FALSE(reads.is_suspect(kList, "north")) << "it goes to the slow lane, where nothing is shared";
    reads.suspect(kList, "north");
    reads.forget();
    EXPECT_FALSE(reads.is_suspect(kList, "north"));
}

TEST(SlowReads, TenantsWithoutEndTakeNoMemoryWithoutEnd) {
    SlowReads reads;
    for (int i = 0; i < 25'000; i++)
        reads.learn(kList, std::to_string(i), 500);
    for (int i = 0; i < 25'000; i++)
        reads.suspect(kList, std::to_string(i));
    EXPECT_TRUE(reads.is_suspect(kList, "24999"));
    EXPECT_FALSE(reads.is_suspect(kList, "1"));
    EXPECT_TRUE(reads.has(kList, "24999"));
    EXPECT_FALSE(reads.has(kList, "1"));
}

} // namespace
} // namespace relygate::shim
