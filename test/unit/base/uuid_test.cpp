// UUIDs: the text form, and the bits of version 7 (RFC 9562, appendix A.6).
#include <gtest/gtest.h>

#include <string>

#include "core/base/uuid.hpp"

using namespace relygate::core;

TEST(Uuid, ParsesTheCanonicalFormOnly) {
    const std::string text = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
    const auto uuid = parse_uuid(text);
    ASSERT_TRUE(uuid);
    EXPECT_EQ(view(print_uuid(*uuid)), text);
    EXPECT_EQ(parse_uuid("017F22E2-79B0-7CC3-98C4-DC0C0C07398F"), uuid);
    for (const char *bad : {"", "017f22e279b07cc398c4dc0c0c07398f", "{017f22e2-79b0-7cc3-98c4-dc0c0c07398f}",
                            "017f22e2-79b0-7cc3-98c4-dc0c0c07398", "017f22e2-79b0-7cc3-98c4-dc0c0c07398f0",
                            "017f22e2-79b0-7cc3-98c4-dc0c0c07398g", "017f22e2079b0-7cc3-98c4-dc0c0c07398f",
                            "017f22e2-79b0-7cc3-98c4-dc0c0c0739\xC3\xA9"})
        EXPECT_FALSE(parse_uuid(bad)) << bad;
}

TEST(Uuid, VersionSevenOfTheRfc) {
    const std::array<std::uint8_t, 8> random = {0x18, 0xC4, 0xDC, 0x0C, 0x0C, 0x07, 0x39, 0x8F};
    EXPECT_EQ(view(print_uuid(make_uuid_v7(0x017F22E279B0, 0xCC3, random))), "017f22e2-79b0-7cc3-98c4-dc0c0c07398f");
}

TEST(Uuid, GrowsWithTime) {
    const std::array<std::uint8_t, 8> none{}, all = {255, 255, 255, 255, 255, 255, 255, 255};
    EXPECT_LT(make_uuid_v7(1000, 0, all), make_uuid_v7(1000, 1, none));
    EXPECT_LT(make_uuid_v7(1000, 0xFFF, all), make_uuid_v7(1001, 0, none));
}
