// Mobiles of other countries in their own forms (numbers chosen within ranges that libphonenumber 8.12 knows), what
// must not pass, and properties of the whole table.
#include <gtest/gtest.h>

#include <random>
#include <string>

#include "core/validation/calling_plans.hpp"
#include "core/validation/country.hpp"
#include "core/validation/mobile.hpp"
#include "core/validation/plan_pattern.hpp"

using namespace relygate::core;

namespace {

struct Case {
    const char *country, *text, *value; // null: refused
};

std::string normalized(std::string_view text, std::string_view country) {
    std::pmr::monotonic_buffer_resource memory;
    const auto mobile = normalize_mobile(text, country, memory);
    return mobile ? std::string(mobile.value()) : std::string();
}

} // namespace

TEST(Mobile, NationalFormsOfTheTenantsCountry) {
    constexpr Case kCases[] = {
        {"AE", "050 123 4567", "+971501234567"},     {"AR", "011 15-2345-6789", "+5491123456789"},
        {"AT", "0664 1234567", "+436641234567"},     {"AU", "0412 345 678", "+61412345678"},
        {"BD", "01712-345678", "+8801712345678"},    {"BR", "0 21 11 91234-5678", "+5511912345678"},
        {"BT", "17123456", "+97517123456"},          {"CN", "138 0013 8000", "+8613800138000"},
        {"DE", "0151 23456789", "+4915123456789"},   {"FR", "06 12 34 56 78", "+33612345678"},
        {"GB", "07400 123456", "+447400123456"},     {"GB", "447400123456", "+447400123456"},
        {"HU", "06 20 123 4567", "+36201234567"},    {"ID", "0812-3456-7890", "+6281234567890"},
        {"IT", "333 123 4567", "+393331234567"},     {"JP", "090-1234-5678", "+819012345678"},
        {"KE", "0712 345678", "+254712345678"},      {"LK", "071 234 5678", "+94712345678"},
        {"MX", "044 55 1234 5678", "+525512345678"}, {"NG", "0803 123 4567", "+2348031234567"},
        {"NP", "984-1234567", "+9779841234567"},     {"PK", "0301 2345678", "+923012345678"},
        {"QA", "3312 3456", "+97433123456"},         {"RU", "8 (916) 123-45-67", "+79161234567"},
        {"SA", "050 123 4567", "+966501234567"},     {"SG", "8123 4567", "+6581234567"},
        {"US", "(202) 555-0123", "+12025550123"},    {"US", "1 202 555 0123", "+12025550123"},
        {"ZA", "082 123 4567", "+27821234567"},
    };
    for (const auto &one : kCases) {
        SCOPED_TRACE(one.country + std::string(" ") + one.text);
        EXPECT_EQ(normalized(one.text, one.country), one.value);
        EXPECT_EQ(normalized(one.value, "IN"), one.value) << "a guest of that country at an Indian tenant";
        EXPECT_EQ(normalized("00" + std::string(one.value + 1), "IN"), one.value);
    }
}

TEST(Mobile, Refused) {
    constexpr Case kCases[] = {
        {"US", "555-123-4567", nullptr},   // no such area
        {"US", "(202) 155-0123", nullptr}, // no exchange begins with 1
        {"GB", "07400 12345", nullptr},    // a digit short
        {"GB", "07400 1234567", nullptr},  // a digit long
        {"DE", "0151 234567", nullptr},    // two digits short
        {"AE", "050 123 456", nullptr},
        {"SG", "7123 4567", nullptr},
        {"NP", "984123456", nullptr},
        {"", "9845012367", nullptr}, // no country, no meaning
        {"IN", "+44 7400 12345", nullptr},
        {"IN", "+999 12345678", nullptr},
        {"IN", "+0 9845012367", nullptr},
        {"IN", "+", nullptr},
        {"IN", "", nullptr},
        {"IN", "98450+12367", nullptr},
        {"IN", "++919845012367", nullptr},
        {"IN", "9845012367\n9845012368", nullptr},
        {"IN", "98450 12367;", nullptr},
        {"IN", "5845012367", nullptr},
        {"IN", "+91 5845012367", nullptr},
        {"IN", "98450123671", nullptr},
        {"IN", "00", nullptr},
        {"ZZ", "9845012367", nullptr},
    };
    for (const auto &one : kCases)
        EXPECT_EQ(normalized(one.text, one.country), "") << one.country << " " << one.text;
}

TEST(Mobile, SaysThatASpreadsheetTookTheDigits) {
    std::pmr::monotonic_buffer_resource memory;
    EXPECT_STREQ(normalize_mobile("9.84501E+09", "IN", memory).refusal().message,
                 "mobile number has lost its last digits in a spreadsheet");
}

// What comes out goes in again, at any tenant, and has the form of E.164.
TEST(Mobile, RandomDigitsKeepTheProperties) {
    std::mt19937 random(164);
    int taken = 0;
    for (int i = 0; i < 50000; ++i) {
        std::string text(random() % 3 == 0 ? "+" : "");
        for (std::size_t length = 4 + random() % 14; length > 0; --length)
            text += static_cast<char>('0' + random() % 10);
        const auto &country = countries()[random() % countries().size()];
        const auto value = normalized(text, country.code);
        if (value.empty())
            continue;
        ++taken;
        ASSERT_EQ(value.front(), '+') << text;
        ASSERT_TRUE(value.size() >= 9 && value.size() <= 16) << text << " " << value;
        ASSERT_EQ(normalized(value, "IN"), value) << text << " at " << country.code;
        ASSERT_TRUE(looks_like_mobile(text)) << "the domain must take what the trigger takes: " << text;
    }
    EXPECT_GT(taken, 500);
}

TEST(Mobile, EveryCountryHasAPlan) {
    EXPECT_EQ(countries().size(), 249U);
    for (const auto &country : countries())
        EXPECT_TRUE(is_calling_code(country.calling_code)) << country.code;
}

TEST(PlanPattern, Language) {
    EXPECT_TRUE(fits_plan("[6-9]#9", "9845012367"));
    EXPECT_FALSE(fits_plan("[6-9]#9", "984501236"));
    EXPECT_TRUE(fits_plan("(1#2,4|2(3|4[5-7]#1-2))", "12345"));
    EXPECT_FALSE(fits_plan("(1#2,4|2(3|4[5-7]#1-2))", "1234"));
    EXPECT_TRUE(fits_plan("(1#2,4|2(3|4[5-7]#1-2))", "23"));
    EXPECT_TRUE(fits_plan("(1#2,4|2(3|4[5-7]#1-2))", "24512"));
    EXPECT_FALSE(fits_plan("(1#2,4|2(3|4[5-7]#1-2))", "248"));
    EXPECT_TRUE(fits_plan("1.3", "123"));
    EXPECT_FALSE(fits_plan("1.3", "1"));
    EXPECT_FALSE(fits_plan("(1#2|2#1)", ""));
}
