// See jws.hpp.
#include "core/token/jws.hpp"

#include "core/base/base64url.hpp"
#include "core/json/reader.hpp"
#include "core/json/writer.hpp"
#include "core/token/key_pair.hpp"

#include <array>
#include <cstring>
#include <optional>

namespace relygate::core {
namespace {

constexpr Refusal kTooLong{401, "size", "token is too long"};
constexpr Refusal kNotThreeParts{401, "format", "token does not have three parts"};
constexpr Refusal kNotBase64url{401, "format", "token is not base64url without padding"};
constexpr Refusal kBadHeader{401, "header", "header of the token is not valid"};
constexpr Refusal kCritical{401, "header", "token asks for an extension that is not supported"};
constexpr Refusal kUnknownAlgorithm{401, "algorithm", "algorithm of the token is not supported"};
constexpr Refusal kBadSignature{401, "signature", "signature of the token is not valid"};
constexpr Refusal kOtherSigner{401, "key", "token does not name its key and the one that fits did not sign it"};
constexpr Refusal kClaimsNoObject{500, "claims", "claims to be signed are not a JSON object"};
constexpr Refusal kCannotSign{500, "crypto", "could not sign a token"};

using Parts = std::array<std::string_view, 3>;

// No allocation, and no look at what is behind the third dot: a token may be nothing but dots.
std::optional<Parts> split(std::string_view token) {
    const std::size_t first = token.find('.');
    const std::size_t second = first == std::string_view::npos ? first : token.find('.', first + 1);
    if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos)
        return std::nullopt;
    return Parts{token.substr(0, first), token.substr(first + 1, second - first - 1), token.substr(second + 1)};
}

struct Header {
    Algorithm algorithm = Algorithm::es256;
    std::string_view kid;
    std::string_view type;
    bool has_kid = false;
    bool has_type = false;
};

Outcome<Header> read_header(std::string_view text, Memory memory) {
    const JsonReading reading = read_json_object(text, memory);
    if (!reading.is_good())
        return kBadHeader.with_detail("It is not a JSON object without duplicate members.");
    const JsonValue &json = reading.value;
    Header header;
    if (const JsonValue *kid = json.find("kid")) {
        if (!kid->is_string())
            return kBadHeader.with_detail("kid is not a text.");
        header.kid = kid->text;
        header.has_kid = true;
    }
    if (const JsonValue *type = json.find("typ")) {
        if (!type->is_string())
            return kBadHeader.with_detail("typ is not a text.");
        header.type = type->text;
        header.has_type = true;
    }
    // We know no extension, so every `crit` names an unknown one or is malformed (RFC 7515, 4.1.11). `b64` changes what
    // was signed; RFC 7797 keeps it out of JWTs.
    if (json.find("crit") || json.find("b64"))
        return kCritical;
    const JsonValue *algorithm = json.find("alg");
    if (!algorithm || !algorithm->is_string())
        return kBadHeader.with_detail("alg is missing or not a text.");
    const auto known = find_algorithm(algorithm->text);
    if (!known)
        return kUnknownAlgorithm;
    header.algorithm = *known;
    return header;
}

} // namespace

Outcome<SignedToken> verify_signature(std::string_view token, const KeySet &keys, Memory memory) {
    if (token.size() > kMaxTokenSize)
        return kTooLong;
    const auto parts = split(token);
    if (!parts)
        return kNotThreeParts;
    const auto header_text = decode_base64url((*parts)[0], memory);
    const auto payload = decode_base64url((*parts)[1], memory);
    const auto signature = decode_base64url((*parts)[2], memory);
    if (!header_text || !payload || !signature)
        return kNotBase64url;
    const auto header = read_header(*header_text, memory);
    if (!header)
        return header.refusal();
    const Header &named = header.value();
    const auto found = keys.find(named.has_kid ? &named.kid : nullptr, named.algorithm);
    if (!found)
        return found.refusal();
    const Key &key = *found.value();

    const std::string_view message = token.substr(0, (*parts)[0].size() + 1 + (*parts)[1].size());
    const bool is_right = key.pkey ? verify(*key.pkey, named.algorithm, message, *signature)
                                   : verify_hmac(key.secret, named.algorithm, message, *signature);
    if (!is_right) // a key that has a name but was only guessed: most likely it is another's token
        return !named.has_kid && !key.kid.empty() ? kOtherSigner : kBadSignature;
    SignedToken result;
    result.payload = *payload;
    result.type = named.type;
    result.has_type = named.has_type;
    result.algorithm = named.algorithm;
    result.kid = key.kid;
    return result;
}

std::string_view unverified_payload(std::string_view token, Memory memory) {
    const auto parts = token.size() <= kMaxTokenSize ? split(token) : std::nullopt;
    return parts ? decode_base64url((*parts)[1], memory).value_or(std::string_view{}) : std::string_view{};
}

Outcome<std::string_view> sign_token(std::string_view private_jwk, std::string_view claims, Memory memory,
                                     std::string_view type) {
    if (!read_json_object(claims, memory).is_good())
        return kClaimsNoObject;
    const Refusal *trouble = nullptr;
    const SigningKey key = read_signing_key(private_jwk, memory, trouble);
    if (!key.pkey)
        return *trouble;
    JsonWriter header(memory);
    header.begin_object();
    header.member("alg", name_of(key.algorithm));
    if (!key.kid.empty())
        header.member("kid", key.kid);
    header.member("typ", type);
    header.end_object();

    // header.claims.signature, each part written behind the one before
    const std::string_view head = encode_base64url(header.view(), memory);
    const std::string_view body = encode_base64url(claims, memory);
    const std::size_t signed_size = head.size() + 1 + body.size();
    const std::size_t signature_size = facts_of(key.algorithm).size * 4 / 3 + 1;
    char *const token = static_cast<char *>(memory.allocate(signed_size + 1 + signature_size, 1));
    std::memcpy(token, head.data(), head.size());
    token[head.size()] = '.';
    std::memcpy(token + head.size() + 1, body.data(), body.size());
    const std::string_view signature =
        encode_base64url(sign(*key.pkey, key.algorithm, {token, signed_size}, memory), memory);
    if (signature.empty())
        return kCannotSign;
    token[signed_size] = '.';
    std::memcpy(token + signed_size + 1, signature.data(), signature.size());
    return std::string_view{token, signed_size + 1 + signature.size()};
}

} // namespace relygate::core
