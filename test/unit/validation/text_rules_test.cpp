// Names, labels, codes, e-mail addresses, passwords, zones and countries beside the cases: both sides of each boundary.
#include <gtest/gtest.h>

#include <string>

#include "core/validation/code.hpp"
#include "core/validation/country.hpp"
#include "core/validation/email.hpp"
#include "core/validation/label.hpp"
#include "core/validation/password.hpp"
#include "core/validation/person_name.hpp"
#include "core/validation/time_zone.hpp"

using namespace relygate::core;

namespace {

template <Outcome<std::string_view> (*rule)(std::string_view, Memory)> std::string apply(std::string_view text) {
    std::pmr::monotonic_buffer_resource memory;
    const auto ruled = rule(text, memory);
    return ruled ? "[" + std::string(ruled.value()) + "]" : std::string("refused");
}
constexpr auto name = apply<normalize_person_name>;
constexpr auto label = apply<normalize_label>;
constexpr auto remark = apply<normalize_remark>;
constexpr auto email = apply<normalize_email>;

bool is_good(std::string_view password, std::string_view user_name = "ravi") {
    return static_cast<bool>(check_password(password, user_name));
}

} // namespace

TEST(PersonName, Boundaries) {
    EXPECT_EQ(name(std::string(100, 'a')), "[" + std::string(100, 'a') + "]");
    EXPECT_EQ(name(std::string(101, 'a')), "refused");
    EXPECT_EQ(name(" \u00A0\u3000\uFEFF\tRavi\r\n"), "[Ravi]");
    for (const char *bad :
         {"",           "   ",          "\u0301Ravi",         "Ravi\u3164", "\u3164",     "Ra\u00ADvi", "Ra\uFEFFvi",
          "Ravi\u200D", "R\u200Cavi",   "\u0639\u200D\u0639", "Ravi_1",     "Ravi, Das",  "a&b",        "a;b",
          "Ravi\xFF",   "Ra\xC0\x80vi", "\xED\xA0\x80",       "Ravi\nDas",  "Ravi\u2028", "R\u034Favi"})
        EXPECT_EQ(name(bad), "refused") << bad;
    EXPECT_EQ(name(std::string_view("Ra\0vi", 5)), "refused");
    for (const char *good :
         {"\u05D2\u05F3\u05D5\u05E8\u05D2\u05F3", "Gal\u00B7la", "\u30A2\u30FB\u30A4", "\u0D28\u0D4D\u200D"})
        EXPECT_EQ(name(good), "[" + std::string(good) + "]");
}

TEST(Label, Boundaries) {
    EXPECT_EQ(label(std::string(250, 'x')), "[" + std::string(250, 'x') + "]");
    EXPECT_EQ(label(std::string(251, 'x')), "refused");
    EXPECT_EQ(label("  <b>Tower & Co</b> "), "[<b>Tower & Co</b>]") << "escaping is the reader's business";
    EXPECT_EQ(label("two\nlines"), "refused");
    for (const char *unseen : {"\u200B", "\u00AD", "\u061C", "\u200E", "\u200F", "\u2060", "\uFEFF", "\u034F", "\u180E",
                               "\u3164", "\u200D", "\u200C", "\uFE0F", "\U000E0041", "\u200B\u200D"}) {
        EXPECT_EQ(label(std::string("Deli") + unseen + "very"), "[Delivery]") << unseen;
        EXPECT_EQ(label(std::string(unseen) + "Tour" + unseen), "[Tour]") << unseen;
        EXPECT_EQ(label(unseen), "refused") << unseen;
    }
    EXPECT_EQ(label("one\u2028two\u2029"), "[one two]");
    for (const char *spelled :
         {"\u0D2E\u0D4D\u200D", "\u0915\u094D\u200C\u0937", "\u09B0\u200D\u09CD\u09AF",
          "\u0645\u06CC\u200C\u062E\u0648\u0627\u0647\u0645", "\u2764\uFE0F",
          "\U0001F469\u200D\u2764\uFE0F\u200D\U0001F468", "1\uFE0F\u20E3",
          "\U0001F3F4\U000E0067\U000E0062\U000E0065\U000E006E\U000E0067\U000E007F", "\u8FBB\U000E0100", "a\u0301b"})
        EXPECT_NE(label(spelled), "refused") << spelled;
    EXPECT_EQ(label("\u0915\u094D\u200C\u0937"), "[\u0915\u094D\u200C\u0937]") << "an explicit virama";
    EXPECT_EQ(label("\U0001F469\u200D\u2764\uFE0F\u200D\U0001F468"), "[\U0001F469\u200D\u2764\uFE0F\u200D\U0001F468]");
    EXPECT_EQ(label("1\uFE0F\u20E3"), "[1\uFE0F\u20E3]");
    EXPECT_EQ(label("\u0645\u06CC\u200C\u062E\u0648"), "[\u0645\u06CC\u200C\u062E\u0648]") << "Persian";
    EXPECT_EQ(label("turn\u202Eed"), "refused");
    std::pmr::monotonic_buffer_resource memory;
    EXPECT_TRUE(looks_like_label("Deli\u200Bvery", memory)) << "a dump of 1.0.0 is restored";
    EXPECT_FALSE(looks_like_label("two\nlines", memory));
    EXPECT_EQ(remark("two\nlines"), "[two\nlines]");
    EXPECT_EQ(remark(std::string(500, 'x')), "[" + std::string(500, 'x') + "]");
    EXPECT_EQ(remark(std::string(501, 'x')), "refused");
    EXPECT_EQ(remark("a\u202Eb"), "refused");
    EXPECT_EQ(label(" \t"), "refused");
    EXPECT_EQ(apply<normalize_search>(""), "[]");
    EXPECT_EQ(apply<normalize_search>(std::string(201, 'x')), "refused");
}

