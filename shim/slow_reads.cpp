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
    if (is_quick && scores_.empty() && suspects_.empty())
        return false;
    auto key = key_of(route, tenant);
    suspects_.erase(key);
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

void SlowReads::suspect(const Route &route, std::string_view tenant) {
    if (suspects_.size() >= kMostRemembered)
        suspects_.clear();
    suspects_.insert(key_of(route, tenant));
}

bool SlowReads::is_suspect(const Route &route, std::string_view tenant) const {
    return !suspects_.empty() && suspects_.contains(key_of(route, tenant));
}

void SlowReads::forget() {
    scores_.clear();
    suspects_.clear();
}

} // namespace relygate::shim
