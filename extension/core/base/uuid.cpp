// See uuid.hpp.
#include "core/base/uuid.hpp"

#include <algorithm>

namespace relygate::core {

namespace {

int hexadecimal(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

constexpr bool is_hyphen_place(std::size_t place) {
    return place == 8 || place == 13 || place == 18 || place == 23;
}

} // namespace

std::optional<Uuid> parse_uuid(std::string_view text) {
    if (text.size() != std::tuple_size_v<UuidText>)
        return std::nullopt;
    Uuid uuid{};
    std::size_t nibble = 0;
    for (std::size_t place = 0; place < text.size(); ++place) {
        if (is_hyphen_place(place)) {
            if (text[place] != '-')
                return std::nullopt;
            continue;
        }
        const int value = hexadecimal(text[place]);
        if (value < 0)
            return std::nullopt;
        uuid[nibble / 2] = static_cast<std::uint8_t>(uuid[nibble / 2] << 4 | value);
        ++nibble;
    }
    return uuid;
}

UuidText print_uuid(const Uuid &uuid) {
    constexpr char kDigits[] = "0123456789abcdef";
    UuidText text;
    char *at = text.data();
    for (std::size_t i = 0; i < uuid.size(); ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10)
            *at++ = '-';
        *at++ = kDigits[uuid[i] >> 4];
        *at++ = kDigits[uuid[i] & 15];
    }
    return text;
}

Uuid make_uuid_v7(std::uint64_t unix_ms, std::uint16_t sub_ms, std::span<const std::uint8_t, 8> random) {
    Uuid uuid;
    for (int i = 0; i < 6; ++i)
        uuid[static_cast<std::size_t>(i)] = static_cast<std::uint8_t>(unix_ms >> (40 - 8 * i));
    uuid[6] = static_cast<std::uint8_t>(0x70 | (sub_ms >> 8 & 0x0F));
    uuid[7] = static_cast<std::uint8_t>(sub_ms);
    std::copy(random.begin(), random.end(), uuid.begin() + 8);
    uuid[8] = static_cast<std::uint8_t>(0x80 | (uuid[8] & 0x3F));
    return uuid;
}

} // namespace relygate::core
