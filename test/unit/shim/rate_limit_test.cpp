#include "shim/rate_limit.hpp"

#include <gtest/gtest.h>
#include <string>
#include <thread>

namespace relygate::shim {
namespace {

Address at(const std::string &text) {
    return parse_address(text).value();
}

TEST(RateLimit, CountsAnAddressUntilTheWindowEnds) {
    RateLimit limit(3, 60'000, 1);
    for (std::uint32_t left : {2U, 1U, 0U}) {
        const auto ticket = limit.take(at("192.0.2.1"), 0, 90'000);
        EXPECT_TRUE(ticket.is_allowed);
        EXPECT_EQ(ticket.remaining, left);
        EXPECT_EQ(ticket.reset_s, 30);
    }
    EXPECT_FALSE(limit.take(at("192.0.2.1"), 0, 119'999).is_allowed);
    EXPECT_TRUE(limit.take(at("192.0.2.2"), 0, 119'999).is_allowed);
    EXPECT_EQ(limit.take(at("192.0.2.1"), 0, 120'000).remaining, 2U);
}

TEST(RateLimit, WhatWasNoFailureIsGivenBack) {
    RateLimit limit(2, 60'000, 1);
    for (int i = 0; i < 100; i++) {
        auto ticket = limit.take(at("192.0.2.1"), 0, 1);
        ASSERT_TRUE(ticket.is_allowed);
        limit.give_back(ticket);
        ASSERT_EQ(ticket.remaining, 2U);
    }
    auto old = limit.take(at("192.0.2.1"), 0, 1);
    limit.take(at("192.0.2.1"), 0, 70'000);
    limit.give_back(old); // of a window that is over
    EXPECT_EQ(limit.take(at("192.0.2.1"), 0, 70'000).remaining, 0U);
}

TEST(RateLimit, AnIpv6NetworkIsOneClientAndIpv4AddressesAreNot) {
    RateLimit limit(1, 60'000, 1);
    EXPECT_TRUE(limit.take(at("2001:db8:1:2::1"), 0, 1).is_allowed);
    EXPECT_FALSE(limit.take(at("2001:db8:1:2:ffff::9"), 0, 1).is_allowed);
    EXPECT_TRUE(limit.take(at("2001:db8:1:3::1"), 0, 1).is_allowed);
    EXPECT_TRUE(limit.take(at("192.0.2.1"), 0, 1).is_allowed);
    EXPECT_TRUE(limit.take(at("192.0.2.2"), 0, 1).is_allowed);
}

TEST(RateLimit, WhatIsCountedApartIsBoundedApart) {
    RateLimit limit(1, 60'000, 1);
    for (const std::uint64_t what : {0U, 1U, 2U}) {
        EXPECT_TRUE(limit.take(at("192.0.2.1"), what, 1).is_allowed);
        EXPECT_FALSE(limit.take(at("192.0.2.1"), what, 1).is_allowed);
    }
}

TEST(RateLimit, LookingCostsNothing) {
    RateLimit limit(2, 60'000, 1);
    for (std::uint32_t left : {2U, 1U, 0U}) {
        auto ticket = limit.look(at("192.0.2.1"), 7, 1);
        EXPECT_EQ(ticket.remaining, left);
        EXPECT_EQ(ticket.is_allowed, left > 0);
        limit.count(ticket);
    }
}

TEST(RateLimit, ManyAddressesDoNotWashOutTheOneThatFailedOften) {
    RateLimit limit(10, 60'000, 1);
    for (int i = 0; i < 10; i++)
        limit.take(at("192.0.2.1"), 0, 1);
    for (int i = 0; i < 200'000; i++)
        limit.take(
            at("10." + std::to_string(i >> 16) + '.' + std::to_string(i >> 8 & 255) + '.' + std::to_string(i & 255)), 0,
            1);
    EXPECT_FALSE(limit.take(at("192.0.2.1"), 0, 1).is_allowed);
}

TEST(RateLimit, ThreadsCountTogether) {
    RateLimit limit(1000, 60'000, 1);
    std::atomic<int> allowed = 0;
    std::vector<std::thread> threads;
    threads.reserve(4);
    for (int i = 0; i < 4; i++)
        threads.emplace_back([&] {
            for (int j = 0; j < 500; j++)
                allowed += limit.take(at("192.0.2.1"), 0, 1).is_allowed ? 1 : 0;
        });
    for (auto &thread : threads)
        thread.join();
    EXPECT_EQ(allowed, 1000);
}

} // namespace
} // namespace relygate::shim
