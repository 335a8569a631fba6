// See target.hpp.
#include "core/route/target.hpp"

#include <algorithm>
#include <memory>
#include <utf8proc.h>
#include <vector>

namespace relygate::core {
namespace {

struct Trouble {
    const char *code = nullptr;
    const char *message = nullptr;
};

constexpr Trouble kEscape{"escape", "percent escape is not valid"};
constexpr Trouble kNul{"nul", "character U+0000 is not allowed"};
constexpr Trouble kUtf8{"utf8", "text is not valid UTF-8"};
constexpr Trouble kTooMany{"too_many", "too many members"};

int hex_digit(char c) noexcept {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

bool is_utf8(std::string_view text) noexcept {
    const auto *at = reinterpret_cast<const utf8proc_uint8_t *>(text.data());
    for (auto left = static_cast<utf8proc_ssize_t>(text.size()); left > 0;) {
        utf8proc_int32_t code_point;
        const utf8proc_ssize_t size = utf8proc_iterate(at, left, &code_point); // refuses overlong forms and surrogates
        if (size <= 0)
            return false;
        at += size;
        left -= size;
    }
    return true;
}

Trouble decode(std::string_view raw, bool plus_is_blank, Memory memory, std::string_view &decoded) {
    decoded = {};
    const bool is_plain = raw.find('%') == raw.npos && (!plus_is_blank || raw.find('+') == raw.npos);
    if (!is_plain) {
        char *bytes = static_cast<char *>(memory.allocate(raw.size(), 1));
        std::size_t size = 0;
        for (std::size_t i = 0; i < raw.size(); ++i) {
            char c = raw[i];
            if (c == '+' && plus_is_blank) {
                c = ' ';
            } else if (c == '%') {
                const int high = i + 2 < raw.size() ? hex_digit(raw[i + 1]) : -1;
                const int low = i + 2 < raw.size() ? hex_digit(raw[i + 2]) : -1;
                if (high < 0 || low < 0)
                    return kEscape;
                c = static_cast<char>(high << 4 | low);
                i += 2;
            }
            bytes[size++] = c;
        }
        raw = {bytes, size};
    }
    if (raw.find('\0') != std::string_view::npos)
        return kNul;
    if (!is_utf8(raw))
        return kUtf8;
    decoded = raw;
    return {};
}

// A name that cannot be decoded is still to be named in the answer.
std::string_view printable(std::string_view raw, Memory memory) {
    char *bytes = static_cast<char *>(memory.allocate(std::max<std::size_t>(raw.size(), 1), 1));
    std::transform(raw.begin(), raw.end(), bytes, [](char c) { return c >= ' ' && c <= '~' ? c : '?'; });
    return {bytes, raw.size()};
}

} // namespace

Target split_target(std::string_view raw) noexcept {
    const std::size_t mark = raw.find('?');
    if (mark == std::string_view::npos)
        return {raw, {}};
    return {raw.substr(0, mark), raw.substr(mark + 1)};
}

Outcome<std::string_view> decode_segment(std::string_view raw, Memory memory) {
    std::string_view decoded;
    const Trouble trouble = decode(raw, false, memory, decoded);
    if (trouble.code)
        return Refusal{.status = 400, .code = trouble.code, .message = trouble.message};
    return decoded;
}

std::span<const QueryMember> parse_query(std::string_view raw, Memory memory) {
    std::vector<QueryMember> members;
    while (!raw.empty()) {
        const std::size_t end = std::min(raw.find('&'), raw.size());
        const std::string_view piece = raw.substr(0, end);
        raw.remove_prefix(std::min(end + 1, raw.size()));
        if (piece.empty())
            continue;
        const std::size_t equals = std::min(piece.find('='), piece.size());
        const std::string_view raw_name = piece.substr(0, equals);
        QueryMember member{};
        Trouble trouble = decode(raw_name, true, memory, member.name);
        if (trouble.code)
            member.name = printable(raw_name, memory);
        else
            trouble = decode(piece.substr(std::min(equals + 1, piece.size())), true, memory, member.value);
        if (members.size() == kMaxQueryMembers)
            trouble = kTooMany;
        member.code = trouble.code;
        member.message = trouble.message;
        member.is_repeated = std::any_of(members.begin(), members.end(),
                                         [&](const QueryMember &earlier) { return earlier.name == member.name; });
        members.push_back(member);
        if (members.size() > kMaxQueryMembers)
            break;
    }
    if (members.empty())
        return {};
    auto *kept =
        static_cast<QueryMember *>(memory.allocate(members.size() * sizeof(QueryMember), alignof(QueryMember)));
    std::uninitialized_copy(members.begin(), members.end(), kept);
    return {kept, members.size()};
}

} // namespace relygate::core
