// The routes that the database published, as far as the shim must know them: who may come without a token, how large a
// body may be, and which lane serves it. What a route does is the dispatcher's business.
#pragma once

#include "core/route/route_table.hpp"

#include <cstdint>
#include <memory_resource>
#include <string>
#include <string_view>
#include <vector>

namespace relygate::shim {

enum class LaneKind : std::uint8_t { read, write, slow };

struct Route {
    std::string method;
    std::string pattern;
    bool is_public = false;
    bool read_only = false;
    LaneKind lane = LaneKind::write;
    std::int64_t body_limit = 0;
};

class Routes {
  public:
    explicit Routes(std::vector<Route> rows);
    Routes(const Routes &) = delete;
    Routes &operator=(const Routes &) = delete;

    [[nodiscard]] core::RouteMatch match(std::string_view method, std::string_view path) const {
        return table_.match(method, path);
    }
    [[nodiscard]] const Route &at(std::size_t index) const { return rows_[index]; }
    [[nodiscard]] std::size_t size() const { return rows_.size(); }

  private:
    std::vector<Route> rows_; // the table looks into its texts
    std::pmr::monotonic_buffer_resource memory_;
    core::RouteTable table_;
};

} // namespace relygate::shim
