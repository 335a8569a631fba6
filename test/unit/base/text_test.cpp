// UTF-8 from hostile hands, digits of all scripts, composing and folding.
#include <gtest/gtest.h>

#include <string>

#include "core/base/text.hpp"

using namespace relygate::core;

TEST(Text, RefusesIllFormedUtf8) {
    using namespace std::string_view_literals;
    for (const auto bad : {"\x80"sv, "\xC0\x80"sv, "\xC1\xBF"sv, "\xE0\x80\x80"sv, "\xED\xA0\x80"sv,
                           "\xF4\x90\x80\x80"sv, "\xF8\x88\x80\x80\x80"sv, "\xE2\x82"sv, "\xFF"sv, "a\0b"sv})
        EXPECT_FALSE(is_valid_utf8(bad));
    for (const auto good : {""sv, "a"sv, "\u00E9"sv, "\uFFFF"sv, "\U0010FFFF"sv})
        EXPECT_TRUE(is_valid_utf8(good));
    EXPECT_EQ(count_characters("a\u0915\U00020BB7"), 3U);
}

TEST(Text, DigitsOfAllScripts) {
    for (const char *zero_to_nine :
         {"0123456789", "\u0966\u0967\u0968\u0969\u096A\u096B\u096C\u096D\u096E\u096F",
          "\u0660\u0661\u0662\u0663\u0664\u0665\u0666\u0667\u0668\u0669",
          "\uFF10\uFF11\uFF12\uFF13\uFF14\uFF15\uFF16\uFF17\uFF18\uFF19",
          "\U0001D7D8\U0001D7D9\U0001D7DA\U0001D7DB\U0001D7DC\U0001D7DD\U0001D7DE\U0001D7DF\U0001D7E0\U0001D7E1"}) {
        CodePoints digits(zero_to_nine);
        for (int value = 0; value < 10; ++value)
            EXPECT_EQ(digit_value(digits.next()), value);
    }
    for (const std::int32_t other : {0x00B2, 0x2460, 0x61, 0x5341, -1, -2, 0x110000})
        EXPECT_EQ(digit_value(other), -1);
}

TEST(Text, Trims) {
    EXPECT_EQ(trim(" \t\r\n\u00A0\u3000\uFEFFa b\uFEFF\u3000\u00A0 "), "a b");
    EXPECT_EQ(trim("\u3000\u3000"), "");
    EXPECT_EQ(trim("\xA0"), "\xA0") << "half a character is no blank";
    EXPECT_EQ(trim("\u4E00"), "\u4E00");
    EXPECT_EQ(trim(""), "");
}

TEST(Text, ComposesAndFolds) {
    std::pmr::monotonic_buffer_resource memory;
    EXPECT_EQ(compose("Jose\u0301", memory), "Jos\u00E9");
    EXPECT_EQ(compose("\u212B", memory), "\u00C5");
    EXPECT_EQ(fold_search("JOSE\u0301 Stra\u00DFe \uFF21\u200B", memory), "jos\u00E9 strasse a");
    EXPECT_EQ(fold_search("jos\u00E9 STRASSE a", memory), "jos\u00E9 strasse a");
    EXPECT_EQ(fold_search("", memory), "");
    for (const char *text : {"\u0130I\u0131", "\u1E9E\u0344", "\u00AD\u0301a", "\uFB03"}) {
        const auto once = fold_search(text, memory);
        EXPECT_EQ(fold_search(once, memory), once) << text;
    }
}

TEST(Text, Classes) {
    EXPECT_TRUE(is_letter(0x0915) && is_letter('a') && !is_letter('1') && !is_letter(-2) && !is_letter(0x110000));
    EXPECT_TRUE(is_mark(0x0301) && is_mark(0x093E) && !is_mark('a'));
    EXPECT_TRUE(is_virama(0x094D) && !is_virama(0x093E));
    EXPECT_TRUE(is_format(0x200D) && is_control(7) && is_bidi_control(0x202E) && is_ignorable(0x3164));
    EXPECT_TRUE(is_arabic_letter(0x06CC) && !is_arabic_letter(0x0661) && !is_arabic_letter(0x05D0));
}
