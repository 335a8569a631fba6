// See route_table.hpp. A tree of segments in one array: building is rare, a look-up allocates nothing.
#include "core/route/route_table.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <vector>

namespace relygate::core {
namespace {

// In the order in which Allow names them.
constexpr std::array<std::string_view, 5> kMethods = {"GET", "POST", "PUT", "PATCH", "DELETE"};

// The part of `rest` (which begins with a slash) up to the next slash; `rest` is moved behind it.
std::string_view next_segment(std::string_view &rest) noexcept {
    rest.remove_prefix(1);
    const std::size_t end = std::min(rest.find('/'), rest.size());
    const std::string_view segment = rest.substr(0, end);
    rest.remove_prefix(end);
    return segment;
}

bool is_parameter(std::string_view segment) noexcept {
    return segment.starts_with('{');
}

bool is_parameter_name(std::string_view name) noexcept {
    return !name.empty() && name[0] >= 'a' && name[0] <= 'z' && std::all_of(name.begin(), name.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_';
    });
}

bool is_literal(std::string_view segment) noexcept {
    return !segment.empty() && segment != "." && segment != ".." &&
           std::all_of(segment.begin(), segment.end(), [](char c) {
               return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
                      c == '_' || c == '.' || c == '~';
           });
}

template <typename T> std::span<const T> keep(const std::vector<T> &items, Memory memory) {
    if (items.empty())
        return {};
    T *copy = static_cast<T *>(memory.allocate(items.size() * sizeof(T), alignof(T)));
    std::uninitialized_copy(items.begin(), items.end(), copy);
    return {copy, items.size()};
}

} // namespace

bool is_route_method(std::string_view method) noexcept {
    return std::find(kMethods.begin(), kMethods.end(), method) != kMethods.end();
}

bool is_route_pattern(std::string_view pattern) noexcept {
    if (!pattern.starts_with('/'))
        return false;
    std::size_t segments = 0, parameters = 0;
    for (std::string_view rest = pattern; !rest.empty(); ++segments) {
        const std::string_view segment = next_segment(rest);
        if (is_parameter(segment)) {
            if (segment.size() < 3 || !segment.ends_with('}') ||
                !is_parameter_name(segment.substr(1, segment.size() - 2)))
                return false;
            ++parameters;
        } else if (!is_literal(segment)) {
            return false;
        }
    }
    return segments <= kMaxRouteSegments && parameters <= kMaxRouteParameters;
}

struct RouteTable::Builder {
    std::vector<Node> nodes{Node{}};
    std::vector<Entry> entries;

    std::uint32_t child(std::uint32_t parent, std::string_view segment) {
        std::uint32_t last = kNone;
        for (std::uint32_t at = nodes[parent].first_child; at != kNone; last = at, at = nodes[at].next_sibling)
            if (nodes[at].segment == segment)
                return at;
        const auto made = static_cast<std::uint32_t>(nodes.size());
        nodes.push_back(Node{.segment = segment});
        if (!segment.empty() || last == kNone) { // a literal goes to the front, before any parameter
            nodes[made].next_sibling = nodes[parent].first_child;
            nodes[parent].first_child = made;
        } else {
            nodes[last].next_sibling = made;
        }
        return made;
    }

    void add(const RoutePattern &row, std::uint32_t route) {
        std::uint32_t at = 0;
        for (std::string_view rest = row.pattern; !rest.empty();) {
            const std::string_view segment = next_segment(rest);
            at = child(at, is_parameter(segment) ? std::string_view() : segment);
        }
        for (std::uint32_t e = nodes[at].first_entry; e != kNone; e = entries[e].next)
            if (entries[e].method == row.method)
                return;
        entries.push_back(Entry{row.method, row.pattern, route, nodes[at].first_entry});
        nodes[at].first_entry = static_cast<std::uint32_t>(entries.size() - 1);
    }
};

RouteTable RouteTable::make(std::span<const RoutePattern> patterns, Memory memory) {
    Builder builder;
    for (std::size_t i = 0; i < patterns.size(); ++i)
        if (is_route_method(patterns[i].method) && is_route_pattern(patterns[i].pattern))
            builder.add(patterns[i], static_cast<std::uint32_t>(i));
    RouteTable table;
    table.nodes_ = keep(builder.nodes, memory);
    table.entries_ = keep(builder.entries, memory);
    return table;
}

// Goes back to the parameter where the literal leads nowhere; as deep as the deepest pattern.
std::uint32_t RouteTable::find(std::uint32_t parent, std::string_view rest) const noexcept {
    if (rest.empty())
        return nodes_[parent].first_entry == kNone ? kNone : parent;
    const std::string_view segment = next_segment(rest);
    if (segment.empty())
        return kNone;
    for (std::uint32_t at = nodes_[parent].first_child; at != kNone; at = nodes_[at].next_sibling) {
        if (!nodes_[at].segment.empty() && nodes_[at].segment != segment)
            continue;
        if (const std::uint32_t found = find(at, rest); found != kNone)
            return found;
    }
    return kNone;
}

RouteMatch RouteTable::match(std::string_view method, std::string_view path) const noexcept {
    RouteMatch result;
    if (nodes_.empty() || !path.starts_with('/'))
        return result;
    const std::uint32_t node = find(0, path);
    if (node == kNone)
        return result;
    const std::string_view wanted = method == "HEAD" ? "GET" : method;
    for (std::uint32_t at = nodes_[node].first_entry; at != kNone; at = entries_[at].next) {
        const Entry &entry = entries_[at];
        if (entry.method != wanted)
            continue;
        result.kind = RouteMatch::Kind::found;
        result.route = entry.route;
        for (std::string_view name = entry.pattern, value = path; !name.empty();) {
            const std::string_view segment = next_segment(name), sent = next_segment(value);
            if (is_parameter(segment))
                result.parameters[result.parameter_count++] = {segment.substr(1, segment.size() - 2), sent};
        }
        return result;
    }
    result.kind = RouteMatch::Kind::no_such_method;
    std::size_t size = 0;
    const auto append = [&](std::string_view text) {
        std::memcpy(result.allow + size, text.data(), text.size());
        size += text.size();
    };
    for (const std::string_view candidate : kMethods)
        for (std::uint32_t at = nodes_[node].first_entry; at != kNone; at = entries_[at].next)
            if (entries_[at].method == candidate) {
                append(size ? ", " : "");
                append(candidate);
                if (candidate == "GET")
                    append(", HEAD");
            }
    result.allow[size] = '\0';
    return result;
}

} // namespace relygate::core
