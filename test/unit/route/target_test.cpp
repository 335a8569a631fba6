// Percent-decoding and query parsing: what is refused is refused by the member's name.
#include "core/route/target.hpp"

#include <gtest/gtest.h>

#include <string>

using namespace relygate::core;

namespace {

TEST(Target, IsCutAtTheFirstQuestionMark) {
    EXPECT_EQ(split_target("/a/b").path, "/a/b");
    EXPECT_EQ(split_target("/a/b").query, "");
    EXPECT_EQ(split_target("/a?x=1?y").path, "/a");
    EXPECT_EQ(split_target("/a?x=1?y").query, "x=1?y");
}

TEST(Segment, IsDecodedOrRefused) {
    std::pmr::monotonic_buffer_resource memory;
    const struct {
        std::string_view raw, value;
        const char *code;
    } cases[] = {
        {"plain", "plain", nullptr},  {"a+b", "a+b", nullptr},
        {"a%2Fb", "a/b", nullptr},    {"%E0%A4%85", "\xE0\xA4\x85", nullptr},
        {"%2f%2B", "/+", nullptr},    {"%", "", "escape"},
        {"%2", "", "escape"},         {"%zz", "", "escape"},
        {"a%00b", "", "nul"},         {"%C0%AF", "", "utf8"},
        {"\xff", "", "utf8"},         {"%ED%A0%80", "", "utf8"},
        {"%F4%90%80%80", "", "utf8"},
    };
    for (const auto &c : cases) {
        SCOPED_TRACE(c.raw);
        const auto decoded = decode_segment(c.raw, memory);
        ASSERT_EQ(bool(decoded), c.code == nullptr);
        if (decoded)
            EXPECT_EQ(decoded.value(), c.value);
        else
            EXPECT_STREQ(decoded.refusal().code, c.code);
    }
}

TEST(Query, GivesMembersInOrder) {
    std::pmr::monotonic_buffer_resource memory;
    const auto members = parse_query("search=Ravi+Das%2B&&page=1&flag&e=&page=2&=x&a=b=c", memory);
    ASSERT_EQ(members.size(), 7u);
    EXPECT_EQ(members[0].name, "search");
    EXPECT_EQ(members[0].value, "Ravi Das+");
    EXPECT_FALSE(members[1].is_repeated);
    EXPECT_EQ(members[2].name, "flag");
    EXPECT_EQ(members[2].value, "");
    EXPECT_EQ(members[4].name, "page");
    EXPECT_TRUE(members[4].is_repeated);
    EXPECT_EQ(members[5].name, "");
    EXPECT_EQ(members[6].value, "b=c");
    EXPECT_TRUE(parse_query("", memory).empty());
}

TEST(Query, NamesWhatIsWrong) {
    std::pmr::monotonic_buffer_resource memory;
    const struct {
        std::string_view raw, name;
        const char *code;
    } cases[] = {
        {"search=%zz", "search", "escape"},  {"search=Ravi%00Das", "search", "nul"},
        {"search=%C0%AF", "search", "utf8"}, {"s%C0=1", "s%C0", "utf8"},
        {"s\xC0=1", "s?", "utf8"},           {"s%=1", "s%", "escape"},
    };
    for (const auto &c : cases) {
        SCOPED_TRACE(c.raw);
        const auto members = parse_query(c.raw, memory);
        ASSERT_EQ(members.size(), 1u);
        EXPECT_EQ(members[0].name, c.name);
        EXPECT_STREQ(members[0].code, c.code);
        EXPECT_EQ(members[0].value, "");
    }
}

TEST(Query, IsBounded) {
    std::pmr::monotonic_buffer_resource memory;
    std::string raw;
    for (int i = 0; i < 300; ++i)
        raw += "a" + std::to_string(i) + "&";
    const auto members = parse_query(raw, memory);
    ASSERT_EQ(members.size(), kMaxQueryMembers + 1);
    EXPECT_EQ(members[kMaxQueryMembers - 1].code, nullptr);
    EXPECT_STREQ(members[kMaxQueryMembers].code, "too_many");
}

} // namespace
