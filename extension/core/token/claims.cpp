// See claims.hpp.
#include "core/token/claims.hpp"

#include "core/json/reader.hpp"
#include "core/json/values.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace relygate::core {
namespace {

constexpr Refusal kBadClaims{401, "claims", "claims of the token are not valid"};
constexpr Refusal kExpired{401, "expired", "token has expired"};
constexpr Refusal kNotYetValid{401, "not_yet_valid", "token is not valid yet"};
constexpr Refusal kOtherIssuer{401, "issuer", "token is from another issuer"};
constexpr Refusal kOtherAudience{401, "audience", "token is for another audience"};
constexpr Refusal kOtherType{401, "type", "token is made for another purpose"};

// NumericDates from the year 1 to 9999: a double far beyond int64 must never be cast.
constexpr double kFirstDate = -62135596800;
constexpr double kLastDate = 253402300799;

Refusal bad(std::string_view name, const char *what) {
    char detail[128];
    std::snprintf(detail, sizeof detail, "%.*s %s.", static_cast<int>(std::min<std::size_t>(name.size(), 60)),
                  name.data(), what);
    return kBadClaims.with_detail(detail);
}

Refusal with_seconds(const Refusal &refusal, const char *before, double seconds, const char *after) {
    char detail[64];
    std::snprintf(detail, sizeof detail, "%s%.0f%s", before, seconds, after);
    return refusal.with_detail(detail);
}

char lower(char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
}

// Media types are compared without case; "application/" may be left out (RFC 7515, 4.1.9).
bool is_type(std::string_view type, std::string_view wanted) {
    const auto equal = [](std::string_view a, std::string_view b) {
        return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) { return lower(x) == lower(y); });
    };
    constexpr std::string_view kPrefix = "application/";
    if (equal(type.substr(0, kPrefix.size()), kPrefix))
        type.remove_prefix(kPrefix.size());
    return equal(type, wanted);
}

// Reads one claim after the other; the first that is wrong stays in `refusal`.
class ClaimsReader {
  public:
    explicit ClaimsReader(const JsonValue &json) : json_(json) {}

    bool is_good = true;
    Refusal refusal = kBadClaims;

    // Absent: false.
    bool date(std::string_view name, double &value) {
        const JsonValue *claim = json_.find(name);
        if (!claim)
            return false;
        const auto number = number_from(*claim, kFirstDate, kLastDate);
        if (!number) {
            fail(bad(name, "is not a number of seconds up to the year 9999"));
            return false;
        }
        value = number.value();
        return true;
    }

    std::string_view text(std::string_view name) {
        const JsonValue *claim = json_.find(name);
        if (!claim)
            return {};
        if (!claim->is_string())
            fail(bad(name, "is not a text"));
        return claim->text;
    }

    // The claim under any of its names. Two that differ are refused: which one a reader takes must not matter.
    std::string_view text(std::span<const std::string_view> names) {
        std::string_view found;
        bool is_found = false;
        for (const std::string_view name : names) {
            if (!json_.find(name))
                continue;
            const std::string_view value = text(name);
            if (is_found && value != found)
                fail(bad(name, "contradicts another claim"));
            found = value;
            is_found = true;
        }
        return found;
    }

    Uuid uuid(std::span<const std::string_view> names) {
        const std::string_view value = text(names);
        const auto id = parse_uuid(value);
        if (!id && !names.empty())
            fail(bad(names.front(), value.empty() ? "is missing" : "is not a UUID"));
        return id.value_or(Uuid{});
    }

    void fail(const Refusal &why) {
        if (is_good)
            refusal = why;
        is_good = false;
    }

  private:
    const JsonValue &json_;
};

// One text or a list of them; the wanted one must be there. A list with anything else in it is no audience.
bool has_audience(const JsonValue *claim, std::string_view wanted) {
    if (!claim)
        return false;
    if (claim->is_string())
        return claim->text == wanted;
    const auto items = claim->items();
    return std::all_of(items.begin(), items.end(), [](const JsonValue &item) { return item.is_string(); }) &&
           std::any_of(items.begin(), items.end(), [&](const JsonValue &item) { return item.text == wanted; });
}

} // namespace

Outcome<Claims> check_claims(const SignedToken &token, const ClaimsPolicy &policy, std::int64_t now, Memory memory) {
    if (token.has_type && !is_type(token.type, "JWT") && !is_type(token.type, "at+jwt"))
        return kOtherType;
    const JsonReading reading = read_json_object(token.payload, memory);
    if (!reading.is_good()) {
        if (reading.code)
            return kBadClaims.with_detail("They are not a JSON object.");
        char reason[160];
        std::snprintf(reason, sizeof reason, "%.*s: %.*s.", static_cast<int>(reading.errors[0].field.size()),
                      reading.errors[0].field.data(), static_cast<int>(reading.errors[0].message.size()),
                      reading.errors[0].message.data());
        return kBadClaims.with_detail(reason);
    }

    ClaimsReader reader(reading.value);
    Claims claims;
    claims.json = token.payload;
    double expires = 0, starts = 0, issued = 0;
    const bool has_start = reader.date("nbf", starts);
    if (!reader.date("exp", expires) && reader.is_good)
        reader.fail(bad("exp", "is missing"));
    if (reader.date("iat", issued))
        claims.issued_at = static_cast<std::int64_t>(std::floor(issued));
    claims.expires_at = static_cast<std::int64_t>(std::floor(expires));
    claims.user_id = reader.uuid(policy.subject_names);
    claims.tenant_id = reader.uuid(policy.tenant_names);
    claims.role = reader.text(policy.role_names);
    claims.token_id = reader.text("jti");
    if (const std::string_view name = "sid"; reading.value.find(name)) {
        claims.session_id = reader.uuid({&name, 1});
        claims.has_session = true;
    }

    // Whose token it is comes first: of another's token nothing else has a meaning here.
    const JsonValue *issuer = reading.value.find("iss");
    if (issuer && issuer->is_string())
        claims.issuer = issuer->text;
    if ((issuer && !issuer->is_string()) || (!policy.issuer.empty() && claims.issuer != policy.issuer))
        return kOtherIssuer;
    if (!policy.audience.empty() && !has_audience(reading.value.find("aud"), policy.audience))
        return kOtherAudience;
    if (!reader.is_good)
        return reader.refusal;
    const auto clock = static_cast<double>(now);
    const auto leeway = static_cast<double>(policy.leeway_seconds);
    if (clock >= expires + leeway)
        return with_seconds(kExpired, "", clock - expires, " seconds ago.");
    if (has_start && clock < starts - leeway)
        return with_seconds(kNotYetValid, "In ", starts - clock, " seconds.");
    return claims;
}

Outcome<Claims> verify_token(std::string_view token, const KeySet &keys, const ClaimsPolicy &policy, std::int64_t now,
                             Memory memory) {
    const auto signed_token = verify_signature(token, keys, memory);
    if (!signed_token)
        return signed_token.refusal();
    return check_claims(signed_token.value(), policy, now, memory);
}

} // namespace relygate::core
