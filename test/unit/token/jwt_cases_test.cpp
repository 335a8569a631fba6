// Every case of test/cases/jwt.jsonl that is about the token itself (test/cases/README.md has the fields). What is
// about the request around it (the Authorization header, another tenant in the query, a logout) is tested over HTTP.
#include "core/json/writer.hpp"
#include "core/token/claims.hpp"
#include "unit/token/token_maker.hpp"

#include <fstream>
#include <functional>
#include <jansson.h>
#include <map>

namespace {

using namespace relygate;
using namespace relygate::test;
using core::Algorithm;

constexpr std::int64_t kNow = 1'795'600'000;
const std::map<std::string, std::string> kWords = {
    {"{ISS}", "https://visitors.example"},
    {"{AUD}", "relygate"},
    {"{SUB}", "01981f6e-0000-7000-8000-00000000000a"},
    {"{TENANT_A}", "01981f6e-0000-7000-8000-0000000000aa"},
    {"{TENANT_B}", "01981f6e-0000-7000-8000-0000000000bb"},
    {"{JTI}", "01981f6e-0000-7000-8000-0000000000cc"},
    {"{SID}", "01981f6e-0000-7000-8000-0000000000dd"},
    {"{NOW}", std::to_string(kNow)},
    {"{NOW+600}", std::to_string(kNow + 600)},
};

std::string fill_in(std::string text) {
    for (const auto &[word, value] : kWords) {
        for (std::size_t at = text.find(word); at != std::string::npos; at = text.find(word, at + value.size()))
            text.replace(at, word.size(), value);
    }
    return text;
}

const std::map<std::string, TestKey> &keys() {
    static const std::map<std::string, TestKey> made = [] {
        std::map<std::string, TestKey> keys;
        for (const char *name : {"es256-a", "es256-old", "attacker-es256", "es256-new-after-start"})
            keys.emplace(name, make_test_key(Algorithm::es256, name));
        keys.emplace("eddsa-a", make_test_key(Algorithm::eddsa, "eddsa-a"));
        keys.emplace("rs256-a", make_test_key(Algorithm::rs256, "rs256-a"));
        keys.emplace("attacker-rs256", make_test_key(Algorithm::rs256, "attacker-rs256"));
        keys.emplace("rs-1024", make_test_key(Algorithm::rs256, "rs-1024", 1024));
        keys.emplace("hs-a", make_test_key(Algorithm::hs256, ""));
        return keys;
    }();
    return made;
}

std::string text_of(json_t *value) {
    return {json_string_value(value), json_string_length(value)};
}

class JwtCase : public testing::TestWithParam<std::string> {
  protected:
    void SetUp() override { case_ = json_loads(GetParam().c_str(), 0, nullptr); }
    void TearDown() override { json_decref(case_); }

    json_t *input(const char *name) const { return json_object_get(json_object_get(case_, "input"), name); }
    json_t *expected(const char *name) const { return json_object_get(json_object_get(case_, "expected"), name); }

    core::KeySet published() const {
        core::KeySet set;
        std::vector<std::string> troubles;
        std::string jwks;
        json_t *rotate = input("rotate");
        const std::string removed =
            json_is_string(json_object_get(rotate, "remove")) ? text_of(json_object_get(rotate, "remove")) : "";
        for (const char *name : {"es256-a", "es256-old", "rs256-a", "eddsa-a", "rs-1024"}) {
            if (name != removed)
                jwks += (jwks.empty() ? "" : ",") + keys().at(name).jwk();
        }
        if (json_t *added = json_object_get(rotate, "add"))
            jwks += "," + keys().at(text_of(added)).jwk();
        EXPECT_TRUE(set.add_jwks("{\"keys\":[" + jwks + "]}", troubles));
        EXPECT_EQ(troubles.size(), 1U); // rs-1024
        json_t *secret = json_object_get(input("config"), "JWT_SECRET");
        EXPECT_EQ(bool(set.add_secret(secret ? text_of(secret) : keys().at("hs-a").secret)), secret == nullptr);
        return set;
    }

    const TestKey &signer() const {
        json_t *key = input("key");
        return keys().at(json_is_string(key) ? text_of(key) : "es256-a");
    }

