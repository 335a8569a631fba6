// Claims: each one wrong in each way, both sides of each boundary in time, and aliases of other issuers.
#include "core/token/claims.hpp"

#include <gtest/gtest.h>
#include <string>
#include <string_view>

using namespace relygate::core;

namespace {

constexpr std::int64_t kNow = 1'795'600'000;
constexpr std::string_view kTenant = "01981f6e-0000-7000-8000-0000000000aa";
constexpr std::string_view kUser = "01981f6e-0000-7000-8000-00000000000a";

std::string claims(const std::string &more) {
    return R"({"sub":")" + std::string(kUser) + R"(","tenant_id":")" + std::string(kTenant) + '"' +
           (more.empty() ? "" : "," + more) + "}";
}

std::string reason(const std::string &json, const ClaimsPolicy &policy = {}, std::int64_t now = kNow) {
    std::pmr::monotonic_buffer_resource memory;
    SignedToken token;
    token.payload = json;
    const auto result = check_claims(token, policy, now, memory);
    if (!result) {
        EXPECT_EQ(result.refusal().status, 401);
    }
    return result
               ? "valid"
               : std::string(result.refusal().code) + (*result.refusal().detail ? ": " : "") + result.refusal().detail;
}

TEST(Claims, AreBoundInTime) {
    const auto at = [](const std::string &more, std::int64_t leeway = 0) {
        return reason(claims(more), {.leeway_seconds = leeway});
    };
    const std::string now = std::to_string(kNow), later = std::to_string(kNow + 1), before = std::to_string(kNow - 1);
    EXPECT_EQ(at("\"exp\":" + later), "valid");
    EXPECT_EQ(at("\"exp\":" + now + ".5"), "valid");
    EXPECT_EQ(at("\"exp\":" + now), "expired: 0 seconds ago."); // on or after which it must not be accepted
    EXPECT_EQ(at("\"exp\":" + before), "expired: 1 seconds ago.");
    EXPECT_EQ(at("\"exp\":" + before, 2), "valid");
    EXPECT_EQ(at("\"exp\":" + before, 1), "expired: 1 seconds ago.");
    EXPECT_EQ(at("\"exp\":-1"), "expired: 1795600001 seconds ago.");
    EXPECT_EQ(at("\"exp\":1.7956001e9"), "valid");
    EXPECT_EQ(at("\"exp\":" + later + ",\"nbf\":" + now), "valid");
    EXPECT_EQ(at("\"exp\":" + later + ",\"nbf\":" + later), "not_yet_valid: In 1 seconds.");
    EXPECT_EQ(at("\"exp\":" + later + ",\"nbf\":" + later, 1), "valid");
    EXPECT_EQ(at("\"exp\":253402300799"), "valid");
    for (const char *wrong :
         {"253402300800", "1e30", "1e300", "-1e20", "\"1795600600\"", "null", "true", "[1795600600]"}) {
        SCOPED_TRACE(wrong);
        EXPECT_EQ(at(std::string("\"exp\":") + wrong).substr(0, 6), "claims");
        EXPECT_EQ(at("\"exp\":" + later + ",\"nbf\":" + wrong).substr(0, 6), "claims");
        EXPECT_EQ(at("\"exp\":" + later + ",\"iat\":" + wrong).substr(0, 6), "claims");
    }
    EXPECT_EQ(at(""), "claims: exp is missing.");
}

TEST(Claims, SayWhoseTheyAre) {
    const std::string exp = R"("exp":)" + std::to_string(kNow + 600);
    const std::string tenant = R"("tenant_id":")" + std::string(kTenant) + '"',
                      user = R"("sub":")" + std::string(kUser) + '"';
    EXPECT_EQ(reason("{" + exp + "," + tenant + "}"), "claims: sub is missing.");
    EXPECT_EQ(reason("{" + exp + "," + user + "}"), "claims: tenant_id is missing.");
    EXPECT_EQ(reason("{" + exp + "," + user + R"(,"tenant_id":""})"), "claims: tenant_id is missing.");
    EXPECT_EQ(reason("{" + exp + "," + user + R"(,"tenant_id":"not-a-uuid"})"), "claims: tenant_id is not a UUID.");
    EXPECT_EQ(reason("{" + exp + "," + user + R"(,"tenant_id":7})"), "claims: tenant_id is not a text.");
    EXPECT_EQ(reason("{" + exp + "," + tenant + R"(,"sub":"asha"})"), "claims: sub is not a UUID.");
    EXPECT_EQ(reason(claims(exp + R"(,"sid":"x")")), "claims: sid is not a UUID.");
    EXPECT_EQ(reason(claims(exp + R"(,"role":["admin"])")), "claims: role is not a text.");
    EXPECT_EQ(reason(claims(exp + R"(,"jti":1)")), "claims: jti is not a text.");
    EXPECT_EQ(reason(claims(exp + ",\"tenant_id\":\"" + std::string(kUser) + '"')),
              "claims: tenant_id: member stands twice.");
    for (const char *text : {"", "x", "[]", "{", "\"text\""})
        EXPECT_EQ(reason(text), "claims: They are not a JSON object.") << text;

    // The names of other issuers.
    const std::string aliased = "{" + exp + R"(,"UserID":")" + std::string(kUser) + R"(","TenantID":")" +
                                std::string(kTenant) + R"(","Role":"guard"})";
    EXPECT_EQ(reason(aliased), "valid");
    EXPECT_EQ(reason(claims(exp + ",\"TenantID\":\"" + std::string(kTenant) + '"')), "valid");
    EXPECT_EQ(reason(claims(exp + ",\"TenantID\":\"" + std::string(kUser) + '"')),
              "claims: TenantID contradicts another claim.");
    constexpr std::string_view kOnlyOurs[] = {"tenant_id"};
    EXPECT_EQ(reason(aliased, {.tenant_names = kOnlyOurs}), "claims: tenant_id is missing.");
}

