// relygate.uuid_v7(): the default of every id. Ids of one session grow, even within one microsecond and when the clock
// is set back (RFC 9562, 6.2, method 3 and monotonicity).
#include <ctime>

#include "core/base/uuid.hpp"
#include "pg/boundary.hpp"

namespace relygate::pg {
namespace {

// Milliseconds since 1970 and 12 bits of their fraction, as one number. Of this backend alone.
std::uint64_t last_tick = 0;

std::uint64_t next_tick() {
    timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    const auto nanoseconds = static_cast<std::uint64_t>(now.tv_nsec);
    const auto milliseconds = static_cast<std::uint64_t>(now.tv_sec) * 1000 + nanoseconds / 1000000;
    const auto tick = milliseconds << 12 | (nanoseconds % 1000000 << 12) / 1000000;
    last_tick = std::max(tick, last_tick + 1);
    return last_tick;
}

} // namespace

RELYGATE_FUNCTION(relygate_uuid_v7) {
    std::array<std::uint8_t, 8> random;
    if (!pg_strong_random(random.data(), random.size()))
        ereport(ERROR, errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not get random bytes"));
    const auto tick = next_tick();
    const core::Uuid made = core::make_uuid_v7(tick >> 12, static_cast<std::uint16_t>(tick & 0xFFF), random);
    auto *uuid = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
    std::copy(made.begin(), made.end(), uuid->data);
    PG_RETURN_UUID_P(uuid);
}

} // namespace relygate::pg
