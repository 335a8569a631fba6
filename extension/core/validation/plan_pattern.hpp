// The small language in which calling_plans.cpp writes numbering plans. A digit or [a class] stands for itself, "." for
// any digit, #7 for seven digits more, #7,8 for seven or eight, #4-9 for four to nine, (one|other) for alternatives
// that begin with different digits; nothing follows a group. A pattern is trusted, the digits are not: every step takes
// a digit or ends.
#pragma once

#include <string_view>

namespace relygate::core {

bool fits_plan(std::string_view plan, std::string_view digits);

} // namespace relygate::core
