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

TEST(SlowReads, WhoIsQuickIsKnownUntilThereIsADoubt) {
    SlowReads reads;
    EXPECT_FALSE(reads.is_quick(kList, "north")) << "nothing is known yet";
    reads.learn(kList, "north", 24);
    EXPECT_TRUE(reads.is_quick(kList, "north"));
    EXPECT_FALSE(reads.is_quick(kList, "south"));
    EXPECT_FALSE(reads.is_quick(kOne, "north"));
    reads.doubt(kList, "north");
    EXPECT_FALSE(reads.is_quick(kList, "north"));
    reads.learn(kList, "north", 1);
    reads.learn(kList, "north", 25);
    EXPECT_FALSE(reads.is_quick(kList, "north"));
    reads.learn(kList, "north", 1);
    EXPECT_TRUE(reads.is_quick(kList, "north"));
    reads.forget();
    EXPECT_FALSE(reads.is_quick(kList, "north"));
}

TEST(SlowReads, TenantsWithoutEndTakeNoMemoryWithoutEnd) {
    SlowReads reads;
    for (int i = 0; i < 25'000; i++)
        reads.learn(kList, std::to_string(i), 500);
    for (int i = 0; i < 25'000; i++)
        reads.learn(kOne, std::to_string(i), 1);
    EXPECT_TRUE(reads.is_quick(kOne, "24999"));
    EXPECT_FALSE(reads.is_quick(kOne, "1"));
    EXPECT_TRUE(reads.has(kList, "24999"));
    EXPECT_FALSE(reads.has(kList, "1"));
}

} // namespace
} // namespace relygate::shim
