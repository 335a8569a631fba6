// SQL names and JSON paths name the same things.
#include "core/route/member_name.hpp"

#include <gtest/gtest.h>

using relygate::core::member_path;

namespace {

TEST(MemberName, TurnsSqlNamesIntoPaths) {
    std::pmr::monotonic_buffer_resource memory;
    const struct {
        const char *name, *path;
    } cases[] = {
        {"id", "id"},
        {"visitor_id", "visitorId"},
        {"visitor__first_name", "visitor.firstName"},
        {"a__b__c_d", "a.b.cD"},
        {"line_2", "line2"},
        {"visitor.firstName", "visitor.firstName"},
        {"", ""},
    };
    for (const auto &c : cases)
        EXPECT_EQ(member_path(c.name, memory), c.path) << c.name;
}

} // namespace
