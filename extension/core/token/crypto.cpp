// See crypto.hpp. Every function leaves OpenSSL's error queue empty: what stays there is blamed on the next TLS
// connection.
#include "core/token/crypto.hpp"

#include <algorithm>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/rsa.h>
#include <string>

namespace relygate::core {

void FreePkey::operator()(EVP_PKEY *pkey) const {
    EVP_PKEY_free(pkey);
}

namespace {

template <auto release> struct Release {
    template <typename T> void operator()(T *object) const { release(object); }
};
using Number = std::unique_ptr<BIGNUM, Release<BN_clear_free>>;
using PkeyContext = std::unique_ptr<EVP_PKEY_CTX, Release<EVP_PKEY_CTX_free>>;
using DigestContext = std::unique_ptr<EVP_MD_CTX, Release<EVP_MD_CTX_free>>;
using ParameterBuilder = std::unique_ptr<OSSL_PARAM_BLD, Release<OSSL_PARAM_BLD_free>>;
using Parameters = std::unique_ptr<OSSL_PARAM, Release<OSSL_PARAM_free>>;
using EcdsaSignature = std::unique_ptr<ECDSA_SIG, Release<ECDSA_SIG_free>>;

struct ClearErrors {
    ~ClearErrors() { ERR_clear_error(); }
};

const unsigned char *bytes(std::string_view text) {
    return reinterpret_cast<const unsigned char *>(text.data());
}

Number number(std::string_view text) {
    return Number(BN_bin2bn(bytes(text), static_cast<int>(text.size()), nullptr));
}

unsigned char *allocate(std::size_t size, Memory memory) {
    return static_cast<unsigned char *>(memory.allocate(std::max<std::size_t>(size, 1), 1));
}

std::string_view view(const unsigned char *from, std::size_t size) {
    return {reinterpret_cast<const char *>(from), size};
}

Pkey from_parameters(const char *type, OSSL_PARAM_BLD *builder, bool is_private) {
    const Parameters parameters(OSSL_PARAM_BLD_to_param(builder));
    const PkeyContext context(EVP_PKEY_CTX_new_from_name(nullptr, type, nullptr));
    EVP_PKEY *pkey = nullptr;
    if (!parameters || !context || EVP_PKEY_fromdata_init(context.get()) <= 0 ||
        EVP_PKEY_fromdata(context.get(), &pkey, is_private ? EVP_PKEY_KEYPAIR : EVP_PKEY_PUBLIC_KEY,
                          parameters.get()) <= 0)
        return nullptr;
    return Pkey(pkey);
}

// r and s side by side as DER, which OpenSSL wants. Zero and numbers beyond the group's order are refused by OpenSSL.
std::string to_der(std::string_view signature) {
    const std::size_t half = signature.size() / 2;
    const EcdsaSignature pair(ECDSA_SIG_new());
    Number r = number(signature.substr(0, half)), s = number(signature.substr(half));
    if (!pair || !r || !s || ECDSA_SIG_set0(pair.get(), r.get(), s.get()) != 1)
        return {};
    (void)r.release();
    (void)s.release();
    unsigned char *der = nullptr;
    const int size = i2d_ECDSA_SIG(pair.get(), &der);
    if (size <= 0)
        return {};
    const std::unique_ptr<unsigned char, Release<[](void *p) { OPENSSL_free(p); }>> keeper(der);
    return {reinterpret_cast<char *>(der), static_cast<std::size_t>(size)};
}

} // namespace

Pkey load_rsa(std::string_view modulus, std::string_view exponent) {
    const ClearErrors clear;
    const Number n = number(modulus), e = number(exponent);
    const ParameterBuilder builder(OSSL_PARAM_BLD_new());
    if (!n || !e || !builder || !OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_N, n.get()) ||
        !OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_RSA_E, e.get()))
        return nullptr;
    return from_parameters("RSA", builder.get(), false);
}

Pkey load_ec(std::string_view curve, std::string_view x, std::string_view y, std::string_view private_number) {
    const ClearErrors clear;
    const std::string group(curve);
    std::string point("\x04"); // uncompressed
    point.append(x).append(y);
    const Number d = number(private_number);
    const ParameterBuilder builder(OSSL_PARAM_BLD_new());
    if (!d || !builder ||
        !OSSL_PARAM_BLD_push_utf8_string(builder.get(), OSSL_PKEY_PARAM_GROUP_NAME, group.data(), group.size()) ||
        !OSSL_PARAM_BLD_push_octet_string(builder.get(), OSSL_PKEY_PARAM_PUB_KEY, point.data(), point.size()) ||
        (!private_number.empty() && !OSSL_PARAM_BLD_push_BN(builder.get(), OSSL_PKEY_PARAM_PRIV_KEY, d.get())))
        return nullptr;
    return from_parameters("EC", builder.get(), !private_number.empty());
}

Pkey load_ed25519(std::string_view public_bytes) {
    const ClearErrors clear;
    return Pkey(EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, nullptr, bytes(public_bytes), public_bytes.size()));
}

Pkey load_ed25519_private(std::string_view private_bytes) {
    const ClearErrors clear;
    return Pkey(EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, nullptr, bytes(private_bytes), private_bytes.size()));
}

bool is_sound(EVP_PKEY &pkey) {
    const ClearErrors clear;
    const PkeyContext context(EVP_PKEY_CTX_new(&pkey, nullptr));
    return context && EVP_PKEY_public_check(context.get()) == 1;
}

