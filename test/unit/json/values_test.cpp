// Scalars by our own rules: tables of what is taken and what is not, with both sides of each boundary.
#include "core/json/values.hpp"

#include <cstdint>
#include <gtest/gtest.h>
#include <limits>
#include <optional>
#include <string>

using namespace relygate::core;

namespace {

constexpr auto kLeast = std::numeric_limits<std::int64_t>::min();
constexpr auto kMost = std::numeric_limits<std::int64_t>::max();

TEST(Integers, AreJudgedByTheirValue) {
    struct {
        std::string_view text;
        std::int64_t value;
    } const kTaken[] = {
        {"0", 0},
        {"-0", 0},
        {"2", 2},
        {"2.0", 2},
        {"2.000", 2},
        {"20e-1", 2},
        {"0.2e1", 2},
        {"2E+0", 2},
        {"-15", -15},
        {"1e3", 1000},
        {"0e999", 0},
        {"0.0e-5", 0},
        {"100e-2", 1},
        {"1.5e1", 15},
        {"9223372036854775807", kMost},
        {"-9223372036854775808", kLeast},
        {"9.223372036854775807e18", kMost},
        {"1000000000000000000000e-20", 10},
    };
    for (const auto &[text, value] : kTaken) {
        SCOPED_TRACE(text);
        const auto read = parse_integer(text, kLeast, kMost);
        ASSERT_TRUE(read) << read.refusal().message;
        EXPECT_EQ(read.value(), value);
    }
}

TEST(Integers, RefuseTheRest) {
    struct {
        std::string_view text, code;
    } const kRefused[] = {
        {"2.5", "invalid"},
        {"1e-1", "invalid"},
        {"0.5", "invalid"},
        {"25e-1", "invalid"},
        {"", "invalid"},
        {"-", "invalid"},
        {"+2", "invalid"},
        {" 2", "invalid"},
        {"2 ", "invalid"},
        {"02", "invalid"},
        {"2.", "invalid"},
        {".2", "invalid"},
        {"2e", "invalid"},
        {"0x10", "invalid"},
        {"two", "invalid"},
        {"NaN", "invalid"},
        {"1_000", "invalid"},
        {"1e131071", "range"},
        {"1e99999999999999999999", "range"},
        {"9223372036854775808", "range"},
        {"-9223372036854775809", "range"},
        {"99999999999999999999", "range"},
        {"1e19", "range"},
    };
    for (const auto &[text, code] : kRefused) {
        SCOPED_TRACE(text);
        const auto read = parse_integer(text, kLeast, kMost);
        ASSERT_FALSE(read);
        EXPECT_EQ(read.refusal().code, code);
    }
    EXPECT_TRUE(parse_integer("1", 1, 1000));
    EXPECT_TRUE(parse_integer("1000", 1, 1000));
    EXPECT_STREQ(parse_integer("0", 1, 1000).refusal().code, "range");
    EXPECT_STREQ(parse_integer("1001", 1, 1000).refusal().detail, "The least is 1, the most is 1000.");
}

TEST(Dates, AreIsoOnly) {
    struct {
        std::string_view text;
        std::optional<std::int32_t> days;
    } const kDates[] = {
        {"1970-01-01", 0},
        {"1969-12-31", -1},
        {"2027-02-28", 20877},
        {"2024-02-29", 19782},
        {"0001-01-01", -719162},
        {"9999-12-31", 2932896},
        {"2027-02-29", {}},
        {"2027-13-01", {}},
        {"2027-00-10", {}},
        {"2027-01-00", {}},
        {"2027-01-32", {}},
        {"0000-01-01", {}},
        {"tomorrow", {}},
        {"now", {}},
        {"infinity", {}},
        {"", {}},
        {"01/02/2027", {}},
        {"2027/02/01", {}},
        {"27-02-01", {}},
        {"2027-2-1", {}},
        {"20270201", {}},
        {"2027-02-01 ", {}},
        {"2027-02-01T10:00:00", {}},
        {"+2027-2-01", {}},
        {"-027-02-01", {}},
        {"1900-02-29", {}},
        {"2000-02-29", 11016},
    };
    for (const auto &[text, days] : kDates) {
        SCOPED_TRACE(text);
        const auto read = parse_date(text);
        ASSERT_EQ(bool(read), days.has_value());
        if (days) {
            EXPECT_EQ(read.value(), *days);
        } else {
            EXPECT_STREQ(read.refusal().code, "invalid");
        }
    }
}

TEST(Instants, HaveAnOffset) {
    constexpr std::int64_t kTen = 1'801'476'000'000'000; // 2027-02-01T10:00:00Z
    struct {
        std::string_view text;
        std::optional<std::int64_t> micros;
    } const kInstants[] = {
        {"2027-02-01T10:00:00Z", kTen},
        {"2027-02-01t10:00:00z", kTen},
        {"2027-02-01T15:30:00+05:30", kTen},
        {"2027-02-01T02:00:00-08:00", kTen},
        {"2027-02-01T10:00:00-00:00", kTen},
        {"2027-02-01T10:00:00.5Z", kTen + 500'000},
        {"2027-02-01T10:00:00.123456789Z", kTen + 123'456},
        {"1970-01-01T00:00:00Z", 0},
        {"1969-12-31T23:59:59.999999Z", -1},
        {"2027-02-01T10:00:00", {}},
        {"2027-02-01 10:00:00Z", {}},
        {"2027-02-01T10:00Z", {}},
        {"2027-02-01", {}},
        {"2027-02-01T24:00:00Z", {}},
        {"2027-02-01T10:60:00Z", {}},
        {"2027-02-01T10:00:60Z", {}},
        {"2027-02-01T10:00:00.Z", {}},
        {"2027-02-01T10:00:00+0530", {}},
        {"2027-02-01T10:00:00+05", {}},
        {"2027-02-01T10:00:00+24:00", {}},
        {"2027-02-01T10:00:00 05:30", {}},
        {"2027-02-01T10:00:00IST", {}},
        {"2027-02-01T10:00:00Zz", {}},
        {"2027-02-30T10:00:00Z", {}},
        {"now", {}},
        {"infinity", {}},
        {"", {}},
        {"0001-01-01T00:00:00+01:00", {}},
        {"9999-12-31T23:59:59-01:00", {}},
        {"9999-12-31T23:59:59Z", 253'402'300'799'000'000},
    };
    for (const auto &[text, micros] : kInstants) {
        SCOPED_TRACE(text);
        const auto read = parse_instant(text);
        ASSERT_EQ(bool(read), micros.has_value());
        if (micros) {
            EXPECT_EQ(read.value(), *micros);
        }
    }
}

TEST(Values, AskForTheRightKindOfJson) {
    std::pmr::monotonic_buffer_resource memory;
    const JsonValue json =
        read_json(R"({"text":"9845012367","number":9845012367,"real":2.5,"yes":true,"none":null,"list":["a"],
                      "id":"01981f6e-0000-7000-8000-00000000000a","day":"2027-02-28","moment":"2027-02-28T00:00:00Z"})",
                  memory)
            .value;
    const auto at = [&](std::string_view name) -> const JsonValue & { return *json.find(name); };
    EXPECT_EQ(text_from(at("text")).value(), "9845012367");
    for (const auto name : {"number", "yes", "none", "list"})
        EXPECT_STREQ(text_from(at(name)).refusal().code, "type") << name;
    EXPECT_EQ(integer_from(at("number"), 0, kMost).value(), 9845012367);
    EXPECT_STREQ(integer_from(at("text"), 0, kMost).refusal().code, "type");
    EXPECT_STREQ(integer_from(at("real"), 0, kMost).refusal().code, "invalid");
    EXPECT_TRUE(boolean_from(at("yes")).value());
    EXPECT_STREQ(boolean_from(at("text")).refusal().code, "type");
    EXPECT_EQ(uuid_from(at("id")).value()[0], 0x01);
    EXPECT_STREQ(uuid_from(at("text")).refusal().code, "invalid");
    EXPECT_EQ(date_from(at("day")).value(), 20877);
    EXPECT_STREQ(date_from(at("number")).refusal().code, "type");
    EXPECT_EQ(instant_from(at("moment")).value(), 20877 * std::int64_t{86'400'000'000});
    EXPECT_EQ(number_from(at("real"), 0, 10).value(), 2.5);
    EXPECT_STREQ(number_from(at("real"), 3, 10).refusal().code, "range");
    EXPECT_TRUE(parse_boolean("true").value());
    EXPECT_FALSE(parse_boolean("false").value());
    for (const auto text : {"True", "1", "yes", "t", ""})
        EXPECT_FALSE(parse_boolean(text)) << text;
}

} // namespace
