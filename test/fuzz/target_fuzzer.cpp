// Paths, queries and the route table. The input is a target, then patterns, a line each.
#include "fuzzing.hpp"

#include "core/base/text.hpp"
#include "core/route/route_table.hpp"
#include "core/route/target.hpp"

#include <vector>

using namespace relygate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    auto rest = fuzz::text_of(data, size);
    const auto raw = fuzz::next_line(rest);
    std::pmr::monotonic_buffer_resource memory;
    const auto target = core::split_target(raw);
    if (const auto decoded = core::decode_segment(raw, memory))
        fuzz::require(core::is_valid_utf8(decoded.value()) && decoded.value().find('\0') == std::string_view::npos,
                      "a decoded segment is UTF-8 without NUL");
    const auto members = core::parse_query(target.query, memory);
    fuzz::require(members.size() <= core::kMaxQueryMembers, "the number of members is bounded");
    for (const auto &member : members)
        fuzz::require(core::is_valid_utf8(member.name) && core::is_valid_utf8(member.value) &&
                          (!member.code || member.message),
                      "members are UTF-8 and troubles have words");

    std::vector<core::RoutePattern> patterns{
        {"GET", "/api/visits"}, {"GET", "/api/visits/{id}"}, {"POST", "/api/visits/{id}/check-in"}};
    while (!rest.empty() && patterns.size() < 64)
        patterns.push_back({patterns.size() % 2 ? "POST" : "GET", fuzz::next_line(rest)});
    const auto table = core::RouteTable::make(patterns, memory);
    for (const std::string_view method : {"GET", "POST", "*"}) {
        const auto match = table.match(method, target.path);
        if (match.kind != core::RouteMatch::Kind::found)
            continue;
        fuzz::require(match.route < patterns.size() && patterns[match.route].method == method,
                      "a match is one of the routes");
        for (std::size_t i = 0; i < match.parameter_count; i++)
            fuzz::require(!match.parameters[i].value.empty() &&
                              match.parameters[i].value.find('/') == std::string_view::npos,
                          "a parameter is one segment");
    }
    // A pattern without parameters is found under its own text.
    for (const auto &[method, pattern] : patterns)
        if (core::is_route_pattern(pattern) && pattern.find('{') == std::string_view::npos)
            fuzz::require(table.match(method, pattern).kind == core::RouteMatch::Kind::found,
                          "each literal route is found");
    return 0;
}
