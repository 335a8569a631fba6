// How often one address may ask without a token and fail: each guessed password costs the database a yescrypt. Each
// route counts by itself, so that failed logins keep nobody from renewing his token; and the same request word by word
// counts by itself first, with a low bound: a client that tries a wrong password on and on does not use up what all
// behind its address have. One table of fixed size for all workers, its slots changed by compare-and-swap: nobody waits
// for a lock, and no number of addresses makes it grow. A full set of slots forgets the address that failed least.
// Windows are fixed, so that at the border of two the double may pass.
#pragma once

#include "shim/proxies.hpp"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <vector>

namespace relygate::shim {

class RateLimit {
  public:
    static constexpr std::uint32_t kHighest = (1U << 20) - 1;

    // `seed` keeps strangers from choosing addresses that share a slot.
    RateLimit(std::uint32_t limit, std::int64_t window_ms, std::uint64_t seed);

    struct Ticket {
        bool is_allowed = true;
        std::uint32_t limit = 0, remaining = 0;
        std::int64_t reset_s = 0; // until the window ends
        std::uint64_t key = 0;
        std::int64_t window = 0;
    };
    // `what` is counted: a hash of the route, or of the whole request.
    Ticket take(const Address &address, std::uint64_t what, std::int64_t now_ms);
    void give_back(Ticket &ticket); // it was no failure
    // The other way round, where many of the same may be under way: look first, count what failed.
    Ticket look(const Address &address, std::uint64_t what, std::int64_t now_ms);
    void count(Ticket &ticket);

  private:
    // tag 32, window 12, count 20 bits
    using Slot = std::atomic<std::uint64_t>;
    [[nodiscard]] std::uint64_t key_of(const Address &address, std::uint64_t what) const;
    [[nodiscard]] Ticket ticket_of(const Address &address, std::uint64_t what, std::int64_t now_ms) const;
    Slot *set_of(std::uint64_t key);

    std::uint32_t limit_;
    std::int64_t window_ms_;
    std::uint64_t seed_;
    std::vector<Slot> slots_;
};

struct RateLimits {
    static constexpr std::uint32_t kSameRequest = 10; // half as many wrong passwords lock a user name

    RateLimits(std::uint32_t limit, std::int64_t window_ms, std::uint64_t seed)
        : of_route(limit, window_ms, seed), of_request(std::min(limit, kSameRequest), window_ms, seed) {}

    RateLimit of_route;
    RateLimit of_request;
};

} // namespace relygate::shim
