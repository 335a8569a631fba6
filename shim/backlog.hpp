// When a queue is so long that whoever comes now is better told so at once: he would wait long, and all behind him. A
// burst that finds nobody waiting is let in, since nothing was served yet by which it could be judged.
#pragma once

#include "shim/pace.hpp"

#include <cstddef>
#include <cstdint>

namespace relygate::shim {

class Backlog {
  public:
    void restart(std::int64_t now_ms); // what was served so far says nothing about what will be
    void count(std::int64_t now_ms);   // one was served

    // Of a lane where nobody should wait: `waiting` in its queue have been too many for a while.
    [[nodiscard]] bool is_standing(std::size_t waiting, std::int64_t now_ms);
    // Of one where waiting is expected: who comes now would hardly be served before `longest_ms` are over.
    [[nodiscard]] bool is_hopeless(std::size_t waiting, std::int64_t longest_ms, std::int64_t now_ms);

  private:
    [[nodiscard]] std::size_t served_in(std::int64_t milliseconds, std::int64_t now_ms);

    Pace pace_;
    std::int64_t long_since_ms_ = 0; // 0: the queue is not long
};

} // namespace relygate::shim
