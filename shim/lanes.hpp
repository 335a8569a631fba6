// Which backend serves which question. Reads go deep into few connections, writes shallow into many (one backend
// commits one transaction at a time), slow calls one at a time into their own, since no routing saves what already
// queued behind a slow head. One set of lanes a worker; nothing is shared.
#pragma once

#include "shim/lane.hpp"

#include <array>
#include <cstdint>
#include <memory>

namespace relygate::shim {

// How DB_POOL_MAX is divided: the listener takes one, each worker's read and slow lane one or two, writes the rest.
std::array<LaneSize, 3> lane_sizes(const Config &config);

class Lanes {
  public:
    Lanes(const Config &config, int epoll, Asker &asker, WorkerMetrics &metrics, Log &log);
    void connect_to(const DatabaseAddress &address);
    Lane &at(LaneKind kind) { return *lanes_[static_cast<std::size_t>(kind)]; }
    void renew(); // the library of the extension was exchanged on the server
    void send_added();
    void tick(std::int64_t now_ms);
    void abandon();
    [[nodiscard]] bool is_ready() const; // reads and writes would find a connection now
    [[nodiscard]] bool is_quiet() const;
    [[nodiscard]] bool has_timers() const;

  private:
    ConnectionOptions read_options_, options_;
    std::array<std::unique_ptr<Lane>, 3> lanes_;
};

} // namespace relygate::shim
