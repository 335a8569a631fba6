// How often one address may ask without a token and fail: each guessed password costs the database a yescrypt. One
// table of fixed size for all workers, its slots changed by compare-and-swap: nobody waits for a lock, and no number of
// addresses makes it grow. A full set of slots forgets the address that failed least. Windows are fixed, so that at the
// border of two the double may pass.
#pragma once

#include "shim/proxies.hpp"

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
    Ticket take(const Address &address, std::int64_t now_ms);
    void give_back(Ticket &ticket); // it was no failure

  private:
    // tag 32, window 12, count 20 bits
    using Slot = std::atomic<std::uint64_t>;
    [[nodiscard]] std::uint64_t key_of(const Address &address) const;
    Slot *set_of(std::uint64_t key);

    std::uint32_t limit_;
    std::int64_t window_ms_;
    std::uint64_t seed_;
    std::vector<Slot> slots_;
};

} // namespace relygate::shim
