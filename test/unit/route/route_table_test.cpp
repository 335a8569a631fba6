// Literal before parameter, 404 against 405, and that no other path than the very one matches.
#include "core/route/route_table.hpp"

#include <gtest/gtest.h>

#include <string>

using relygate::core::is_route_pattern;
using relygate::core::RouteMatch;
using relygate::core::RoutePattern;
using relygate::core::RouteTable;
using Kind = relygate::core::RouteMatch::Kind;

namespace {

constexpr RoutePattern kPatterns[] = {
    {"GET", "/api/visits"},                      // 0
    {"POST", "/api/visits"},                     // 1
    {"GET", "/api/visits/{id}"},                 // 2
    {"GET", "/api/visits/current"},              // 3
    {"POST", "/api/visits/{id}/check-out"},      // 4
    {"DELETE", "/api/visits/{id}"},              // 5
    {"PATCH", "/api/visits/{id}"},               // 6
    {"GET", "/api/{kind}/{id}/items/{item_id}"}, // 7
    {"POST", "/api/visits/current/{id}/x"},      // 8
    {"GET", "/api/visits/{id}"},                 // 9: the first counts
    {"GET", "no pattern"},                       // 10: left out
};

class RouteTableTest : public testing::Test {
  protected:
    std::pmr::monotonic_buffer_resource memory_;
    RouteTable table_ = RouteTable::make(kPatterns, memory_);
};

TEST_F(RouteTableTest, FindsTheRoute) {
    const struct {
        const char *method, *path;
        std::size_t route;
        std::vector<std::string> values;
    } cases[] = {
        {"GET", "/api/visits", 0, {}},
        {"HEAD", "/api/visits", 0, {}},
        {"POST", "/api/visits", 1, {}},
        {"GET", "/api/visits/7", 2, {"7"}},
        {"GET", "/api/visits/current", 3, {}},
        {"GET", "/api/visits/Current", 2, {"Current"}},
        {"GET", "/api/visits/%63urrent", 2, {"%63urrent"}},
        {"POST", "/api/visits/7/check-out", 4, {"7"}},
        {"POST", "/api/visits/current/check-out", 4, {"current"}}, // the literal leads nowhere
        {"POST", "/api/visits/current/7/x", 8, {"7"}},
        {"GET", "/api/visits/7/items/8", 7, {"visits", "7", "8"}},
        {"GET", "/api/visits/7%2Fcheck-out", 2, {"7%2Fcheck-out"}},
    };
    for (const auto &c : cases) {
        SCOPED_TRACE(std::string(c.method) + " " + c.path);
        const RouteMatch match = table_.match(c.method, c.path);
        ASSERT_EQ(match.kind, Kind::found);
        EXPECT_EQ(match.route, c.route);
        ASSERT_EQ(match.parameter_count, c.values.size());
        for (std::size_t i = 0; i < c.values.size(); ++i)
            EXPECT_EQ(match.parameters[i].value, c.values[i]);
    }
    EXPECT_EQ(table_.match("GET", "/api/visits/7/items/8").parameters[2].name, "item_id");
}

TEST_F(RouteTableTest, MatchesNothingElse) {
    for (const char *path :
         {"", "/", "api/visits", "//api/visits", "/api//visits", "/api/visits/", "/api/visits//check-out",
          "/api/auth/../visits", "/API/visits", "/api", "/api/visits/7/check-out/x", "http://evil.example/api/visits",
          "/api/visits/7/nothing", "/api/visits#x", "no pattern"}) {
        SCOPED_TRACE(path);
        EXPECT_EQ(table_.match("GET", path).kind, Kind::no_such_path);
    }
}

TEST_F(RouteTableTest, NamesTheMethodsThatAreThere) {
    const struct {
        const char *method, *path, *allow;
    } cases[] = {
        {"DELETE", "/api/visits", "GET, HEAD, POST"},         {"get", "/api/visits", "GET, HEAD, POST"},
        {"PUT", "/api/visits/7", "GET, HEAD, PATCH, DELETE"}, {"POST", "/api/visits/current", "GET, HEAD"},
        {"HEAD", "/api/visits/7/check-out", "POST"},          {"OPTIONS", "/api/visits/7/check-out", "POST"},
    };
    for (const auto &c : cases) {
        SCOPED_TRACE(std::string(c.method) + " " + c.path);
        const RouteMatch match = table_.match(c.method, c.path);
        EXPECT_EQ(match.kind, Kind::no_such_method);
        EXPECT_STREQ(match.allow, c.allow);
    }
}

TEST(RouteTable, AllMethodsFitInAllow) {
    std::pmr::monotonic_buffer_resource memory;
    const RoutePattern all[] = {{"DELETE", "/x"}, {"PATCH", "/x"}, {"PUT", "/x"}, {"POST", "/x"}, {"GET", "/x"}};
    EXPECT_STREQ(RouteTable::make(all, memory).match("TRACE", "/x").allow, "GET, HEAD, POST, PUT, PATCH, DELETE");
}

TEST(RouteTable, WithoutPatternsMatchesNothing) {
    EXPECT_EQ(RouteTable().match("GET", "/").kind, Kind::no_such_path);
}

TEST(RoutePattern, IsExact) {
    for (const char *good : {"/a", "/api/visits/{id}", "/.well-known/jwks.json", "/{a}/{b_2}/{c}/{d}"})
        EXPECT_TRUE(is_route_pattern(good)) << good;
    for (const char *bad : {"", "/", "a", "/a/", "//a", "/a b", "/{}", "/{id", "/x{id}", "/{Id}", "/{1}", "/a/../b",
                            "/a%2F", "/{a}/{b}/{c}/{d}/{e}", "/a/b/c/d/e/f/g/h/i/j/k/l/m/n/o/p/q"})
        EXPECT_FALSE(is_route_pattern(bad)) << bad;
}

} // namespace
