#include "shim/proxies.hpp"

#include <gtest/gtest.h>

namespace relygate::shim {
namespace {

using namespace std::string_view_literals;

std::string printed(std::string_view text) {
    const auto address = parse_address(text);
    return address ? print_address(*address) : "none";
}

TEST(Proxies, Addresses) {
    EXPECT_EQ(printed("192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(printed("::ffff:192.0.2.1"), "192.0.2.1");
    EXPECT_EQ(printed("2001:DB8:0:0::1"), "2001:db8::1");
    for (const auto bad : {""sv, "192.0.2"sv, "192.0.2.256"sv, "192.0.2.1 "sv, "192.0.2.01x"sv, "fe80::1%eth0"sv,
                           "unknown"sv, "::1\0"sv, "1234567890123456789012345678901234567890123456"sv})
        EXPECT_EQ(printed(bad), "none") << bad;
}

TEST(Proxies, Networks) {
    const auto contains = [](std::string_view network, std::string_view address) {
        return parse_network(network).value().contains(parse_address(address).value());
    };
    EXPECT_TRUE(contains("10.0.0.0/8", "10.255.255.255"));
    EXPECT_FALSE(contains("10.0.0.0/8", "11.0.0.0"));
    EXPECT_TRUE(contains("192.0.2.128/25", "192.0.2.128"));
    EXPECT_FALSE(contains("192.0.2.128/25", "192.0.2.127"));
    EXPECT_TRUE(contains("0.0.0.0/0", "203.0.113.9"));
    EXPECT_FALSE(contains("0.0.0.0/0", "2001:db8::1")); // IPv4 alone
    EXPECT_TRUE(contains("::/0", "203.0.113.9"));
    EXPECT_TRUE(contains("fd00::/8", "fdff::1"));
    EXPECT_TRUE(contains("192.0.2.1", "192.0.2.1"));
    EXPECT_FALSE(contains("192.0.2.1", "192.0.2.2"));
    for (const auto bad : {"10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/", "10.0.0.0/-1", "fd00::/129", "fd00::1/8", "all",
                           "", "10.0.0.0/8/8"})
        EXPECT_FALSE(parse_network(bad)) << bad;
}

TEST(Proxies, TheRightmostAddressThatIsNoProxyCounts) {
    const std::vector<Network> proxies{*parse_network("10.0.0.0/8"), *parse_network("2001:db8::/32")};
    struct Case {
        std::string_view peer;
        std::vector<std::string_view> lines;
        std::string_view client; // empty: refused
    };
    const std::vector<Case> cases{
        {"203.0.113.9", {}, "203.0.113.9"},
        {"203.0.113.9", {"198.51.100.1"}, "203.0.113.9"}, // a stranger may write what it likes
        {"203.0.113.9", {"<script>"}, "203.0.113.9"},
        {"10.0.0.1", {}, "10.0.0.1"},
        {"10.0.0.1", {"198.51.100.1"}, "198.51.100.1"},
        {"10.0.0.1", {"1.1.1.1, 198.51.100.1"}, "198.51.100.1"}, // the client wrote the left one
        {"10.0.0.1", {"<script>, 198.51.100.1"}, "198.51.100.1"},
        {"10.0.0.1", {"1.1.1.1", "198.51.100.1 ,\t10.9.9.9"}, "198.51.100.1"},
        {"10.0.0.1", {"1.1.1.1", "10.2.2.2"}, "1.1.1.1"}, // lines are one list
        {"10.0.0.1", {"10.3.3.3, 10.2.2.2"}, "10.3.3.3"}, // all inside: the first of them
        {"2001:db8::1", {"2001:db9::7"}, "2001:db9::7"},
        {"10.0.0.1", {"198.51.100.1:4711"}, "198.51.100.1"},
        {"10.0.0.1", {"[2001:db9::7]:4711"}, "2001:db9::7"},
        {"10.0.0.1", {"[2001:db9::7]"}, "2001:db9::7"},
        {"10.0.0.1", {"::ffff:10.2.2.2"}, "10.2.2.2"},
        {"10.0.0.1", {"::ffff:198.51.100.1"}, "198.51.100.1"},
        {"10.0.0.1", {""}, ""},
        {"10.0.0.1", {"198.51.100.1,"}, ""},
        {"10.0.0.1", {"unknown"}, ""},
        {"10.0.0.1", {"198.51.100.1, unknown"}, ""},
        {"10.0.0.1", {"198.51.100.1:x"}, ""},
        {"10.0.0.1", {"198.51.100.1:99999"}, ""},
        {"10.0.0.1", {"[2001:db9::7"}, ""},
        {"10.0.0.1", {"[2001:db9::7]x"}, ""},
        {"10.0.0.1", {"198.51.100.1' OR 1=1"}, ""},
        {"10.0.0.1", {"198.51.100.1;for=x"}, ""},
    };
    for (const auto &each : cases) {
        std::vector<HeaderField> fields{{"Host", "x"}};
        for (const auto line : each.lines)
            fields.push_back({"x-forwarded-FOR", line});
        SCOPED_TRACE(std::string(each.peer) + " " + (each.lines.empty() ? "" : std::string(each.lines.back())));
        const auto client = client_behind(proxies, parse_address(each.peer).value(), fields);
        EXPECT_EQ(client ? print_address(*client) : "", each.client);
    }
}

TEST(Proxies, WithoutAListNobodyIsBelieved) {
    const std::vector<HeaderField> fields{{"X-Forwarded-For", "198.51.100.1"}};
    EXPECT_EQ(print_address(client_behind({}, parse_address("10.0.0.1").value(), fields).value()), "10.0.0.1");
}

} // namespace
} // namespace relygate::shim
