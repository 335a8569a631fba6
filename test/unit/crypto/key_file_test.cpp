#include "core/crypto/key_file.hpp"

#include <gtest/gtest.h>
#include <string>

namespace relygate::core {
namespace {

const std::string kOne = "00112233445566778899aabbccddeeff00112233445566778899AABBCCDDEEFF";
const std::string kTwo = std::string(62, '0') + "01";

TEST(KeyFile, TakesKeysBlankLinesAndRemarks) {
    const struct {
        std::string text;
        std::size_t count;
    } cases[] = {
        {kOne, 1},
        {kOne + "\n", 1},
        {"# made today\n\n" + kOne + "\r\n" + kTwo + "\n", 2},
        {kOne + "\n" + kTwo + "\n" + kOne + "\n" + kTwo + "\n" + kOne + "\n" + kTwo + "\n" + kOne + "\n" + kTwo, 8}};
    for (const auto &c : cases) {
        SCOPED_TRACE(c.text);
        FileKeys keys;
        EXPECT_EQ(read_key_file(c.text, keys), nullptr);
        EXPECT_EQ(keys.count, c.count);
    }
    FileKeys keys;
    ASSERT_EQ(read_key_file(kOne + "\n" + kTwo, keys), nullptr);
    EXPECT_EQ(keys.keys[0].bytes[1], 0x11);
    EXPECT_EQ(keys.keys[0].bytes[31], 0xff);
    EXPECT_EQ(keys.keys[1].bytes[31], 1);
    EXPECT_NE(keys.keys[0].id, keys.keys[1].id);
    EXPECT_FALSE(std::equal(keys.keys[0].id.begin(), keys.keys[0].id.end(), keys.keys[0].bytes.begin()));
}

TEST(KeyFile, RefusesWhatIsNoKeyFile) {
    const struct {
        std::string text, why;
    } cases[] = {{"", "it holds no key"},
                 {"\n# nothing\n", "it holds no key"},
                 {kOne.substr(1), "a line is not 64 hexadecimal digits"},
                 {kOne + "0", "a line is not 64 hexadecimal digits"},
                 {" " + kOne, "a line is not 64 hexadecimal digits"},
                 {kOne + "\n" + kTwo.substr(1) + "g", "a line is not 64 hexadecimal digits"},
                 {std::string(64, '0'), "a key is one byte repeated"},
                 {std::string(64, 'a'), "a key is one byte repeated"},
                 {kOne + "\n" + kOne + "\n" + kOne + "\n" + kOne + "\n" + kOne + "\n" + kOne + "\n" + kOne + "\n" +
                      kOne + "\n" + kOne,
                  "it holds more than 8 keys"}};
    for (const auto &c : cases) {
        SCOPED_TRACE(c.text);
        FileKeys keys;
        const char *why = read_key_file(c.text, keys);
        ASSERT_NE(why, nullptr);
        EXPECT_EQ(why, c.why);
    }
}

} // namespace
} // namespace relygate::core
