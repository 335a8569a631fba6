// Which reads have shown that they are slow, by route and tenant: they go to the slow lane, where they hold up nobody
// but each other, until they are quick again. And which may be: of several that shared a Sync it is not known which
// took the time, so each of them is asked alone next time.
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
    void suspect(const Route &route, std::string_view tenant); // until one of them was learned of
    [[nodiscard]] bool is_suspect(const Route &route, std::string_view tenant) const;
    void forget(); // routes of another catalogue

  private:
    std::unordered_map<std::string, int> scores_;
    std::unordered_set<std::string> suspects_;
};

} // namespace relygate::shim
