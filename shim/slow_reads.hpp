// Which reads have shown that they are slow, by route and tenant: they go to the slow lane, where they hold up nobody
// but each other, until they are quick again. And which are known to be
// quick: only those share a Sync with others, whose answers wait for the last of them.
#pragma once

#include "shim/routes.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>
#include <unordered_set>

namespace relygate::shim {

class SlowReads {
  public:
    // How long the database took for one of them, in milliseconds. True: from now on it counts as slow.
    bool learn(const Route &route, std::string_view tenant, std::int64_t took_ms);
    [[nodiscard]] bool has(const Route &route, std::string_view tenant) const;
    // It failed, or it was one of several that took long together: it is known no more.
    void doubt(const Route &route, std::string_view tenant);
    [[nodiscard]] bool is_quick(const Route &route, std::string_view tenant) const;
    void forget(); // routes of another catalogue

  private:
    std::unordered_map<std::string, int> scores_;
    std::unordered_set<std::string> quick_;
};

} // namespace relygate::shim