TEST(Code, Boundaries) {
    EXPECT_EQ(apply<normalize_code>(" green_park1 "), "[GREEN_PARK1]");
    EXPECT_EQ(apply<normalize_code>("A"), "refused");
    EXPECT_EQ(apply<normalize_code>(std::string(51, 'A')), "refused");
    EXPECT_EQ(apply<normalize_code>("A-B"), "refused");
    EXPECT_EQ(apply<normalize_user_name>("Asha.Rao-1_x"), "[Asha.Rao-1_x]");
    EXPECT_EQ(apply<normalize_user_name>("ab"), "refused");
    EXPECT_EQ(apply<normalize_user_name>(std::string(51, 'a')), "refused");
    EXPECT_EQ(apply<normalize_user_name>("a\u0441c"), "refused") << "a Cyrillic look-alike";
}

TEST(Email, Boundaries) {
    EXPECT_EQ(email("a@" + std::string(63, 'b') + ".in"), "[a@" + std::string(63, 'b') + ".in]");
    EXPECT_EQ(email("a@" + std::string(64, 'b') + ".in"), "refused");
    const std::string labels = std::string(62, 'b') + "." + std::string(61, 'c') + "." + std::string(62, 'd') + ".in";
    EXPECT_EQ(email(std::string(63, 'a') + "@" + labels).size(), 256U) << "254 octets and the brackets";
    EXPECT_EQ(email(std::string(64, 'a') + "@" + labels), "refused");
    for (const char *bad :
         {"", "@", "a@", "@b.in", "a@b", "a b@c.in", "a@b..in", "a@.in", "a@b.in.", ".a@b.in", "a.@b.in", "a@b@c.in",
          "a@b-.in", "a@b_c.in", "a@[1.2.3.4]", "a@b.1", "a\u0430@b.in", "a@b.in\nx"})
        EXPECT_EQ(email(bad), "refused") << bad;
}

TEST(Password, Boundaries) {
    EXPECT_TRUE(is_good("Ab1!efgh"));
    EXPECT_FALSE(is_good("Ab1!efg"));
    EXPECT_FALSE(is_good("ab1!efgh"));
    EXPECT_FALSE(is_good("AB1!EFGH"));
    EXPECT_FALSE(is_good("Abc!efgh"));
    EXPECT_FALSE(is_good("Ab1cefgh"));
    EXPECT_FALSE(is_good("Password@123"));
    EXPECT_FALSE(is_good("P@SSW0RD1x", "p@ssw0rd1X")) << "the user name";
    EXPECT_TRUE(is_good("Ab1!" + std::string(1020, 'x')));
    EXPECT_FALSE(is_good("Ab1!" + std::string(1021, 'x')));
    EXPECT_FALSE(is_good("Ab1!efg\x07h"));
    EXPECT_TRUE(is_good("Gr\u00FC\u00DFe7xy"));
    EXPECT_FALSE(is_good("Gr\u00FC\u00DFe7x")) << "nine bytes are seven characters";
    EXPECT_FALSE(check_password("Ab1!efghij", "ravi", 12)) << "the tenant asks for more";
    EXPECT_FALSE(check_password("Ab1!", "ravi", 4)) << "never for less";
}

TEST(TimeZone, NamesOfTheDatabaseOnly) {
    for (const char *zone :
         {"Asia/Kolkata", "Asia/Calcutta", "UTC", "Europe/Kyiv", "America/Argentina/Buenos_Aires", "Etc/GMT+5"})
        EXPECT_TRUE(is_time_zone(zone)) << zone;
    for (const char *zone : {"IST", "UTC+05:30", "foo5", "Nonsense/Zone", "localtime", "posixrules", "Factory", "",
                             "Asia/", "asia/kolkata", "../etc/passwd"})
        EXPECT_FALSE(is_time_zone(zone)) << zone;
    EXPECT_EQ(apply<normalize_time_zone>(" asia/kolkata"), "[Asia/Kolkata]");
}

TEST(Country, CodesOfIso3166) {
    EXPECT_EQ(apply<normalize_country>("in"), "[IN]");
    EXPECT_EQ(apply<normalize_country>("XX"), "refused");
    EXPECT_EQ(apply<normalize_country>("IND"), "refused");
    EXPECT_NE(find_country("ZW"), nullptr);
    EXPECT_EQ(find_country(""), nullptr);
}
