#include "shim/pace.hpp"

#include <gtest/gtest.h>

namespace relygate::shim {
namespace {

void count(Pace &pace, std::int64_t from_ms, std::int64_t until_ms, int every_ms) {
    for (auto now = from_ms; now < until_ms; now += every_ms)
        pace.count(now);
}

TEST(Pace, IsThatOfTheLastSecond) {
    Pace pace;
    pace.restart(50'000);
    count(pace, 50'000, 53'400, 10);
    EXPECT_NEAR(static_cast<double>(pace.a_second(53'400)), 100, 2);
    count(pace, 53'400, 54'400, 2);
    EXPECT_NEAR(static_cast<double>(pace.a_second(54'400)), 500, 130) << "of the second before only its share is known";
}

TEST(Pace, IsReckonedFromTheBeginning) {
    Pace pace;
    pace.restart(50'000);
    EXPECT_EQ(pace.a_second(50'000), 0U);
    count(pace, 50'000, 50'250, 5);
    EXPECT_EQ(pace.a_second(50'250), 200U) << "not the 50 that were counted";
}

TEST(Pace, OfWhatStandsStillIsNothing) {
    Pace pace;
    pace.restart(50'000);
    count(pace, 50'000, 52'000, 5);
    EXPECT_EQ(pace.a_second(54'500), 0U);
    count(pace, 60'000, 60'300, 5);
    EXPECT_EQ(pace.a_second(60'300), 200U) << "after a pause it begins anew";
}

} // namespace
} // namespace relygate::shim
