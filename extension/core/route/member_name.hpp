// How a thing is called in SQL and in JSON: visitor_id is visitorId, and two underscores are a level:
// visitor__first_name is visitor.firstName. Parameters, columns and the fields of refusals all go through here.
#pragma once

#include "core/base/outcome.hpp"

#include <string_view>

namespace relygate::core {

// The member's path; a view of `sql_name` where both are the same. What is a path already stays as it is.
std::string_view member_path(std::string_view sql_name, Memory memory);

} // namespace relygate::core
