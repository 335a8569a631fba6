// The rules of core as SQL functions: normalize_* give the stored form or raise RG400, is_* serve the CHECKs of the
// domains. All are IMMUTABLE: they read no table, no setting and no clock.
#include "core/base/text.hpp"
#include "core/validation/code.hpp"
#include "core/validation/country.hpp"
#include "core/validation/email.hpp"
#include "core/validation/identity_document.hpp"
#include "core/validation/input_rule.hpp"
#include "core/validation/label.hpp"
#include "core/validation/mobile.hpp"
#include "core/validation/password.hpp"
#include "core/validation/person_name.hpp"
#include "core/validation/time_zone.hpp"
#include "core/validation/vehicle_number.hpp"
#include "core/validation/words.hpp"
#include "pg/api/field_errors.hpp"
#include "pg/boundary.hpp"

namespace relygate::pg {
namespace {

using Ruled = core::Outcome<std::string_view>;

std::string_view argument(FunctionCallInfo fcinfo, int number) {
    return PG_ARGISNULL(number) ? std::string_view() : text_view(PG_GETARG_TEXT_PP(number));
}

// Runs a rule and returns its text; a refusal that blames no member blames `field` (null: the caller knows better).
template <typename Rule> Datum normalize(const char *field, Rule rule) {
    const Ruled ruled = run_rule([&]() -> Ruled {
        ContextMemory memory;
        return rule(memory);
    });
    if (!ruled) {
        core::Refusal refusal = ruled.refusal();
        if (refusal.field == nullptr)
            refusal.field = field;
        raise_refusal(refusal);
    }
    PG_RETURN_TEXT_P(make_text(ruled.value()));
}

template <typename Rule> Datum takes(Rule rule) {
    const bool is_taken = run_rule([&] {
        ContextMemory memory;
        return static_cast<bool>(rule(memory));
    });
    PG_RETURN_BOOL(is_taken);
}

// A domain takes a mark in any spelling of any country; the trigger, which knows the tenant's, looks closer.
constexpr std::string_view kAnyCountry = "";

} // namespace

// Where the caller may say which parameter it is, it is the second argument; 1.0.0 had one argument only.
#define RELYGATE_NORMALIZE(name, field)                                                                                \
    RELYGATE_FUNCTION(relygate_##name) {                                                                               \
        const auto value = argument(fcinfo, 0);                                                                        \
        const char *blamed = PG_NARGS() > 1 ? text_to_cstring(PG_GETARG_TEXT_PP(1)) : field;                           \
        return normalize(blamed, [&](core::Memory memory) { return core::name(value, memory); });                      \
    }
RELYGATE_NORMALIZE(normalize_person_name, nullptr)
RELYGATE_NORMALIZE(normalize_email, "email")
RELYGATE_NORMALIZE(normalize_label, nullptr)
RELYGATE_NORMALIZE(normalize_remark, nullptr)
RELYGATE_NORMALIZE(normalize_user_name, "user_name")
RELYGATE_NORMALIZE(normalize_code, "code")
RELYGATE_NORMALIZE(normalize_time_zone, "time_zone")
RELYGATE_NORMALIZE(normalize_country, "country")

// relygate.normalize_mobile(mobile text, country text) text
RELYGATE_FUNCTION(relygate_normalize_mobile) {
    const auto value = argument(fcinfo, 0);
    const auto country = argument(fcinfo, 1);
    return normalize("mobile", [&](core::Memory memory) { return core::normalize_mobile(value, country, memory); });
}

// relygate.normalize_vehicle_number(vehicle_number text, country text) text
RELYGATE_FUNCTION(relygate_normalize_vehicle_number) {
    const auto value = argument(fcinfo, 0);
    const auto country = argument(fcinfo, 1);
    return normalize("vehicle_no",
                     [&](core::Memory memory) { return core::normalize_vehicle_number(value, country, memory); });
}

// relygate.normalize_document_number(document_type text, document_number text, country text DEFAULT 'IN') text
RELYGATE_FUNCTION(relygate_normalize_document_number) {
    const auto type = argument(fcinfo, 0);
    const auto value = argument(fcinfo, 1);
    const auto country = argument(fcinfo, 2);
    return normalize("document_no", [&](core::Memory memory) {
        return core::normalize_document_number(type, value, country, memory);
    });
}

// relygate.mask_document_number(document_type text, document_number text) text
RELYGATE_FUNCTION(relygate_mask_document_number) {
    const auto type = argument(fcinfo, 0);
    const auto value = argument(fcinfo, 1);
    return normalize(nullptr,
                     [&](core::Memory memory) -> Ruled { return core::mask_document_number(type, value, memory); });
}

// relygate.check_password(password text, user_name text, fewest_characters int DEFAULT 8) boolean. Not STRICT: a user
// name that is null cannot be compared, but the password is looked at all the same, and a null password is too short.
RELYGATE_FUNCTION(relygate_check_password) {
    const auto password = argument(fcinfo, 0);
    const auto user_name = argument(fcinfo, 1);
    const auto fewest = PG_ARGISNULL(2) ? 0 : std::max(PG_GETARG_INT32(2), 0);
    const Ruled ruled =
        run_rule([&] { return core::check_password(password, user_name, static_cast<std::size_t>(fewest)); });
    if (ruled)
        PG_RETURN_BOOL(true);
    core::Refusal refusal = ruled.refusal();
    refusal.field = "password";
    if (!is_collecting())
        raise_refusal(refusal);
    note_refusal({refusal.field, refusal.code, refusal.message, refusal.detail});
    PG_RETURN_BOOL(false);
}

// relygate.meets_input_rule(domain text, value text) boolean: the CHECK of the input domains. It raises instead of
// answering false, since "violates check constraint" would name neither the member nor the words that are known.
RELYGATE_FUNCTION(relygate_meets_input_rule) {
    const char *domain = text_to_cstring(PG_GETARG_TEXT_PP(0));
    const auto value = argument(fcinfo, 1);
    const core::InputRule *rule = run_rule([&] { return core::find_input_rule(domain); });
    if (rule == nullptr)
        ereport(ERROR, errcode(ERRCODE_INVALID_PARAMETER_VALUE), errmsg("there is no rule \"%s\"", domain));
    normalize(rule->field, [&](core::Memory memory) { return rule->apply(value, {}, memory); });
    PG_RETURN_BOOL(true);
}

// relygate.fold_search(value text) text
RELYGATE_FUNCTION(relygate_fold_search) {
    const auto value = argument(fcinfo, 0);
    return normalize(nullptr, [&](core::Memory memory) -> Ruled { return core::fold_search(value, memory); });
}

#define RELYGATE_CHECK(name, ...)                                                                                      \
    RELYGATE_FUNCTION(relygate_##name) {                                                                               \
        const auto value = argument(fcinfo, 0);                                                                        \
        return takes([&]([[maybe_unused]] core::Memory memory) { return __VA_ARGS__; });                               \
    }
RELYGATE_CHECK(is_mobile, core::looks_like_mobile(value))
RELYGATE_CHECK(is_vehicle_number, core::normalize_vehicle_number(value, kAnyCountry, memory))
RELYGATE_CHECK(is_person_name, core::normalize_person_name(value, memory))
RELYGATE_CHECK(is_email, core::normalize_email(value, memory))
RELYGATE_CHECK(is_label, core::looks_like_label(value, memory))
RELYGATE_CHECK(is_remark, core::normalize_remark(value, memory))
// Where no trigger normalises, only the stored form is right.
RELYGATE_CHECK(is_user_name, [&] {
    const auto name = core::normalize_user_name(value, memory);
    return name && name.value() == value;
}())
RELYGATE_CHECK(is_code, [&] {
    const auto code = core::normalize_code(value, memory);
    return code && code.value() == value;
}())
RELYGATE_CHECK(is_time_zone, core::is_time_zone(value))
RELYGATE_CHECK(is_country, core::find_country(value) != nullptr)
RELYGATE_CHECK(is_document_type, core::is_word(core::kDocumentTypes, value))
RELYGATE_CHECK(is_visit_state, core::is_word(core::kVisitStates, value))
RELYGATE_CHECK(is_visitor_type, core::is_word(core::kVisitorTypes, value))
RELYGATE_CHECK(is_tenant_kind, core::is_word(core::kTenantKinds, value))
RELYGATE_CHECK(is_tenant_state, core::is_word(core::kTenantStates, value))
RELYGATE_CHECK(is_purpose_kind, core::is_word(core::kPurposeKinds, value))
RELYGATE_CHECK(is_gate_direction, core::is_word(core::kGateDirections, value))
RELYGATE_CHECK(is_location_kind, core::is_word(core::kLocationKinds, value))
RELYGATE_CHECK(is_host_kind, core::is_word(core::kHostKinds, value))

} // namespace relygate::pg
