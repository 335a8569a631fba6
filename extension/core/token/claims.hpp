// Claims of a token (RFC 7519), as this product needs them: whose it is, of which tenant, until when. A token without
// `exp` never ends and is refused; NumericDates beyond the year 9999 are no dates; `iss` is one string, `aud` one or a
// list. Rights never come from a token (api.md).
//
// Refusals have status 401; their code is the reason: claims, expired, not_yet_valid, issuer, audience, type.
#pragma once

#include "core/base/outcome.hpp"
#include "core/base/uuid.hpp"
#include "core/token/jws.hpp"

#include <cstdint>
#include <span>
#include <string_view>

namespace relygate::core {

// Names under which issuers write the same claim, ours first. If a token has two of them they must agree.
inline constexpr std::string_view kSubjectNames[] = {"sub", "UserID"};
inline constexpr std::string_view kTenantNames[] = {"tenant_id", "TenantID"};
inline constexpr std::string_view kRoleNames[] = {"role", "Role"};

struct ClaimsPolicy {
    std::string_view issuer = {};   // empty: any
    std::string_view audience = {}; // empty: not asked for
    std::int64_t leeway_seconds = 0;
    std::span<const std::string_view> subject_names = kSubjectNames;
    std::span<const std::string_view> tenant_names = kTenantNames;
    std::span<const std::string_view> role_names = kRoleNames;
};

struct Claims {
    Uuid user_id{};
    Uuid tenant_id{};
    Uuid session_id{}; // `sid`
    bool has_session = false;
    std::int64_t expires_at = 0; // seconds since 1970, fraction cut, without leeway
    std::int64_t issued_at = 0;  // 0: not said
    std::string_view issuer;
    std::string_view role;
    std::string_view token_id; // `jti`
    std::string_view json;     // all of them, as they were signed
};

// `now` in seconds since 1970: core has no clock.
Outcome<Claims> check_claims(const SignedToken &token, const ClaimsPolicy &policy, std::int64_t now, Memory memory);
// Signature, then claims.
Outcome<Claims> verify_token(std::string_view token, const KeySet &keys, const ClaimsPolicy &policy, std::int64_t now,
                             Memory memory);

} // namespace relygate::core