    std::string header() const {
        if (json_t *take = input("take"); take) // a token made for another purpose by the same key
            return R"({"alg":"ES256","kid":"es256-a","typ":"refresh+jwt"})";
        json_t *given = input("header");
        if (!given)
            return json_object_get(input("key"), "hmac_secret") ? R"({"alg":"HS256","typ":"JWT"})" : signer().header();
        char *dumped = json_dumps(given, JSON_COMPACT | JSON_PRESERVE_ORDER);
        std::string text(dumped);
        free(dumped);
        for (const auto &[name, key] : keys()) {
            const std::string kid = "\"@" + name + '"', jwk = "\"@public:" + name + '"';
            if (const auto at = text.find(kid); at != std::string::npos)
                text.replace(at, kid.size(), '"' + key.kid + '"');
            if (const auto at = text.find(jwk); at != std::string::npos)
                text.replace(at, jwk.size(), key.jwk());
        }
        return text;
    }

    static void write(core::JsonWriter &json, json_t *value) {
        if (json_is_array(value)) {
            json.begin_array();
            for (std::size_t i = 0; i < json_array_size(value); ++i)
                write(json, json_array_get(value, i));
            json.end_array();
        } else if (json_is_object(value)) {
            std::string repeated;
            for (json_int_t i = 0; i < json_integer_value(json_object_get(value, "times")); ++i)
                repeated += text_of(json_object_get(value, "repeat"));
            json.string(repeated);
        } else if (json_is_integer(value)) {
            json.number(json_integer_value(value));
        } else if (const std::string text = fill_in(text_of(value)); text.starts_with("$now")) {
            char number[32];
            std::snprintf(number, sizeof number, "%.15g", static_cast<double>(kNow) + std::stod(text.substr(4)));
            json.raw(number);
        } else if (text.starts_with("$raw:")) {
            json.raw(text.substr(5));
        } else if (text.starts_with("\"$now")) {
            json.string(std::to_string(kNow + 600));
        } else {
            json.string(text);
        }
    }

    std::string claims() const {
        if (json_t *text = input("claims_text"))
            return fill_in(text_of(text));
        json_t *base = json_loads(R"({"iss":"{ISS}","aud":"{AUD}","sub":"{SUB}","tenant_id":"{TENANT_A}",
            "role":"security_guard","iat":"$now+0","nbf":"$now+0","exp":"$now+600","jti":"{JTI}","sid":"{SID}"})",
                                  0, nullptr);
        if (json_t *changes = input("claims"))
            json_object_update(base, changes);
        std::pmr::monotonic_buffer_resource memory;
        core::JsonWriter json(memory);
        json.begin_object();
        const char *name;
        json_t *value;
        json_object_foreach(base, name, value) {
            if (json_is_null(value))
                continue;
            json.name(name);
            write(json, value);
        }
        json.end_object();
        json_decref(base);
        return std::string(json.view());
    }

    std::string signature(const std::string &message) const {
        json_t *key = input("key");
        if (json_t *secret = json_object_get(key, "hmac_secret"))
            return hmac(text_of(secret), "SHA256", message);
        if (json_t *name = json_object_get(key, "hmac_with_public_key_of")) {
            const TestKey &confused = keys().at(text_of(name));
            return hmac(text_of(json_object_get(key, "encoding")) == "pem" ? confused.public_pem() : confused.jwk(),
                        "SHA256", message);
        }
        if (json_is_null(key))
            return "";
        json_t *forced = input("sign_as");
        const auto algorithm = forced ? core::find_algorithm(text_of(forced)).value() : signer().algorithm;
        std::string made = sign_bytes(signer(), algorithm, message);
        while (input("require") && made[0] != 0 && made[32] != 0)
            made = sign_bytes(signer(), algorithm, message);
        return made;
    }

    std::string token() const {
        if (json_t *raw = input("raw")) {
            std::string token;
            for (json_int_t i = 0; i < json_integer_value(json_object_get(raw, "times")); ++i)
                token += text_of(json_object_get(raw, "repeat"));
            return token;
        }
        if (input("raw_jwe"))
            return base64url(R"({"alg":"dir","enc":"A256GCM","kid":"es256-a"})") + ".." + base64url("twelve bytes") +
                   "." + base64url("ciphertext") + "." + base64url("sixteen bytes ok");
        const std::string message = base64url(header()) + '.' + base64url(claims());
        std::string bytes = signature(message);
        std::string text = base64url(bytes);
        for (std::size_t i = 0; i < json_array_size(input("mutate")); ++i) {
            json_t *change = json_array_get(input("mutate"), i);
            const std::string op = text_of(json_object_get(change, "op"));
            json_t *value = json_object_get(change, "value");
            if (op == "signature" && text_of(value) == "empty") {
                text = "";
            } else if (op == "signature" && text_of(value) == "first_bytes") {
                text = base64url(
                    bytes.substr(0, static_cast<std::size_t>(json_integer_value(json_object_get(change, "n")))));
            } else if (op == "signature_bytes") {
                text = base64url(std::string(text_of(json_object_get(change, "hex")).size() / 2, '\0')); // all are zero
            } else if (op == "der") {
                text = base64url(sign_der(signer(), signer().algorithm, message));
            } else if (op == "pad") {
                text += std::string((4 - text.size() % 4) % 4, '=');
            } else if (op == "trailing_bits") {
                ++text.back(); // the last character of 64 bytes is A, Q, g or w
            } else if (op == "insert") {
                text.insert(static_cast<std::size_t>(json_integer_value(json_object_get(change, "at"))),
                            text_of(json_object_get(change, "text")));
            } else {
                ADD_FAILURE() << "unknown change of a token: " << op;
            }
        }
        return message + '.' + text;
    }

    json_t *case_ = nullptr;
};

