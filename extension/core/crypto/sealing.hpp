// Secrets at rest: AES-256-GCM (NIST SP 800-38D) under a key of the key file. What is sealed is bound to a label (the
// id and purpose of the key that it is), so a sealed value moved to another row does not open there. Layout: 1 version,
// 8 id of the file's key, 12 nonce, then the ciphertext, 16 tag.
#pragma once

#include "core/base/outcome.hpp"
#include "core/crypto/key_file.hpp"

namespace relygate::core {

constexpr std::size_t kNonceSize = 12;
constexpr std::size_t kSealOverhead = 1 + kFileKeyIdSize + kNonceSize + 16;

// The nonce is 12 random bytes, never used before. Empty where OpenSSL fails.
std::string_view seal(const FileKey &key, std::string_view label, std::string_view secret,
                      std::span<const std::uint8_t, kNonceSize> nonce, Memory memory);

enum class Opening : std::uint8_t { opened, not_sealed, other_key, damaged };
struct Opened {
    Opening how;
    std::string_view secret;
};
// other_key: no key of these sealed it. damaged: the bytes or the label are not those that were sealed.
Opened open_sealed(std::span<const FileKey> keys, std::string_view label, std::string_view sealed, Memory memory);

// Which of the keys sealed it: 1 is the first; 0: none, or it is no sealed value.
int sealed_under(std::span<const FileKey> keys, std::string_view sealed);

} // namespace relygate::core
