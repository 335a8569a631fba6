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
    const bool was_quick = took_ms < kHeavyMs;
    auto key = key_of(route, tenant);
    if (!was_quick)
        quick_.erase(key);
    else if (!quick_.contains(key)) {
        if (quick_.size() >= kMostRemembered)
            quick_.clear();
        quick_.insert(key);
    }
    const auto found = scores_.find(key);
    if (was_quick) {
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

void SlowReads::doubt(const Route &route, std::string_view tenant) {
    quick_.erase(key_of(route, tenant));
}

bool SlowReads::is_quick(const Route &route, std::string_view tenant) const {
    return quick_.contains(key_of(route, tenant));
}

void SlowReads::forget() {
    scores_.clear();
    quick_.clear();
}

} // namespace relygate::shim
