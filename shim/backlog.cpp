#include "shim/backlog.hpp"

#include <algorithm>

namespace relygate::shim {

namespace {

// A queue that is long for such a time does not come from a burst; then it may be as long as is served in that time, or
// so many.
constexpr std::int64_t kStandingMs = 250, kServedInMs = 250;
constexpr std::size_t kShortQueue = 32;

} // namespace

void Backlog::restart(std::int64_t now_ms) {
    long_since_ms_ = 0;
    pace_.restart(now_ms);
}

void Backlog::count(std::int64_t now_ms) {
    pace_.count(now_ms);
}

std::size_t Backlog::served_in(std::int64_t milliseconds, std::int64_t now_ms) {
    return pace_.a_second(now_ms) * static_cast<std::size_t>(milliseconds) / 1'000;
}

bool Backlog::is_standing(std::size_t waiting, std::int64_t now_ms) {
    if (waiting < kShortQueue / 4) // not as soon as it is short: held there, everybody would be let in once more
        long_since_ms_ = 0;
    else if (waiting > kShortQueue && long_since_ms_ == 0)
        long_since_ms_ = now_ms;
    return long_since_ms_ != 0 && now_ms - long_since_ms_ > kStandingMs &&
           waiting > std::max(kShortQueue, served_in(kServedInMs, now_ms));
}

bool Backlog::is_hopeless(std::size_t waiting, std::int64_t longest_ms, std::int64_t now_ms) {
    const auto served = served_in(longest_ms / 4 * 3, now_ms);
    return served > 0 && waiting > std::max(kShortQueue, served);
}

} // namespace relygate::shim
