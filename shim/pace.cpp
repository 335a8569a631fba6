#include "shim/pace.hpp"

#include <algorithm>

namespace relygate::shim {

void Pace::restart(std::int64_t now_ms) {
    *this = Pace();
    begun_ms_ = now_ms;
}

void Pace::move_on(std::int64_t now_ms) {
    const auto passed = now_ms - begun_ms_;
    if (passed < 1'000)
        return;
    if (passed >= 2'000) // nothing came for a while
        return restart(now_ms);
    has_before_ = true;
    before_ = running_;
    running_ = 0;
    begun_ms_ += 1'000;
}

void Pace::count(std::int64_t now_ms) {
    move_on(now_ms);
    running_++;
}

std::size_t Pace::a_second(std::int64_t now_ms) {
    move_on(now_ms);
    const auto passed = now_ms - begun_ms_;
    if (!has_before_)
        return running_ * 1'000 / static_cast<std::size_t>(std::max<std::int64_t>(passed, 100));
    return running_ + before_ * static_cast<std::size_t>(1'000 - passed) / 1'000;
}

} // namespace relygate::shim