int bits_of(EVP_PKEY &pkey) {
    return EVP_PKEY_get_bits(&pkey);
}

bool verify(EVP_PKEY &pkey, Algorithm algorithm, std::string_view message, std::string_view signature) {
    const ClearErrors clear;
    const AlgorithmFacts &facts = facts_of(algorithm);
    // RSA: OpenSSL takes a PSS signature without its leading zeros; RFC 8017, 8.1.2 does not.
    const std::size_t size = facts.size > 0 ? facts.size : static_cast<std::size_t>(EVP_PKEY_get_size(&pkey));
    if (signature.size() != size)
        return false;
    std::string der;
    if (facts.key_type == "EC") {
        der = to_der(signature);
        signature = der;
    }
    const DigestContext context(EVP_MD_CTX_new());
    EVP_PKEY_CTX *options = nullptr; // owned by the context
    if (!context ||
        EVP_DigestVerifyInit_ex(context.get(), &options, facts.digest, nullptr, nullptr, &pkey, nullptr) != 1)
        return false;
    if (algorithm == Algorithm::ps256 && (EVP_PKEY_CTX_set_rsa_padding(options, RSA_PKCS1_PSS_PADDING) != 1 ||
                                          EVP_PKEY_CTX_set_rsa_pss_saltlen(options, RSA_PSS_SALTLEN_DIGEST) != 1))
        return false;
    return EVP_DigestVerify(context.get(), bytes(signature), signature.size(), bytes(message), message.size()) == 1;
}

bool verify_hmac(std::string_view secret, Algorithm algorithm, std::string_view message, std::string_view signature) {
    const ClearErrors clear;
    unsigned char mac[EVP_MAX_MD_SIZE];
    unsigned int size = 0;
    const EVP_MD *digest = EVP_get_digestbyname(facts_of(algorithm).digest);
    if (!HMAC(digest, secret.data(), static_cast<int>(secret.size()), bytes(message), message.size(), mac, &size))
        return false;
    // The length first: a comparison over the bytes that came would take an empty signature.
    return signature.size() == size && CRYPTO_memcmp(mac, signature.data(), size) == 0;
}

std::string_view sign(EVP_PKEY &pkey, Algorithm algorithm, std::string_view message, Memory memory) {
    const ClearErrors clear;
    const AlgorithmFacts &facts = facts_of(algorithm);
    const DigestContext context(EVP_MD_CTX_new());
    unsigned char made[256];
    std::size_t size = sizeof made;
    if (!context ||
        EVP_DigestSignInit_ex(context.get(), nullptr, facts.digest, nullptr, nullptr, &pkey, nullptr) != 1 ||
        EVP_DigestSign(context.get(), made, &size, bytes(message), message.size()) != 1)
        return {};
    unsigned char *const signature = allocate(facts.size, memory);
    if (facts.key_type == "EC") {
        const unsigned char *der = made;
        const EcdsaSignature pair(d2i_ECDSA_SIG(nullptr, &der, static_cast<long>(size)));
        const int half = static_cast<int>(facts.size / 2);
        if (!pair || BN_bn2binpad(ECDSA_SIG_get0_r(pair.get()), signature, half) != half ||
            BN_bn2binpad(ECDSA_SIG_get0_s(pair.get()), signature + half, half) != half)
            return {};
    } else {
        if (size != facts.size)
            return {};
        std::copy_n(made, size, signature);
    }
    return view(signature, facts.size);
}

KeyNumbers make_key_numbers(Algorithm algorithm, Memory memory) {
    const ClearErrors clear;
    const AlgorithmFacts &facts = facts_of(algorithm);
    const std::size_t size = facts.size / 2; // of a number; a signature has two
    unsigned char *const x = allocate(size, memory), *const d = allocate(size, memory);
    if (facts.key_type == "OKP") {
        const Pkey pkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "ED25519"));
        std::size_t public_size = size, private_size = size;
        if (!pkey || EVP_PKEY_get_raw_public_key(pkey.get(), x, &public_size) != 1 ||
            EVP_PKEY_get_raw_private_key(pkey.get(), d, &private_size) != 1)
            return {};
        return {view(x, size), {}, view(d, size)};
    }
    unsigned char *const y = allocate(size, memory);
    const Pkey pkey(EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", std::string(facts.curve).c_str()));
    const auto write = [&](const char *name, unsigned char *to) {
        BIGNUM *read = nullptr;
        if (EVP_PKEY_get_bn_param(pkey.get(), name, &read) != 1)
            return false;
        const Number value(read);
        return BN_bn2binpad(read, to, static_cast<int>(size)) == static_cast<int>(size);
    };
    if (!pkey || !write(OSSL_PKEY_PARAM_EC_PUB_X, x) || !write(OSSL_PKEY_PARAM_EC_PUB_Y, y) ||
        !write(OSSL_PKEY_PARAM_PRIV_KEY, d))
        return {};
    return {view(x, size), view(y, size), view(d, size)};
}

std::string_view sha256(std::string_view text, Memory memory) {
    const ClearErrors clear;
    unsigned char *const digest = allocate(32, memory);
    unsigned int size = 0;
    if (EVP_Digest(text.data(), text.size(), digest, &size, EVP_sha256(), nullptr) != 1)
        return {};
    return view(digest, size);
}

} // namespace relygate::core
