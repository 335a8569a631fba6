// Labels (one line: names of things, purposes) and remarks (several lines). Kept as written but for blanks around them
// and the composed form; escaping is the business of whoever shows them. A label loses what nobody sees, so that two
// that look the same are the same: soft hyphens, zero-width spaces, direction marks. What changes how its neighbours
// look stays: joiners in scripts that join and between emoji, variation selectors, the tags of a flag.
#pragma once

#include <string_view>

#include "core/base/outcome.hpp"

namespace relygate::core {

Outcome<std::string_view> normalize_label(std::string_view text, Memory memory); // 1 to 250 characters
bool looks_like_label(std::string_view text, Memory memory); // also one of 1.0.0, which kept all: a dump is restored
Outcome<std::string_view> normalize_remark(std::string_view text, Memory memory); // 1 to 500 characters
Outcome<std::string_view> normalize_search(std::string_view text, Memory memory); // 0 to 200 characters

} // namespace relygate::core
