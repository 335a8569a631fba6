// Which numbers exist behind a calling code; the table is in calling_plans.cpp.
#pragma once

#include <string_view>

namespace relygate::core {

// The calling code with which the digits (without + or 00) begin, 0 where there is no such code.
int find_calling_code(std::string_view digits);
bool is_calling_code(int code);

// Can the digits behind the calling code, without trunk prefix, be somebody's number?
bool is_national_number(int calling_code, std::string_view digits);

} // namespace relygate::core
