// Which Content-Type a JSON body may have: application/json, in any case, with charset utf-8 or none (RFC 8259, 8.1
// knows no other; to guess one would store other characters than were meant).
#pragma once

#include <string_view>

namespace relygate::core {

[[nodiscard]] bool is_json_media_type(std::string_view content_type) noexcept;

} // namespace relygate::core
