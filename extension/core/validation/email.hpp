// E-mail addresses: RFC 5321 (lengths, dot-atom), RFC 1123 (labels of the domain).
#pragma once

#include <string_view>

#include "core/base/outcome.hpp"

namespace relygate::core {

// Trimmed, the domain in lower case, the local part as given: only the receiving host may know whether its case
// matters.
Outcome<std::string_view> normalize_email(std::string_view text, Memory memory);

} // namespace relygate::core
