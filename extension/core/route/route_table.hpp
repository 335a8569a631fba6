// Which route a method and a raw path mean. A pattern is /api/visits/{id}/check-out: a segment in braces is a
// parameter, any other one must stand there byte by byte. A literal segment wins over a parameter; the path decides
// before the method (so there is a 405); HEAD counts as GET. No path is normalised: // and a last / match nothing.
//
// Shim and extension use the same table, so both agree on what a target means. It owns nothing: its nodes live in the
// memory it was made with, and the texts of the patterns stay where the caller has them.
#pragma once

#include "core/base/outcome.hpp"

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

namespace relygate::core {

inline constexpr std::size_t kMaxRouteParameters = 4;
inline constexpr std::size_t kMaxRouteSegments = 16;

struct RoutePattern {
    std::string_view method; // GET, POST, PUT, PATCH, DELETE
    std::string_view pattern;
};

struct RouteParameter {
    std::string_view name;  // as in the pattern, without braces
    std::string_view value; // raw, see decode_segment
};

struct RouteMatch {
    enum class Kind { found, no_such_path, no_such_method };
    Kind kind = Kind::no_such_path;
    std::size_t route = 0; // index in the patterns that the table was made of
    std::size_t parameter_count = 0;
    std::array<RouteParameter, kMaxRouteParameters> parameters = {};
    char allow[64] = ""; // the header's value where the method is not there: "GET, HEAD, POST"
};

[[nodiscard]] bool is_route_method(std::string_view method) noexcept;
[[nodiscard]] bool is_route_pattern(std::string_view pattern) noexcept;

class RouteTable {
  public:
    RouteTable() = default; // matches nothing
    // Rows that are no pattern are left out (the tables' CHECKs refuse them); of two equal ones the first counts.
    static RouteTable make(std::span<const RoutePattern> patterns, Memory memory);
    [[nodiscard]] RouteMatch match(std::string_view method, std::string_view path) const noexcept;

  private:
    static constexpr std::uint32_t kNone = ~std::uint32_t{0};
    struct Node {
        std::string_view segment;          // empty: a parameter
        std::uint32_t first_child = kNone; // literals first, the parameter last
        std::uint32_t next_sibling = kNone;
        std::uint32_t first_entry = kNone; // methods of the pattern that ends here
    };
    struct Entry {
        std::string_view method;
        std::string_view pattern;
        std::uint32_t route = 0;
        std::uint32_t next = kNone;
    };
    struct Builder;
    [[nodiscard]] std::uint32_t find(std::uint32_t parent, std::string_view rest) const noexcept;

    std::span<const Node> nodes_; // the first is the root
    std::span<const Entry> entries_;
};

} // namespace relygate::core
