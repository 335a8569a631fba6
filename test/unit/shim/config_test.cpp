// Values with units, and the environment as a whole.
#include "shim/config.hpp"
#include "shim/lanes.hpp"
#include "shim/units.hpp"

#include <algorithm>
#include <gtest/gtest.h>
#include <map>
#include <string>
#include <thread>

namespace relygate::shim {
namespace {

using Environment = std::map<std::string, std::string>;

ConfigReport read(Config &config, const Environment &environment) {
    std::vector<std::string> names;
    for (const auto &[name, value] : environment)
        names.push_back(name);
    return read_config(
        config,
        [&](const char *name) {
            const auto found = environment.find(name);
            return found == environment.end() ? nullptr : found->second.c_str();
        },
        names, "1.0.0");
}

TEST(Units, Durations) {
    const std::map<std::string, std::int64_t> good = {
        {"15", 15000},      {"500ms", 500},   {"30s", 30000},    {"15m", 900000},
        {"15 min", 900000}, {"8h", 28800000}, {"2D", 172800000}, {"0", 0}};
    for (const auto &[text, value] : good)
        EXPECT_EQ(parse_duration_ms(text, 1000), value) << text;
    for (const auto *bad :
         {"", "s", "-1", "+1", "1.5s", "1y", "1 s s", "9223372036854775807d", "99999999999999999999", "1s#"})
        EXPECT_FALSE(parse_duration_ms(bad, 1000)) << bad;
}

TEST(Units, Sizes) {
    const std::map<std::string, std::int64_t> good = {
        {"10mb", 10 << 20}, {"10MB", 10 << 20}, {"25M", 25 << 20}, {"512k", 512 << 10},
        {"1gb", 1 << 30},   {"7", 7},           {"7b", 7}};
    for (const auto &[text, value] : good)
        EXPECT_EQ(parse_size(text), value) << text;
    for (const auto *bad : {"", "mb", "10 megabytes", "1.5mb", "-1", "10mib"})
        EXPECT_FALSE(parse_size(bad)) << bad;
}

TEST(Units, BooleansAndLists) {
    for (const auto *yes : {"true", "TRUE", "yes", "on", "1"})
        EXPECT_EQ(parse_boolean(yes), true) << yes;
    for (const auto *no : {"false", "No", "off", "0"})
        EXPECT_EQ(parse_boolean(no), false) << no;
    for (const auto *bad : {"", "2", "y", "true "})
        EXPECT_FALSE(parse_boolean(bad)) << bad;
    EXPECT_EQ(parse_list(" a, b ,,c"), (std::vector<std::string>{"a", "b", "c"}));
    EXPECT_TRUE(parse_list("").empty());
}

TEST(Config, DefaultsAreGood) {
    Config config;
    const auto report = read(config, {});
    EXPECT_TRUE(report.problems.empty()) << report.problems.front();
    EXPECT_EQ(config.port, 3000);
    EXPECT_EQ(config.host, "127.0.0.1");
    EXPECT_EQ(config.token_lifetime_s, 8 * 3600);
    EXPECT_GE(config.workers, 1);
    EXPECT_EQ(config.version, "1.0.0");
}

// 20 of the guide, fewer where so many would only be in each other's way; never fewer than what else is asked for.
TEST(Config, ConnectionsFollowTheCores) {
    Config plain;
    EXPECT_TRUE(read(plain, {}).problems.empty());
    EXPECT_EQ(plain.pool_max, std::min(20, 4 * static_cast<int>(std::thread::hardware_concurrency()) + 5));
    Config kept, many, given;
    EXPECT_TRUE(read(kept, {{"DB_POOL_MIN", "19"}}).problems.empty());
    EXPECT_GE(kept.pool_max, 19);
    EXPECT_TRUE(read(many, {{"CLUSTER_WORKERS", "9"}}).problems.empty());
    EXPECT_EQ(many.workers, 9);
    EXPECT_GE(many.pool_max, 28);
    EXPECT_TRUE(read(given, {{"DB_POOL_MAX", "50"}}).problems.empty());
    EXPECT_EQ(given.pool_max, 50);
}

TEST(Config, BareNumbersMeanWhatTheGuideMeans) {
    Config config;
    const auto report = read(config, {{"REQUEST_TIMEOUT", "30000"},
                                      {"DB_POOL_IDLE_TIMEOUT", "10000"},
                                      {"HEALTH_CHECK_INTERVAL", "30"},
                                      {"JWT_EXPIRATION", "3600"},
                                      {"JWT_LEEWAY", "30"},
                                      {"BODY_LIMIT", "10mb"}});
    EXPECT_TRUE(report.problems.empty());
    EXPECT_EQ(config.request_timeout_ms, 30000);
    EXPECT_EQ(config.pool_idle_ms, 10000);
    EXPECT_EQ(config.health_interval_ms, 30000);
    EXPECT_EQ(config.token_lifetime_s, 3600);
    EXPECT_EQ(config.jwt_leeway_s, 30);
    EXPECT_EQ(config.body_limit, 10 << 20);
}

TEST(Config, UrlAndSingleValuesMustAgree) {
    Config config;
    const auto url = "postgresql://u:p%40@h:5433/d";
    EXPECT_TRUE(read(config, {{"DATABASE_URL", url},
                              {"DB_HOST", "h"},
                              {"DB_PORT", "5433"},
                              {"DB_NAME", "d"},
                              {"DB_USER", "u"},
                              {"DB_PASSWORD", "p@"}})
                    .problems.empty());
    for (const auto *name : {"DB_HOST", "DB_PORT", "DB_NAME", "DB_USER", "DB_PASSWORD"}) {
        Config other;
        const auto report = read(other, {{"DATABASE_URL", url}, {name, "1"}});
        ASSERT_EQ(report.problems.size(), 1U) << name;
        EXPECT_TRUE(report.problems.front().starts_with(name));
    }
}

TEST(Config, LanesShareTheOneBound) {
    for (const int most : {4, 5, 10, 20, 50, 200})
        for (const int workers : {1, 2, 4}) {
            Config config;
            config.pool_max = most;
            config.workers = workers;
            if (most < 3 * workers + 1)
                continue; // refused by the configuration
            std::size_t sum = 1;
            for (const auto &lane : lane_sizes(config)) {
                EXPECT_GE(lane.connections, 1U);
                EXPECT_LE(lane.kept_open, lane.connections);
                sum += lane.connections * static_cast<std::size_t>(workers);
            }
            EXPECT_LE(sum, static_cast<std::size_t>(most)) << most << " connections, " << workers << " workers";
        }
}

} // namespace
} // namespace relygate::shim
