#include "shim/pace.hpp"

namespace relygate::shim {

void Pace::move_on(std::int64_t now_ms) {
    if (now_ms - begun_ms_ < 1'000)
        return;
    const bool is_next = now_ms - begun_ms_ < 2'000;
    before_ = is_next ? running_ : 0;
    begun_ms_ = is_next ? begun_ms_ + 1'000 : now_ms;
    running_ = 0;
}

void Pace::count(std::int64_t now_ms) {
    move_on(now_ms);
    running_++;
}

std::size_t Pace::last_second(std::int64_t now_ms) {
    move_on(now_ms);
    return running_ + before_ * static_cast<std::size_t>(1'000 - (now_ms - begun_ms_)) / 1'000;
}

} // namespace relygate::shim
