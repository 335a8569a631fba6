// Registration marks beside the cases: each Indian format from both sides of its boundary, and other countries.
#include <gtest/gtest.h>

#include <string>

#include "core/validation/vehicle_number.hpp"

using namespace relygate::core;

namespace {

std::string normalized(std::string_view text, std::string_view country = "IN") {
    std::pmr::monotonic_buffer_resource memory;
    const auto mark = normalize_vehicle_number(text, country, memory);
    return mark ? std::string(mark.value()) : std::string();
}

} // namespace

TEST(VehicleNumber, IndianFormats) {
    for (const char *mark :
         {"KA03MH4821",   "DL7CBR0093",    "TN224410",   "RJ9CA1",          "OD02A1",     "UA07B12", "TS09EA1",
          "LA01A1",       "21BH0001A",     "29BH9999ZZ", "77CD18",          "1CC1",       "44UN7",   "3CDP12",
          "T0126KA0001A", "T1226DL9999ZZ", "KA01TC0042", "KA03A0012TC0042", "MHVAAB0042", "MFC2207", "03D153874H"})
        EXPECT_EQ(normalized(mark), mark);
}

TEST(VehicleNumber, NotIndian) {
    for (const char *mark : {"KA00MH4821",
                             "KA03MH0000",
                             "KA03MH48211",
                             "KA03ABCD4821",
                             "ZZ03MH4821",
                             "20BH6517A",
                             "30BH6517A",
                             "22BH0000A",
                             "22BH6517I",
                             "22BH6517ABC",
                             "0CD18",
                             "77CD0",
                             "77XX18",
                             "T0026KA0001A",
                             "T1326KA0001A",
                             "T0126XX0001A",
                             "ZZVAAB0042",
                             "MHVAAB0000",
                             "MFC0000",
                             "KA",
                             "K",
                             "",
                             "1234567",
                             "KA03MH4821!",
                             "KA0",
                             "KA00",
                             "\u0915\u0916 12"})
        EXPECT_EQ(normalized(mark), "") << mark;
}

TEST(VehicleNumber, ElsewhereTwoToFifteenLettersAndDigits) {
    EXPECT_EQ(normalized("w-67.26 kj", "AT"), "W6726KJ");
    EXPECT_EQ(normalized("A1", "AE"), "A1");
    EXPECT_EQ(normalized("A", "AE"), "");
    EXPECT_EQ(normalized("ABCDEFGHIJKLMN1", "AE"), "ABCDEFGHIJKLMN1");
    EXPECT_EQ(normalized("ABCDEFGHIJKLMNO1", "AE"), "");
    EXPECT_EQ(normalized("\u00C41", "DE"), "") << "an umlaut is no letter of the alphabet that gates search";
}
