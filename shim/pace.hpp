// How many are answered a second: of the last second, or since it began to count.
#pragma once

#include <cstddef>
#include <cstdint>

namespace relygate::shim {

class Pace {
  public:
    void restart(std::int64_t now_ms); // what was before says nothing about what is
    void count(std::int64_t now_ms);
    [[nodiscard]] std::size_t a_second(std::int64_t now_ms);

  private:
    void move_on(std::int64_t now_ms);

    std::int64_t begun_ms_ = 0;            // of the second that runs
    std::size_t running_ = 0, before_ = 0; // answered in it, and in the one before
    bool has_before_ = false;
};

} // namespace relygate::shim
