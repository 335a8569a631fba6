// See key_pair.hpp.
#include "core/token/key_pair.hpp"

#include "core/base/base64url.hpp"
#include "core/json/reader.hpp"
#include "core/json/writer.hpp"

namespace relygate::core {
namespace {

// Never with detail: the text has a secret in it.
constexpr Refusal kNoSigningKey{500, "key", "text is not a private key for ES256 or EdDSA"};
constexpr Refusal kNoPublicPart{500, "key", "text is not a key with a public part"};
constexpr Refusal kNoSuchAlgorithm{400, "algorithm", "keys can be made for ES256 and EdDSA only"};
constexpr Refusal kCryptoFailed{500, "crypto", "could not make a key"};

constexpr std::string_view kPublicMembers[] = {"kty", "crv", "x", "y", "n", "e", "kid", "alg", "use"};

std::string_view text_of(const JsonValue &jwk, std::string_view name) {
    const JsonValue *value = jwk.find(name);
    return value && value->is_string() ? value->text : std::string_view{};
}

std::string_view bytes_of(const JsonValue &jwk, std::string_view name, std::size_t size, Memory memory) {
    const auto bytes = decode_base64url(text_of(jwk, name), memory);
    return bytes && bytes->size() == size ? *bytes : std::string_view{};
}

bool is_ours(Algorithm algorithm) {
    return algorithm == Algorithm::es256 || algorithm == Algorithm::eddsa;
}

// The members that RFC 7638, 3.2 and RFC 8037, 2 name, in the order of their names.
void write_required_members(JsonWriter &json, const AlgorithmFacts &facts, std::string_view x, std::string_view y) {
    json.member("crv", facts.curve);
    json.member("kty", facts.key_type);
    json.member("x", x);
    if (!y.empty())
        json.member("y", y);
}

} // namespace

Outcome<std::string_view> make_key(std::string_view algorithm_name, Memory memory) {
    const auto algorithm = find_algorithm(algorithm_name);
    if (!algorithm || !is_ours(*algorithm))
        return kNoSuchAlgorithm;
    const AlgorithmFacts &facts = facts_of(*algorithm);
    const KeyNumbers numbers = make_key_numbers(*algorithm, memory);
    if (numbers.private_number.empty())
        return kCryptoFailed;
    const std::string_view x = encode_base64url(numbers.x, memory);
    const std::string_view y = encode_base64url(numbers.y, memory);

    JsonWriter thumb(memory);
    thumb.begin_object();
    write_required_members(thumb, facts, x, y);
    thumb.end_object();
    const std::string_view digest = sha256(thumb.view(), memory);
    if (digest.empty())
        return kCryptoFailed;

    JsonWriter json(memory);
    json.begin_object();
    write_required_members(json, facts, x, y);
    json.member("d", encode_base64url(numbers.private_number, memory));
    json.member("alg", facts.name);
    json.member("use", "sig");
    json.member("kid", encode_base64url(digest, memory));
    json.end_object();
    return json.view();
}

Outcome<std::string_view> public_jwk(std::string_view private_jwk, Memory memory) {
    const JsonReading reading = read_json_object(private_jwk, memory);
    const std::string_view key_type = reading.is_good() ? text_of(reading.value, "kty") : std::string_view{};
    if (key_type != "EC" && key_type != "OKP" && key_type != "RSA") // a secret has nothing to show
        return kNoPublicPart;
    JsonWriter json(memory);
    json.begin_object();
    for (const std::string_view name : kPublicMembers) {
        if (const std::string_view text = text_of(reading.value, name); !text.empty())
            json.member(name, text);
    }
    json.end_object();
    return json.view();
}

SigningKey read_signing_key(std::string_view private_jwk, Memory memory, const Refusal *&trouble) {
    trouble = &kNoSigningKey;
    SigningKey key;
    const JsonReading reading = read_json_object(private_jwk, memory);
    if (!reading.is_good())
        return key;
    const JsonValue &jwk = reading.value;
    const std::string_view key_type = text_of(jwk, "kty"), curve = text_of(jwk, "crv");
    key.algorithm = key_type == "OKP" ? Algorithm::eddsa : Algorithm::es256;
    const AlgorithmFacts &facts = facts_of(key.algorithm);
    const std::size_t size = facts.size / 2;
    const std::string_view x = bytes_of(jwk, "x", size, memory), d = bytes_of(jwk, "d", size, memory);
    if (key_type != facts.key_type || curve != facts.curve || x.empty() || d.empty() ||
        (jwk.find("alg") && text_of(jwk, "alg") != facts.name))
        return key;
    key.kid = text_of(jwk, "kid");
    if (key_type == "OKP") {
        key.pkey = load_ed25519_private(d);
    } else if (const std::string_view y = bytes_of(jwk, "y", size, memory); !y.empty()) {
        key.pkey = load_ec(curve, x, y, d);
        if (key.pkey && !is_sound(*key.pkey))
            key.pkey = nullptr;
    }
    return key;
}

} // namespace relygate::core
