#include "shim/rate_limit.hpp"

#include <algorithm>
#include <cstring>

namespace relygate::shim {

namespace {

constexpr std::size_t kSlots = 16384, kWays = 4; // 128 kB
constexpr unsigned kCountBits = 20, kWindowBits = 12;

std::uint64_t mix(std::uint64_t value) { // splitmix64's finalizer
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9U;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebU;
    return value ^ (value >> 31);
}

std::uint32_t count_of(std::uint64_t word) {
    return static_cast<std::uint32_t>(word & RateLimit::kHighest);
}

// What a slot holds apart from the count: whose it is, and in which window.
std::uint64_t owner(std::uint64_t key, std::int64_t window) {
    const auto part = static_cast<std::uint64_t>(window) & ((1U << kWindowBits) - 1);
    return (key | 1) << 32 | part << kCountBits;
}

bool is_of_window(std::uint64_t word, std::int64_t window) {
    return ((word ^ owner(0, window)) >> kCountBits & ((1U << kWindowBits) - 1)) == 0;
}

} // namespace

RateLimit::RateLimit(std::uint32_t limit, std::int64_t window_ms, std::uint64_t seed)
    : limit_(std::min(limit, kHighest)), window_ms_(window_ms), seed_(seed), slots_(kSlots) {}

std::uint64_t RateLimit::key_of(const Address &address, std::uint64_t what) const {
    std::uint64_t network = 0, host = 0;
    std::memcpy(&network, address.data(), 8);
    std::memcpy(&host, address.data() + 8, 8);
    // A client has a whole /64 of IPv6 to choose from; an IPv4 address lies in the second half.
    return mix(mix(mix(network ^ seed_) ^ (network == 0 ? host : 0)) ^ what);
}

RateLimit::Slot *RateLimit::set_of(std::uint64_t key) {
    return &slots_[(key >> 32) % (kSlots / kWays) * kWays];
}

RateLimit::Ticket RateLimit::ticket_of(const Address &address, std::uint64_t what, std::int64_t now_ms) const {
    const auto window = now_ms / window_ms_;
    return {true, limit_, limit_, ((window + 1) * window_ms_ - now_ms + 999) / 1000, key_of(address, what), window};
}

RateLimit::Ticket RateLimit::take(const Address &address, std::uint64_t what, std::int64_t now_ms) {
    Ticket ticket = ticket_of(address, what, now_ms);
    count(ticket);
    return ticket;
}

RateLimit::Ticket RateLimit::look(const Address &address, std::uint64_t what, std::int64_t now_ms) {
    Ticket ticket = ticket_of(address, what, now_ms);
    const auto mine = owner(ticket.key, ticket.window);
    Slot *const set = set_of(ticket.key);
    for (const Slot *slot = set; slot < set + kWays; slot++) {
        const auto word = slot->load(std::memory_order_relaxed);
        if ((word & ~std::uint64_t{kHighest}) == mine) {
            ticket.remaining = limit_ - std::min(count_of(word), limit_);
            ticket.is_allowed = ticket.remaining > 0;
        }
    }
    return ticket;
}

void RateLimit::count(Ticket &ticket) {
    const auto mine = owner(ticket.key, ticket.window);
    Slot *const set = set_of(ticket.key);
    for (int tries = 0; tries < 16; tries++) { // others may change the same slots meanwhile
        Slot *slot = nullptr;
        std::uint64_t word = 0, weight = ~std::uint64_t{0};
        for (Slot *each = set; each < set + kWays; each++) {
            const auto found = each->load(std::memory_order_relaxed);
            if ((found & ~std::uint64_t{kHighest}) == mine) {
                slot = each;
                word = found;
                break;
            }
            const std::uint64_t worth = is_of_window(found, ticket.window) ? count_of(found) : 0;
            if (worth < weight) {
                slot = each;
                word = found;
                weight = worth;
            }
        }
        const bool is_mine = (word & ~std::uint64_t{kHighest}) == mine;
        const auto counted = is_mine ? count_of(word) : 0;
        if (counted >= limit_) {
            ticket.is_allowed = false;
            ticket.remaining = 0;
            return;
        }
        if (slot->compare_exchange_weak(word, mine | (counted + 1), std::memory_order_relaxed)) {
            ticket.remaining = limit_ - counted - 1;
            return;
        }
    }
}

void RateLimit::give_back(Ticket &ticket) {
    const auto mine = owner(ticket.key, ticket.window);
    Slot *const set = set_of(ticket.key);
    for (Slot *slot = set; slot < set + kWays; slot++) {
        auto word = slot->load(std::memory_order_relaxed);
        while ((word & ~std::uint64_t{kHighest}) == mine && count_of(word) > 0)
            if (slot->compare_exchange_weak(word, word - 1, std::memory_order_relaxed)) {
                ticket.remaining++;
                return;
            }
    }
}

} // namespace relygate::shim
