// See base64url.hpp.
#include "core/base/base64url.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace relygate::core {
namespace {

constexpr std::string_view kAlphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

constexpr std::uint8_t kNoValue = 255;

constexpr auto kValues = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(kNoValue);
    for (std::size_t i = 0; i < kAlphabet.size(); ++i)
        values[static_cast<unsigned char>(kAlphabet[i])] = static_cast<std::uint8_t>(i);
    return values;
}();

} // namespace

std::string_view encode_base64url(std::string_view bytes, Memory memory) {
    const std::size_t size = bytes.size() / 3 * 4 + (bytes.size() % 3 ? bytes.size() % 3 + 1 : 0);
    char *const text = static_cast<char *>(memory.allocate(std::max<std::size_t>(size, 1), 1));
    char *out = text;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char byte : bytes) {
        bits = bits << 8 | static_cast<unsigned char>(byte);
        for (count += 8; count >= 6; count -= 6)
            *out++ = kAlphabet[bits >> (count - 6) & 63];
    }
    if (count > 0)
        *out++ = kAlphabet[bits << (6 - count) & 63];
    return {text, size};
}

std::optional<std::string_view> decode_base64url(std::string_view text, Memory memory) {
    if (text.size() % 4 == 1) // six bits are no byte
        return std::nullopt;
    const std::size_t size = text.size() / 4 * 3 + (text.size() % 4 ? text.size() % 4 - 1 : 0);
    char *const bytes = static_cast<char *>(memory.allocate(std::max<std::size_t>(size, 1), 1));
    char *out = bytes;
    std::uint32_t bits = 0;
    int count = 0;
    for (const char character : text) {
        const std::uint32_t value = kValues[static_cast<unsigned char>(character)];
        if (value == kNoValue)
            return std::nullopt;
        bits = bits << 6 | value;
        count += 6;
        if (count >= 8) {
            count -= 8;
            *out++ = static_cast<char>(bits >> count & 255);
        }
    }
    if (bits & ((1U << count) - 1)) // a second spelling of the same bytes
        return std::nullopt;
    return std::string_view{bytes, size};
}

} // namespace relygate::core
