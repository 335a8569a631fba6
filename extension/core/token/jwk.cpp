// See jwk.hpp.
#include "core/token/jwk.hpp"

#include "core/base/base64url.hpp"
#include "core/json/reader.hpp"
#include "core/json/writer.hpp"

#include <algorithm>
#include <memory_resource>

namespace relygate::core {
namespace {

constexpr Refusal kNoKeys{400, "key", "text is not a JWK Set or JWK"};
constexpr Refusal kBadKey{400, "key", "key cannot be used"};
constexpr Refusal kShortSecret{400, "key", "secret is too short", "HS256 needs 32 bytes, HS384 48, HS512 64."};
constexpr Refusal kUnknownKey{401, "key", "token names a key that is not known"};
constexpr Refusal kNoKey{401, "key", "no key for this kind of token"};
constexpr Refusal kSeveralKeys{401, "key", "token does not name its key and several could be meant"};
constexpr Refusal kOtherAlgorithm{401, "algorithm", "key is not for the algorithm that the token names"};

constexpr int kLeastRsaBits = 2048;

// Text of strangers as a line for an operator: escaped, so that it can do nothing to a terminal.
std::string quote(std::string_view text) {
    std::pmr::monotonic_buffer_resource memory;
    JsonWriter writer(memory);
    writer.string(text);
    return std::string(writer.view());
}

// Makes a key of a JWK. Its functions return what is wrong with it, or an empty text.
class JwkReader {
  public:
    JwkReader(const JsonValue &jwk, Memory memory, Key &key) : jwk_(jwk), memory_(memory), key_(key) {}

    std::string read() {
        if (!jwk_.is_object())
            return "it is not an object";
        std::string_view kid;
        if (const JsonValue *value = jwk_.find("kid"); value && !string("kid", kid))
            return "kid is not a text";
        key_.kid = kid;
        if (std::string trouble = check_use(); !trouble.empty())
            return trouble;
        if (!string("kty", key_type_))
            return "kty is missing";
        if (std::string trouble = check_algorithm(); !trouble.empty())
            return trouble;
        if (key_type_ == "oct")
            return read_secret();
        if (std::string trouble = key_type_ == "RSA" ? read_rsa() : read_curve(); !trouble.empty())
            return trouble;
        return {};
    }

  private:
    bool string(std::string_view name, std::string_view &text) const {
        const JsonValue *value = jwk_.find(name);
        if (!value || !value->is_string())
            return false;
        text = value->text;
        return true;
    }

    // A member in base64url, at least one byte.
    bool bytes(std::string_view name, std::string_view &decoded) const {
        std::string_view text;
        if (!string(name, text))
            return false;
        const auto result = decode_base64url(text, memory_);
        if (!result || result->empty())
            return false;
        decoded = *result;
        return true;
    }

    std::string check_use() const {
        std::string_view use = "sig";
        if (jwk_.find("use") && (!string("use", use) || use != "sig"))
            return "use is not \"sig\"";
        const JsonValue *operations = jwk_.find("key_ops");
        if (!operations)
            return {};
        for (const JsonValue &operation : operations->items()) {
            // A private JWK says "sign"; its public half verifies.
            if (operation.is_string() && (operation.text == "verify" || operation.text == "sign"))
                return {};
        }
        return "key_ops does not have \"verify\"";
    }

    // The algorithms that alg, or else kty and crv, allow.
    std::string check_algorithm() {
        (void)string("crv", curve_);
        const JsonValue *named = jwk_.find("alg");
        if (named && !named->is_string())
            return "alg is not a text";
        bool is_known_type = false;
        for (const AlgorithmFacts &facts : algorithms()) {
            is_known_type |= facts.key_type == key_type_;
            if (facts.key_type == key_type_ && (facts.curve.empty() || facts.curve == curve_) &&
                (!named || named->text == facts.name))
                key_.algorithms |= 1U << static_cast<unsigned>(facts.algorithm);
        }
        if (!is_known_type)
            return "kty " + quote(key_type_) + " is not supported";
        if (key_.algorithms != 0)
            return {};
        if (named)
            return "alg " + quote(named->text) + " is not supported for this kind of key";
        return "crv " + quote(curve_) + " is not supported";
    }

    std::string read_secret() {
        std::string_view secret;
        if (!bytes("k", secret))
            return "k is not base64url";
        std::size_t needed = 0;
        const std::uint32_t allowed = key_.algorithms;
        key_.algorithms = 0;
        for (const AlgorithmFacts &facts : algorithms()) {
            const std::uint32_t bit = 1U << static_cast<unsigned>(facts.algorithm);
            if (!(allowed & bit))
                continue;
            needed = needed == 0 ? facts.size : needed;
            if (secret.size() >= facts.size)
                key_.algorithms |= bit;
        }
        if (key_.algorithms == 0)
            return "secret of " + std::to_string(secret.size()) + " bytes, at least " + std::to_string(needed) +
                   " are needed";
        key_.secret = secret;
        return {};
    }

