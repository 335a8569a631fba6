// Identity numbers: the check digit finds what it must, and no refusal repeats any of the number. All numbers are
// invented.
#include <gtest/gtest.h>

#include <string>

#include "core/validation/identity_document.hpp"

using namespace relygate::core;

namespace {

bool is_taken(const char *type, std::string_view text, std::string_view country = "IN") {
    std::pmr::monotonic_buffer_resource memory;
    return static_cast<bool>(normalize_document_number(type, text, country, memory));
}

} // namespace

TEST(Verhoeff, FindsEachSingleErrorAndEachExchangeOfNeighbours) {
    const std::string right = "236384729104";
    ASSERT_TRUE(has_verhoeff_digit(right));
    for (std::size_t place = 0; place < right.size(); ++place)
        for (char digit = '0'; digit <= '9'; ++digit) {
            auto wrong = right;
            wrong[place] = digit;
            EXPECT_EQ(has_verhoeff_digit(wrong), wrong == right) << wrong;
        }
    for (std::size_t place = 0; place + 1 < right.size(); ++place) {
        auto wrong = right;
        std::swap(wrong[place], wrong[place + 1]);
        EXPECT_EQ(has_verhoeff_digit(wrong), wrong == right) << wrong;
    }
    EXPECT_TRUE(has_verhoeff_digit("2363")); // the example of the literature: 236 and its digit 3
    EXPECT_FALSE(has_verhoeff_digit(""));
    EXPECT_FALSE(has_verhoeff_digit("23638472910\xE9"));
}

TEST(IdentityDocument, ByType) {
    struct Case {
        const char *type, *text;
        bool is_ok;
    };
    constexpr Case kCases[] = {
        {"aadhaar", "2363-8472-9104", true},
        {"aadhaar", "23638472910", false},
        {"pan", "ABCPK4821Q", true},
        {"pan", "ABCPK4821", false},
        {"passport", "K4821907", true},
        {"passport", "K4821", false},
        {"passport", "C01X0006H", true},
        {"passport", "C01X0006HZ", false},
        {"passport", "PASSPORT", false},
        {"driving_licence", "KA-03/2015/0012345", true},
        {"driving_licence", "KA0320150012", false},
        {"driving_licence", "XX0320150012345", false},
        {"driving_licence", "KA0318150012345", false},
        {"voter_id", "ABC1234567", true},
        {"voter_id", "AB12", false},
        {"employee_id", "emp-0042", true},
        {"student_id", "2024/CS/017", true},
        {"employee_id", "", false},
        {"employee_id", "E\u0967", false},
        {"library_card", "12345", false},
    };
    for (const auto &one : kCases)
        EXPECT_EQ(is_taken(one.type, one.text), one.is_ok) << one.type << " " << one.text;
    EXPECT_TRUE(is_taken("driving_licence", "MORGA657054SM9IJ", "GB"));
    EXPECT_FALSE(is_taken("driving_licence", "MORGA657054SM9IJ", "IN"));
}

TEST(IdentityDocument, NoRefusalRepeatsTheNumber) {
    for (const char *type : {"aadhaar", "pan", "passport", "driving_licence", "voter_id", "employee_id"})
        for (const char *text :
             {"2363 8472 9105 7777 8888 9999 3333", "9105", "9120456789012345", "XXXX XXXX 9105", "\3779105"}) {
            std::pmr::monotonic_buffer_resource memory;
            const auto number = normalize_document_number(type, text, "IN", memory);
            if (number)
                continue;
            const auto &refusal = number.refusal();
            const auto all = std::string(refusal.message) + (refusal.hint ? refusal.hint : "") + refusal.detail;
            EXPECT_EQ(all.find("9105"), std::string::npos) << all;
            EXPECT_EQ(all.find("9120"), std::string::npos) << all;
        }
}

TEST(IdentityDocument, MaskShowsTheLastOnly) {
    std::pmr::monotonic_buffer_resource memory;
    EXPECT_EQ(mask_document_number("aadhaar", "236384729104", memory), "XXXXXXXX9104");
    EXPECT_EQ(mask_document_number("passport", "K4821907", memory), "XXXX1907");
    EXPECT_EQ(mask_document_number("employee_id", "E0042", memory), "XXX42");
    EXPECT_EQ(mask_document_number("employee_id", "7", memory), "X");
}
