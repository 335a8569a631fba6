// Every state of a visit crossed with every other one, and what a refusal tells.
#include <gtest/gtest.h>

#include <set>
#include <string>

#include "core/state/visit.hpp"

using namespace relygate::core;

TEST(VisitState, AllCrossed) {
    const std::set<std::pair<std::string, std::string>> allowed = {{"pending", "checked_in"},
                                                                   {"pending", "refused"},
                                                                   {"pending", "cancelled"},
                                                                   {"pending", "expired"},
                                                                   {"checked_in", "checked_out"}};
    for (const auto from : kVisitStates)
        for (const auto to : kVisitStates) {
            SCOPED_TRACE(std::string(from) + " -> " + std::string(to));
            const auto change = change_visit(from, to);
            ASSERT_EQ(static_cast<bool>(change), allowed.contains({std::string(from), std::string(to)}));
            if (change)
                continue;
            EXPECT_EQ(change.refusal().status, 409);
            EXPECT_STREQ(change.refusal().code, "visit_state");
            EXPECT_NE(std::string_view(change.refusal().detail).find(from), std::string_view::npos);
            EXPECT_NE(std::string_view(change.refusal().detail).find(to), std::string_view::npos);
        }
}

TEST(VisitState, Births) {
    for (const auto state : kVisitStates)
        EXPECT_EQ(static_cast<bool>(begin_visit(state)), state == "pending" || state == "checked_in") << state;
    EXPECT_FALSE(begin_visit(""));
}

TEST(VisitState, DetailNamesWhatIsAllowed) {
    EXPECT_STREQ(
        change_visit("pending", "checked_out").refusal().detail,
        "The visit is pending; checked_out was asked for, allowed are checked_in, refused, cancelled, expired.");
    EXPECT_STREQ(change_visit("checked_out", "checked_out").refusal().detail,
                 "The visit is checked_out; checked_out was asked for, nothing is allowed any more.");
    EXPECT_FALSE(change_visit(std::string(1000, 'x'), "pending")); // cut, not overrun
}