TEST_P(JwtCase, HasTheRightResult) {
    SCOPED_TRACE(text_of(json_object_get(case_, "why")));
    const core::KeySet keys = published();
    core::ClaimsPolicy policy{.issuer = kWords.at("{ISS}"), .audience = kWords.at("{AUD}")};
    if (json_t *leeway = json_object_get(input("config"), "leeway_seconds"))
        policy.leeway_seconds = json_integer_value(leeway);

    std::pmr::monotonic_buffer_resource memory;
    const auto result = core::verify_token(token(), keys, policy, kNow, memory);
    json_t *status = expected("status");
    json_t *first = json_is_array(status) ? json_array_get(status, 0) : status;
    json_t *reason = expected("reason");
    if (json_integer_value(first) == 200 && !reason) {
        ASSERT_TRUE(result) << result.refusal().code << ": " << result.refusal().message << " "
                            << result.refusal().detail;
        EXPECT_EQ(core::view(core::print_uuid(result.value().tenant_id)), kWords.at("{TENANT_A}"));
        EXPECT_EQ(core::view(core::print_uuid(result.value().user_id)), kWords.at("{SUB}"));
        EXPECT_TRUE(result.value().has_session);
        EXPECT_EQ(result.value().role, "security_guard");
    } else {
        ASSERT_FALSE(result);
        EXPECT_EQ(result.refusal().code, text_of(reason)) << result.refusal().message << " " << result.refusal().detail;
        EXPECT_EQ(result.refusal().status, 401);
    }
}

// The cases of tokens. Those about the request around one (its header, its query, what came before) are tested over
// HTTP.
std::vector<std::string> lines() {
    std::ifstream file(RELYGATE_CASES "/jwt.jsonl");
    std::vector<std::string> lines;
    for (std::string line; std::getline(file, line);) {
        const auto is_about = [&line](const char *member) { return line.find(member) != std::string::npos; };
        if (!is_about("\"request\": {") && !is_about("\"authorization\": ") && !is_about("\"after\": "))
            lines.push_back(line);
    }
    return lines;
}

INSTANTIATE_TEST_SUITE_P(Cases, JwtCase, testing::ValuesIn(lines()), [](const auto &line) {
    std::string id = line.param.substr(line.param.find("jwt-"), 7); // the id stands first
    id[3] = '_';
    return id;
});

TEST(JwtCases, AreThere) {
    EXPECT_GE(lines().size(), 44U);
}

} // namespace