    std::string read_rsa() {
        std::string_view modulus, exponent;
        if (!bytes("n", modulus) || !bytes("e", exponent))
            return "n or e is not base64url";
        key_.pkey = load_rsa(modulus, exponent);
        if (!key_.pkey)
            return "n and e are no RSA key";
        if (const int bits = bits_of(*key_.pkey); bits < kLeastRsaBits)
            return "RSA of " + std::to_string(bits) + " bits, at least " + std::to_string(kLeastRsaBits) +
                   " are needed";
        // Said by name, for OpenSSL's check below would only say no.
        exponent.remove_prefix(std::min(exponent.find_first_not_of('\0'), exponent.size()));
        if (exponent.empty() || exponent == "\x01")
            return "RSA with exponent 1: anyone can forge its signatures";
        return is_sound(*key_.pkey) ? "" : "n and e are no sound RSA key";
    }

    std::string read_curve() {
        const bool is_ec = key_type_ == "EC";
        const std::size_t size = is_ec && curve_ == "P-384" ? 48 : 32;
        std::string_view x, y;
        if (!bytes("x", x) || x.size() != size || (is_ec && (!bytes("y", y) || y.size() != size)))
            return is_ec ? "x or y is not base64url of " + std::to_string(size) + " bytes"
                         : "x is not base64url of 32 bytes";
        key_.pkey = is_ec ? load_ec(curve_, x, y) : load_ed25519(x);
        return key_.pkey && is_sound(*key_.pkey) ? "" : "x and y are no point of the curve";
    }

    const JsonValue &jwk_;
    std::pmr::memory_resource &memory_;
    Key &key_;
    std::string_view key_type_;
    std::string_view curve_;
};

// How a trouble names the key: by its kid, else by its place.
std::string label(const JsonValue &jwk, std::size_t place) {
    const JsonValue *kid = jwk.find("kid");
    return "key " + (kid && kid->is_string() ? quote(kid->text) : "number " + std::to_string(place));
}

} // namespace

Outcome<std::size_t> KeySet::add_jwks(std::string_view text, std::vector<std::string> &troubles) {
    std::pmr::monotonic_buffer_resource memory;
    const JsonReading reading = read_json_object(text, memory);
    if (reading.code)
        return kNoKeys.with_detail(reading.message);
    if (!reading.is_good())
        return kNoKeys.with_detail(std::string(reading.errors[0].field).append(": ").append(reading.errors[0].message));
    const JsonValue *keys = reading.value.find("keys");
    if (keys && keys->kind != JsonValue::Kind::array)
        return kNoKeys.with_detail("keys is not a list.");

    const std::span<const JsonValue> jwks = keys ? keys->items() : std::span<const JsonValue>(&reading.value, 1);
    std::size_t taken = 0;
    for (const JsonValue &jwk : jwks) {
        Key key;
        std::string trouble = JwkReader(jwk, memory, key).read();
        for (const Key &other : keys_) {
            // Otherwise the token's kid would not say which one is meant.
            if (trouble.empty() && !key.kid.empty() && other.kid == key.kid)
                trouble = "another key has this kid";
        }
        if (trouble.empty()) {
            keys_.push_back(std::move(key));
            ++taken;
        } else {
            troubles.push_back(label(jwk, static_cast<std::size_t>(&jwk - jwks.data()) + 1) + ": " + trouble);
            if (!keys)
                return kBadKey.with_detail(troubles.back());
        }
    }
    return taken;
}

Outcome<std::size_t> KeySet::add_secret(std::string_view secret) {
    Key key;
    for (const AlgorithmFacts &facts : algorithms()) {
        if (facts.key_type == "oct" && secret.size() >= facts.size)
            key.algorithms |= 1U << static_cast<unsigned>(facts.algorithm);
    }
    if (key.algorithms == 0)
        return kShortSecret;
    key.secret = secret;
    keys_.push_back(std::move(key));
    return std::size_t{1};
}

Outcome<const Key *> KeySet::find(const std::string_view *kid, Algorithm algorithm) const {
    const Key *nameless = nullptr, *named = nullptr; // that fit
    std::size_t nameless_count = 0, named_count = 0;
    for (const Key &key : keys_) {
        if (kid && !key.kid.empty() && key.kid == *kid)
            return key.fits(algorithm) ? Outcome<const Key *>(&key) : kOtherAlgorithm;
        if (!key.fits(algorithm))
            continue;
        (key.kid.empty() ? nameless : named) = &key;
        ++(key.kid.empty() ? nameless_count : named_count);
    }
    if (nameless_count == 1)
        return nameless;
    if (nameless_count > 1)
        return kSeveralKeys;
    const bool only_key_is_meant = keys_.size() == 1 && (!kid || keys_[0].kid.empty());
    if (only_key_is_meant && named_count == 0)
        return kOtherAlgorithm;
    if (kid)
        return kUnknownKey;
    if (named_count == 1)
        return named;
    return named_count == 0 ? kNoKey : kSeveralKeys;
}

} // namespace relygate::core
