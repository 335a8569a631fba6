// See input_rule.hpp. One row a domain of sql/types.sql; a test compares the two lists.
#include "core/validation/input_rule.hpp"

#include <algorithm>

#include "core/base/text.hpp"
#include "core/json/values.hpp"
#include "core/validation/code.hpp"
#include "core/validation/country.hpp"
#include "core/validation/email.hpp"
#include "core/validation/identity_document.hpp"
#include "core/validation/label.hpp"
#include "core/validation/mobile.hpp"
#include "core/validation/password.hpp"
#include "core/validation/person_name.hpp"
#include "core/validation/time_zone.hpp"
#include "core/validation/vehicle_number.hpp"
#include "core/validation/words.hpp"

namespace relygate::core {

namespace {

using Text = std::string_view;
using Ruled = Outcome<Text>;

// Rules that need nothing but the text.
template <Ruled (*rule)(Text, Memory)> Ruled plain(Text text, const RuleContext &, Memory memory) {
    return rule(text, memory);
}

Ruled mobile(Text text, const RuleContext &context, Memory memory) {
    return normalize_mobile(text, context.country, memory);
}

Ruled vehicle_number(Text text, const RuleContext &context, Memory memory) {
    return normalize_vehicle_number(text, context.country, memory);
}

// Without its type a number can only be looked at; the function that gets both asks again.
Ruled document_number(Text text, const RuleContext &context, Memory memory) {
    if (context.document_type.empty())
        return check_document_text(text, memory);
    return normalize_document_number(context.document_type, text, context.country, memory);
}

// The user name is the function's to compare.
Ruled password(Text text, const RuleContext &, Memory) {
    return check_password(text, "");
}

// An instant keeps its own offset, a day becomes one only where the site's time zone is known.
Ruled moment(Text text, const RuleContext &, Memory) {
    text = trim(text);
    if (parse_date(text) || parse_instant(text))
        return text;
    return Refusal{400, "invalid", "time is neither a date nor an RFC 3339 time with offset",
                   "Use 2027-01-31 or 2027-01-31T09:30:00Z."};
}

template <int least, int most> Ruled whole(Text text, const RuleContext &, Memory) {
    const auto number = parse_integer(text, least, most);
    if (!number)
        return number.refusal();
    return text;
}

Refusal unknown_word(Words words, const char *message, Text lead) {
    Refusal refusal{400, "unknown", message};
    char list[sizeof refusal.detail];
    std::size_t size = lead.copy(list, sizeof list);
    for (const auto word : words) {
        size += word.copy(list + size, sizeof list - size);
        size += Text(word == words.back() ? "." : ", ").copy(list + size, sizeof list - size);
    }
    return refusal.with_detail({list, size});
}

template <const auto &words> Ruled one_of(Text text, const RuleContext &, Memory) {
    if (is_word(words, text))
        return text;
    return unknown_word(words, "word is not one of those that are known", "Known are ");
}

template <const auto &words> Ruled sort_by(Text text, const RuleContext &, Memory) {
    if (is_word(words, text.substr(text.starts_with('-') ? 1 : 0)))
        return text;
    return unknown_word(words, "list cannot be sorted by this", "A - in front turns the order round; known are ");
}

constexpr InputRule kRules[] = {
    {"mobile_input", mobile, {}},
    {"person_name_input", plain<normalize_person_name>, {}},
    {"email_input", plain<normalize_email>, {}},
    {"vehicle_number_input", vehicle_number, {}},
    {"document_type_input", one_of<kDocumentTypes>, kDocumentTypes, false, "document_type"},
    {"document_number_input", document_number, {}, true},
    {"user_name_input", plain<normalize_user_name>, {}, false, "user_name"},
    {"code_input", plain<normalize_code>, {}, false, "code"},
    {"label_input", plain<normalize_label>, {}},
    {"remark_input", plain<normalize_remark>, {}},
    {"password_input", password, {}, true},
    {"time_zone_input", plain<normalize_time_zone>, {}, false, "time_zone"},
    {"country_input", plain<normalize_country>, {}, false, "country"},
    {"visit_state_input", one_of<kVisitStates>, kVisitStates, false, "state"},
    {"visitor_type_input", one_of<kVisitorTypes>, kVisitorTypes, false, "visitor_type"},
    {"tenant_kind_input", one_of<kTenantKinds>, kTenantKinds, false, "kind"},
    {"tenant_state_input", one_of<kTenantStates>, kTenantStates, false, "state"},
    {"purpose_kind_input", one_of<kPurposeKinds>, kPurposeKinds, false, "kind"},
    {"gate_direction_input", one_of<kGateDirections>, kGateDirections, false, "direction"},
    {"location_kind_input", one_of<kLocationKinds>, kLocationKinds, false, "kind"},
    {"host_kind_input", one_of<kHostKinds>, kHostKinds, false, "kind"},
    {"moment_input", moment, {}},
    {"group_size_input", whole<1, 1000>, {}, false, "group_size"},
    {"capacity_input", whole<1, 1'000'000>, {}, false, "capacity"},
    {"position_input", whole<0, 1'000'000>, {}, false, "position"},
    {"search_input", plain<normalize_search>, {}, false, "search"},
    {"visit_sort_input", sort_by<kVisitSorts>, kVisitSorts, false, "sort"},
    {"name_sort_input", sort_by<kNameSorts>, kNameSorts, false, "sort"},
    {"host_sort_input", sort_by<kHostSorts>, kHostSorts, false, "sort"},
    {"user_sort_input", sort_by<kUserSorts>, kUserSorts, false, "sort"},
    {"vocabulary_sort_input", sort_by<kVocabularySorts>, kVocabularySorts, false, "sort"},
    {"audit_sort_input", sort_by<kAuditSorts>, kAuditSorts, false, "sort"},
};

} // namespace

const InputRule *find_input_rule(std::string_view domain_name) {
    const auto *found = std::find_if(std::begin(kRules), std::end(kRules),
                                     [&](const InputRule &rule) { return domain_name == rule.name; });
    return found == std::end(kRules) ? nullptr : found;
}

std::span<const InputRule> input_rules() {
    return kRules;
}

} // namespace relygate::core
