// The file whose keys seal what the database keeps secret: one key a line, 64 hexadecimal digits; blank lines and lines
// that begin with # are passed over. The first key seals; those below it still open what they sealed, so a key is
// changed by putting a new line on top and sealing everything again.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace relygate::core {

constexpr std::size_t kFileKeySize = 32;
constexpr std::size_t kFileKeyIdSize = 8;
constexpr std::size_t kMostFileKeys = 8;

struct FileKey {
    std::array<std::uint8_t, kFileKeySize> bytes;
    std::array<std::uint8_t, kFileKeyIdSize> id; // tells which key sealed something, and nothing about the key
};

struct FileKeys {
    std::array<FileKey, kMostFileKeys> keys;
    std::size_t count = 0;

    [[nodiscard]] std::span<const FileKey> all() const { return {keys.data(), count}; }
};

// Null where the text is a key file, else what is wrong with it, a clause without any of its text.
const char *read_key_file(std::string_view text, FileKeys &keys);

} // namespace relygate::core
