// Which reads have shown that they are slow, by route and tenant: they go to the slow lane, where they hold up nobody
// but each other, until they are quick again.
#pragma once

#include "shim/routes.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

namespace relygate::shim {

class SlowReads {
  public:
    // How long the database took for one of them, in milliseconds. True: from now on it counts as slow.
    bool learn(const Route &route, std::string_view tenant, std::int64_t took_ms);
    [[nodiscard]] bool has(const Route &route, std::string_view tenant) const;
    void forget() { scores_.clear(); } // routes of another catalogue

  private:
    std::unordered_map<std::string, int> scores_;
};

} // namespace relygate::shim
