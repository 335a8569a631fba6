#include "shim/routes.hpp"

#include <utility>

namespace relygate::shim {

Routes::Routes(std::vector<Route> rows) : rows_(std::move(rows)) {
    std::vector<core::RoutePattern> patterns;
    patterns.reserve(rows_.size());
    for (const auto &row : rows_)
        patterns.push_back({row.method, row.pattern});
    table_ = core::RouteTable::make(patterns, memory_);
}

} // namespace relygate::shim
