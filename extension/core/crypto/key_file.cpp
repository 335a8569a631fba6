// See key_file.hpp.
#include "core/crypto/key_file.hpp"

#include <algorithm>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

namespace relygate::core {
namespace {

constexpr std::string_view kIdLabel = "relygate key file\n";

int digit(char c) {
    return c >= '0' && c <= '9'   ? c - '0'
           : c >= 'a' && c <= 'f' ? c - 'a' + 10
           : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                  : -1;
}

bool read_key(std::string_view line, FileKey &key) {
    if (line.size() != 2 * kFileKeySize)
        return false;
    for (std::size_t i = 0; i < kFileKeySize; ++i) {
        const int high = digit(line[2 * i]), low = digit(line[2 * i + 1]);
        if (high < 0 || low < 0)
            return false;
        key.bytes[i] = static_cast<std::uint8_t>(high << 4 | low);
    }
    std::array<std::uint8_t, kIdLabel.size() + kFileKeySize> text;
    std::copy(kIdLabel.begin(), kIdLabel.end(), text.begin());
    std::copy(key.bytes.begin(), key.bytes.end(), text.begin() + kIdLabel.size());
    std::array<std::uint8_t, EVP_MAX_MD_SIZE> digest;
    const bool made = EVP_Digest(text.data(), text.size(), digest.data(), nullptr, EVP_sha256(), nullptr) == 1;
    OPENSSL_cleanse(text.data(), text.size());
    if (!made)
        ERR_clear_error();
    std::copy_n(digest.begin(), kFileKeyIdSize, key.id.begin());
    return made;
}

} // namespace

const char *read_key_file(std::string_view text, FileKeys &keys) {
    keys.count = 0;
    while (!text.empty()) {
        const std::size_t end = text.find('\n');
        std::string_view line = text.substr(0, end);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
        if (line.ends_with('\r'))
            line.remove_suffix(1);
        if (line.empty() || line.starts_with('#'))
            continue;
        if (keys.count == kMostFileKeys)
            return "it holds more than 8 keys";
        FileKey &key = keys.keys[keys.count];
        if (!read_key(line, key))
            return "a line is not 64 hexadecimal digits";
        if (std::all_of(key.bytes.begin(), key.bytes.end(), [&](std::uint8_t byte) { return byte == key.bytes[0]; }))
            return "a key is one byte repeated";
        keys.count++;
    }
    return keys.count == 0 ? "it holds no key" : nullptr;
}

} // namespace relygate::core