TEST(Claims, AreReadAsTheyStand) {
    std::pmr::monotonic_buffer_resource memory;
    SignedToken token;
    const std::string json = claims(
        R"("exp":1795600600.9,"iat":1795600000,"iss":"i","role":"host","jti":"j","sid":"01981f6e-0000-7000-8000-0000000000dd")");
    token.payload = json;
    const auto result = check_claims(token, {.issuer = "i"}, kNow, memory);
    ASSERT_TRUE(result) << result.refusal().detail;
    const Claims &read = result.value();
    EXPECT_EQ(view(print_uuid(read.user_id)), kUser);
    EXPECT_EQ(view(print_uuid(read.tenant_id)), kTenant);
    EXPECT_TRUE(read.has_session);
    EXPECT_EQ(read.session_id[15], 0xdd);
    EXPECT_EQ(read.expires_at, kNow + 600);
    EXPECT_EQ(read.issued_at, kNow);
    EXPECT_EQ(read.issuer, "i");
    EXPECT_EQ(read.role, "host");
    EXPECT_EQ(read.token_id, "j");
    EXPECT_EQ(read.json, json);
}

TEST(Claims, KnowIssuerAndAudience) {
    const std::string exp = R"("exp":)" + std::to_string(kNow + 600);
    const auto issued = [&](const std::string &more, const ClaimsPolicy &policy) {
        return reason(claims(exp + more), policy);
    };
    EXPECT_EQ(issued(R"(,"iss":"us")", {.issuer = "us"}), "valid");
    EXPECT_EQ(issued(R"(,"iss":"us ")", {.issuer = "us"}), "issuer");
    EXPECT_EQ(issued("", {.issuer = "us"}), "issuer");
    EXPECT_EQ(issued(R"(,"iss":["us"])", {.issuer = "us"}), "issuer");
    EXPECT_EQ(issued(R"(,"iss":["us"])", {}), "issuer");
    EXPECT_EQ(issued(R"(,"iss":"any")", {}), "valid");
    EXPECT_EQ(issued(R"(,"aud":"we")", {.audience = "we"}), "valid");
    EXPECT_EQ(issued(R"(,"aud":["they","we"])", {.audience = "we"}), "valid");
    EXPECT_EQ(issued(R"(,"aud":["they","we",1])", {.audience = "we"}), "audience");
    EXPECT_EQ(issued(R"(,"aud":[])", {.audience = "we"}), "audience");
    EXPECT_EQ(issued(R"(,"aud":{"we":1})", {.audience = "we"}), "audience");
    EXPECT_EQ(issued("", {.audience = "we"}), "audience");
    EXPECT_EQ(issued(R"(,"aud":"they")", {}), "valid");
    // Of another's token nothing else is told.
    EXPECT_EQ(reason(R"({"iss":"they","exp":1})", {.issuer = "us"}), "issuer");
}

TEST(Claims, AskForTheirType) {
    const struct {
        std::string_view type;
        bool is_right;
    } kTypes[] = {
        {"JWT", true},
        {"jwt", true},
        {"at+jwt", true},
        {"AT+JWT", true},
        {"application/at+jwt", true},
        {"application/jwt", true},
        {"refresh+jwt", false},
        {"credential+jwt", false},
        {"", false},
        {"application/", false},
        {"JWTx", false},
        {"dpop+jwt", false},
    };
    const std::string json = claims(R"("exp":)" + std::to_string(kNow + 600));
    for (const auto &[type, is_right] : kTypes) {
        SCOPED_TRACE(type);
        std::pmr::monotonic_buffer_resource memory;
        SignedToken token;
        token.payload = json;
        token.has_type = true;
        token.type = type;
        const auto result = check_claims(token, {}, kNow, memory);
        EXPECT_EQ(bool(result), is_right);
        if (!result) {
            EXPECT_STREQ(result.refusal().code, "type");
        }
    }
}

} // namespace
