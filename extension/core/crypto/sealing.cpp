// See sealing.hpp. Every function leaves OpenSSL's error queue empty.
#include "core/crypto/sealing.hpp"

#include <algorithm>
#include <limits>
#include <memory>
#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

namespace relygate::core {
namespace {

constexpr char kVersion = 1;
constexpr std::size_t kTagSize = 16;
constexpr std::size_t kHeadSize = 1 + kFileKeyIdSize + kNonceSize;

struct FreeCipher {
    void operator()(EVP_CIPHER_CTX *context) const { EVP_CIPHER_CTX_free(context); }
};
using Cipher = std::unique_ptr<EVP_CIPHER_CTX, FreeCipher>;

struct ClearErrors {
    ~ClearErrors() { ERR_clear_error(); }
};

const unsigned char *bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char *>(text.data());
}

unsigned char *bytes(char *text) {
    return reinterpret_cast<unsigned char *>(text);
}

const FileKey *find_key(std::span<const FileKey> keys, std::string_view id) {
    const auto found = std::find_if(keys.begin(), keys.end(), [&](const FileKey &key) {
        return std::equal(key.id.begin(), key.id.end(), bytes(id));
    });
    return found == keys.end() ? nullptr : &*found;
}

bool is_sealed(std::string_view text) {
    return text.size() >= kSealOverhead && text[0] == kVersion;
}

bool fits(std::string_view text) {
    return text.size() <= static_cast<std::size_t>(std::numeric_limits<int>::max());
}

} // namespace

std::string_view seal(const FileKey &key, std::string_view label, std::string_view secret,
                      std::span<const std::uint8_t, kNonceSize> nonce, Memory memory) {
    const ClearErrors clear;
    const Cipher cipher(EVP_CIPHER_CTX_new());
    const std::size_t size = secret.size() + kSealOverhead;
    auto *sealed = static_cast<char *>(memory.allocate(size, 1));
    sealed[0] = kVersion;
    std::copy(key.id.begin(), key.id.end(), sealed + 1);
    std::copy(nonce.begin(), nonce.end(), sealed + 1 + kFileKeyIdSize);
    int length = 0, rest = 0;
    const bool made =
        cipher && fits(label) && fits(secret) &&
        EVP_EncryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key.bytes.data(), nonce.data()) == 1 &&
        EVP_EncryptUpdate(cipher.get(), nullptr, &length, bytes(label), static_cast<int>(label.size())) == 1 &&
        EVP_EncryptUpdate(cipher.get(), bytes(sealed + kHeadSize), &length, bytes(secret),
                          static_cast<int>(secret.size())) == 1 &&
        EVP_EncryptFinal_ex(cipher.get(), bytes(sealed + kHeadSize + length), &rest) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_GET_TAG, kTagSize, sealed + kHeadSize + secret.size()) == 1;
    return made ? std::string_view(sealed, size) : std::string_view{};
}

Opened open_sealed(std::span<const FileKey> keys, std::string_view label, std::string_view sealed, Memory memory) {
    if (!is_sealed(sealed) || !fits(sealed) || !fits(label))
        return {Opening::not_sealed, {}};
    const FileKey *key = find_key(keys, sealed.substr(1, kFileKeyIdSize));
    if (key == nullptr)
        return {Opening::other_key, {}};
    const ClearErrors clear;
    const Cipher cipher(EVP_CIPHER_CTX_new());
    const std::size_t size = sealed.size() - kSealOverhead;
    const std::string_view nonce = sealed.substr(1 + kFileKeyIdSize, kNonceSize);
    std::array<char, kTagSize> tag;
    std::copy_n(sealed.end() - kTagSize, kTagSize, tag.begin());
    auto *secret = static_cast<char *>(memory.allocate(size + 1, 1));
    int length = 0, rest = 0;
    const bool is_whole =
        cipher && EVP_DecryptInit_ex(cipher.get(), EVP_aes_256_gcm(), nullptr, key->bytes.data(), bytes(nonce)) == 1 &&
        EVP_DecryptUpdate(cipher.get(), nullptr, &length, bytes(label), static_cast<int>(label.size())) == 1 &&
        EVP_DecryptUpdate(cipher.get(), bytes(secret), &length, bytes(sealed.substr(kHeadSize)),
                          static_cast<int>(size)) == 1 &&
        EVP_CIPHER_CTX_ctrl(cipher.get(), EVP_CTRL_GCM_SET_TAG, kTagSize, tag.data()) == 1 &&
        EVP_DecryptFinal_ex(cipher.get(), bytes(secret + length), &rest) == 1;
    if (!is_whole) {
        OPENSSL_cleanse(secret, size); // what was decrypted before the tag was found wrong is nobody's
        return {Opening::damaged, {}};
    }
    return {Opening::opened, {secret, size}};
}

int sealed_under(std::span<const FileKey> keys, std::string_view sealed) {
    const FileKey *key = is_sealed(sealed) ? find_key(keys, sealed.substr(1, kFileKeyIdSize)) : nullptr;
    return key == nullptr ? 0 : static_cast<int>(key - keys.data()) + 1;
}

} // namespace relygate::core
