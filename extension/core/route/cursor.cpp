// See cursor.hpp. Inside the base64url: the seal in eight hexadecimal digits, the sort, then the key, divided by NUL,
// which no text of PostgreSQL holds.
#include "core/route/cursor.hpp"

#include "core/base/base64url.hpp"
#include "core/base/text.hpp"
#include "core/json/values.hpp"

#include <algorithm>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

namespace relygate::core {
namespace {

constexpr std::size_t kMaxParts = 16;
constexpr std::size_t kMaxPartSize = 8192; // two names of a hundred characters, folded: 18 for one at worst

std::string print_seal(std::uint32_t seal) {
    char text[9];
    std::snprintf(text, sizeof text, "%08x", static_cast<unsigned>(seal));
    return text;
}

bool is_key(std::string_view sort, std::span<const std::string_view> parts) {
    if (!parse_uuid(parts.back()))
        return false;
    if (!sort.ends_with("At"))
        return true;
    return parts.size() == 2 && (parts[0].empty() || parse_instant(parts[0]));
}

} // namespace

std::string_view make_cursor(std::uint32_t seal, std::string_view sort, std::span<const std::string_view> key,
                             Memory memory) {
    std::string bytes = print_seal(seal);
    bytes.append(sort);
    for (const std::string_view part : key) {
        bytes.push_back('\0');
        bytes.append(part);
    }
    return encode_base64url(bytes, memory);
}

Outcome<Cursor> parse_cursor(std::string_view text, std::uint32_t seal, Memory memory) {
    const auto decoded = decode_base64url(text, memory);
    if (!decoded || !decoded->starts_with(print_seal(seal)))
        return kNoCursor;
    std::vector<std::string_view> parts;
    for (std::string_view rest = decoded->substr(8);;) {
        const std::size_t end = std::min(rest.find('\0'), rest.size());
        parts.push_back(rest.substr(0, end));
        if (!is_valid_utf8(parts.back()) || parts.back().size() > kMaxPartSize || parts.size() > kMaxParts)
            return kNoCursor;
        if (end == rest.size())
            break;
        rest.remove_prefix(end + 1);
    }
    if (parts.size() < 2 || !is_key(parts[0], {parts.data() + 1, parts.size() - 1}))
        return kNoCursor;
    auto *key = static_cast<std::string_view *>(
        memory.allocate((parts.size() - 1) * sizeof(std::string_view), alignof(std::string_view)));
    std::uninitialized_copy(parts.begin() + 1, parts.end(), key);
    return Cursor{parts[0], {key, parts.size() - 1}};
}

} // namespace relygate::core
