#include "shim/slow_reads.hpp"

#include <algorithm>

namespace relygate::shim {

namespace {

// One that takes a tenth of a second is enough, several that take a fortieth are; a quick one counts a quarter of
// these, since a busy machine makes any read slow now and then.
constexpr std::int64_t kSlowMs = 100, kHeavyMs = 25;
constexpr int kSlow = 16, kHeavy = 4, kMost = 32, kBound = 8;
constexpr std::size_t kMostRemembered = 10'000;

std::string key_of(const Route &route, std::string_view tenant) {
    const auto address = reinterpret_cast<std::uintptr_t>(&route);
    std::string key(reinterpret_cast<const char *>(&address), sizeof address);
    return key += tenant;
}

} // namespace

bool SlowReads::learn(const Route &route, std::string_view tenant, std::int64_t took_ms) {
    const bool is_quick = took_ms < kHeavyMs;
    if (is_quick && scores_.empty())
        return false;
    auto key = key_of(route, tenant);
    const auto found = scores_.find(key);
    if (is_quick) {
        if (found != scores_.end() && --found->second <= 0)
            scores_.erase(found);
        return false;
    }
    if (found == scores_.end() && scores_.size() >= kMostRemembered)
        scores_.clear();
    int &score = scores_[std::move(key)];
    const bool was_slow = score > kBound;
    score = std::min(score + (took_ms < kSlowMs ? kHeavy : kSlow), kMost);
    return !was_slow && score > kBound;
}

bool SlowReads::has(const Route &route, std::string_view tenant) const {
    if (scores_.empty())
        return false;
    const auto found = scores_.find(key_of(route, tenant));
    return found != scores_.end() && found->second > kBound;
}

} // namespace relygate::shim
