// Which rule an input domain of SQL stands for (sql/types.sql). The binder of the dispatcher asks here by the type's
// name, so a function's signature alone decides how its parameters are checked and what they become.
#pragma once

#include <span>
#include <string_view>

#include "core/base/outcome.hpp"

namespace relygate::core {

// What a rule may need to know beside the value. An empty country knows international numbers only.
struct RuleContext {
    std::string_view country = "";       // ISO 3166-1 of the tenant
    std::string_view document_type = ""; // for document_number_input: the type that came along, empty where none did
};

struct InputRule {
    const char *name; // of the SQL domain
    // The normalised value, in `memory` or a view of the input, or a refusal with status 400. Idempotent. Never null.
    Outcome<std::string_view> (*apply)(std::string_view, const RuleContext &, Memory);
    std::span<const std::string_view> words; // where only these are right (they document the parameter); else empty
    bool is_secret = false;                  // the value must not be repeated in a message, log or answer
    const char *field = nullptr; // what parameters of this domain are mostly called: whom its CHECK blames (types.sql)
};

// Null where no rule has that name.
const InputRule *find_input_rule(std::string_view domain_name);
std::span<const InputRule> input_rules();

} // namespace relygate::core
