// RFC 4648, 10 without padding; then that each sequence of bytes has exactly one text.
#include "core/base/base64url.hpp"

#include <gtest/gtest.h>
#include <random>
#include <string>

using namespace relygate::core;

namespace {

struct Pair {
    std::string_view bytes;
    std::string_view text;
};

constexpr Pair kPairs[] = {
    {"", ""},           {"f", "Zg"},          {"fo", "Zm8"},          {"foo", "Zm9v"},
    {"foob", "Zm9vYg"}, {"fooba", "Zm9vYmE"}, {"foobar", "Zm9vYmFy"}, {"\xFB\xFF\xBF", "-_-_"},
};

TEST(Base64url, EncodesAndDecodes) {
    std::pmr::monotonic_buffer_resource memory;
    for (const auto &[bytes, text] : kPairs) {
        SCOPED_TRACE(text);
        EXPECT_EQ(encode_base64url(bytes, memory), text);
        EXPECT_EQ(decode_base64url(text, memory), bytes);
    }
}

TEST(Base64url, RefusesEveryOtherSpelling) {
    constexpr std::string_view kWrong[] = {
        "Z",      "Zg==",  "Zg=",   "Zh",   "Zm9=", "Zm9", // one character, padding, bits that are not zero
        "Zm9v\n", " Zm9v", "Zm 9v", "Zm9+", "Zm9/", "Zm9.", "Zm9v\\", "\xC3\xA9g", {"Zm9\0", 4},
    };
    std::pmr::monotonic_buffer_resource memory;
    for (const auto text : kWrong) {
        SCOPED_TRACE(text);
        EXPECT_FALSE(decode_base64url(text, memory));
    }
}

TEST(Base64url, GivesBackWhatItWasGiven) {
    std::mt19937 random(20261125);
    for (int i = 0; i < 2000; ++i) {
        std::string bytes(random() % 70, '\0');
        for (char &byte : bytes)
            byte = static_cast<char>(random());
        std::pmr::monotonic_buffer_resource memory;
        const std::string text(encode_base64url(bytes, memory));
        ASSERT_EQ(decode_base64url(text, memory), bytes);
        if (text.empty())
            continue;
        // Another text is other bytes or none.
        std::string other = text;
        other[random() % other.size()] = "ABCDEFxyz019-_=+/ "[random() % 18];
        if (const auto decoded = decode_base64url(other, memory); decoded && other != text) {
            ASSERT_NE(*decoded, bytes) << text << " and " << other;
        }
    }
}

} // namespace
