// Keys and tokens for tests, made by OpenSSL alone: what the tests sign must not come from the code they test.
#pragma once

#include "core/base/base64url.hpp"
#include "core/token/algorithm.hpp"
#include "core/token/crypto.hpp"

#include <array>
#include <cstdint>
#include <gtest/gtest.h>
#include <map>
#include <memory_resource>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/rsa.h>
#include <string>
#include <string_view>

namespace relygate::test {

inline std::string base64url(std::string_view bytes) {
    std::pmr::monotonic_buffer_resource memory;
    return std::string(core::encode_base64url(bytes, memory));
}

inline std::string from_base64url(std::string_view text) {
    std::pmr::monotonic_buffer_resource memory;
    return std::string(core::decode_base64url(text, memory).value());
}

struct TestKey {
    std::string kid;
    core::Algorithm algorithm = core::Algorithm::es256;
    core::Pkey pkey;
    std::string secret;

    std::string number(const char *name, int size = 0) const {
        BIGNUM *value = nullptr;
        EXPECT_EQ(EVP_PKEY_get_bn_param(pkey.get(), name, &value), 1) << name;
        std::string bytes(static_cast<std::size_t>(size > 0 ? size : BN_num_bytes(value)), '\0');
        BN_bn2binpad(value, reinterpret_cast<unsigned char *>(bytes.data()), static_cast<int>(bytes.size()));
        BN_free(value);
        return bytes;
    }

    // The members of the public JWK that make the key, without braces.
    std::string numbers() const {
        const auto &facts = core::facts_of(algorithm);
        const auto member = [](const char *name, const std::string &bytes) {
            return std::string(",\"") + name + "\":\"" + base64url(bytes) + '"';
        };
        std::string json = "\"kty\":\"" + std::string(facts.key_type) + '"';
        if (facts.key_type == "oct")
            return json + member("k", secret);
        if (facts.key_type == "RSA")
            return json + member("n", number(OSSL_PKEY_PARAM_RSA_N)) + member("e", number(OSSL_PKEY_PARAM_RSA_E));
        json += ",\"crv\":\"" + std::string(facts.curve) + '"';
        const int size = static_cast<int>(facts.size / 2);
        if (facts.key_type == "EC")
            return json + member("x", number(OSSL_PKEY_PARAM_EC_PUB_X, size)) +
                   member("y", number(OSSL_PKEY_PARAM_EC_PUB_Y, size));
        std::string x(32, '\0');
        std::size_t length = x.size();
        EVP_PKEY_get_raw_public_key(pkey.get(), reinterpret_cast<unsigned char *>(x.data()), &length);
        return json + member("x", x);
    }

    std::string jwk() const {
        return "{" + numbers() + ",\"alg\":\"" + std::string(core::name_of(algorithm)) +
               "\",\"use\":\"sig\",\"kid\":\"" + kid + "\"}";
    }

    std::string header() const {
        return "{\"alg\":\"" + std::string(core::name_of(algorithm)) + '"' +
               (kid.empty() ? "" : ",\"kid\":\"" + kid + '"') + ",\"typ\":\"JWT\"}";
    }

    std::string public_pem() const {
        BIO *bio = BIO_new(BIO_s_mem());
        PEM_write_bio_PUBKEY(bio, pkey.get());
        char *data = nullptr;
        const long size = BIO_get_mem_data(bio, &data);
        std::string pem(data, static_cast<std::size_t>(size));
        BIO_free(bio);
        return pem;
    }
};

// RSA keys are slow to make: a few take turns, so that one after the other is always another one.
inline core::Pkey rsa_key(unsigned bits) {
    static std::map<unsigned, std::array<core::Pkey, 3>> made;
    static std::size_t turn = 0;
    core::Pkey &key = made[bits][turn++ % 3];
    if (!key)
        key.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "RSA", static_cast<std::size_t>(bits)));
    EVP_PKEY_up_ref(key.get());
    return core::Pkey(key.get());
}

inline TestKey make_test_key(core::Algorithm algorithm, std::string kid, unsigned bits = 2048) {
    TestKey key;
    key.kid = std::move(kid);
    key.algorithm = algorithm;
    const auto &facts = core::facts_of(algorithm);
    if (facts.key_type == "oct") {
        key.secret.resize(64);
        RAND_bytes(reinterpret_cast<unsigned char *>(key.secret.data()), 64);
    } else if (facts.key_type == "RSA") {
        key.pkey = rsa_key(bits);
    } else if (facts.key_type == "EC") {
        key.pkey.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", std::string(facts.curve).c_str()));
    } else {
        key.pkey.reset(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
    }
    return key;
}

inline std::string hmac(std::string_view secret, const char *digest, std::string_view message) {
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    HMAC(EVP_get_digestbyname(digest), secret.data(), static_cast<int>(secret.size()),
         reinterpret_cast<const unsigned char *>(message.data()), message.size(), mac, &size);
    return {reinterpret_cast<char *>(mac), size};
}

// r and s side by side, from DER.
inline std::string from_der(const std::string &der, std::size_t size) {
    const auto *bytes = reinterpret_cast<const unsigned char *>(der.data());
    ECDSA_SIG *pair = d2i_ECDSA_SIG(nullptr, &bytes, static_cast<long>(der.size()));
    std::string signature(size, '\0');
    const int half = static_cast<int>(size / 2);
    auto *out = reinterpret_cast<unsigned char *>(signature.data());
    BN_bn2binpad(ECDSA_SIG_get0_r(pair), out, half);
    BN_bn2binpad(ECDSA_SIG_get0_s(pair), out + half, half);
    ECDSA_SIG_free(pair);
    return signature;
}

// The signature as OpenSSL makes it: of ECDSA in DER.
inline std::string sign_der(const TestKey &key, core::Algorithm algorithm, std::string_view message) {
    const auto &facts = core::facts_of(algorithm);
    if (facts.key_type == "oct")
        return hmac(key.secret, facts.digest, message);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    EVP_PKEY_CTX *options = nullptr;
    EXPECT_EQ(EVP_DigestSignInit_ex(context, &options, facts.digest, nullptr, nullptr, key.pkey.get(), nullptr), 1);
    if (algorithm == core::Algorithm::ps256) {
        EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING);
        EVP_PKEY_CTX_set_rsa_pss_saltlen(options, 32);
    }
    std::string signature(1024, '\0');
    std::size_t size = signature.size();
    EXPECT_EQ(EVP_DigestSign(context, reinterpret_cast<unsigned char *>(signature.data()), &size,
                             reinterpret_cast<const unsigned char *>(message.data()), message.size()),
              1);
    EVP_MD_CTX_free(context);
    signature.resize(size);
    return signature;
}

inline std::string sign_bytes(const TestKey &key, core::Algorithm algorithm, std::string_view message) {
    const std::string made = sign_der(key, algorithm, message);
    const auto &facts = core::facts_of(algorithm);
    return facts.key_type == "EC" ? from_der(made, facts.size) : made;
}

inline std::string make_token(const TestKey &key, const std::string &header, const std::string &claims) {
    const std::string message = base64url(header) + '.' + base64url(claims);
    return message + '.' + base64url(sign_bytes(key, key.algorithm, message));
}

} // namespace relygate::test
