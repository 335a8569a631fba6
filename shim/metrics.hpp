// What Prometheus reads from the metrics port. Every worker counts for itself; its lock is taken by nobody else but a
// scrape each few seconds. Routes are patterns of the catalogue, never raw paths, so the number of series is bounded.
#pragma once

#include "shim/config.hpp"

#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

struct MHD_Daemon;

namespace relygate::shim {

struct DatabaseState;
class Log;

// From half a millisecond: most answers take less than the guide's first bucket of 100 ms.
inline constexpr std::array<double, 13> kBuckets{0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05,
                                                 0.1,    0.25,  0.5,    1.0,   2.5,  10.0};

class WorkerMetrics {
  public:
    void count(std::string_view method, std::string_view route, int status, std::int64_t duration_us);

    struct LaneGauges {
        std::atomic<int> open = 0, in_flight = 0, waiting = 0;
    };
    std::array<LaneGauges, 3> lanes; // read, write, slow
    std::atomic<int> client_connections = 0;
    std::atomic<std::uint64_t> database_connects = 0, database_losses = 0, retries = 0, refused_full = 0,
                               moved_to_slow = 0;
    std::atomic<std::uint64_t> token_hits = 0, token_misses = 0;

  private:
    friend class MetricsPage;
    struct Series {
        std::uint64_t total = 0;
        double seconds = 0;
        std::array<std::uint64_t, kBuckets.size()> buckets{};
    };
    std::mutex mutex_;
    std::map<std::string, Series, std::less<>> series_; // labels as they are printed
};

// Writes all of it as text (exposition format 0.0.4).
class MetricsPage {
  public:
    MetricsPage(std::vector<WorkerMetrics *> workers, const DatabaseState &database, const Log &log,
                std::string version)
        : workers_(std::move(workers)), database_(database), log_(log), version_(std::move(version)) {}
    [[nodiscard]] std::string text() const;

  private:
    void requests(std::string &page) const;
    void database(std::string &page) const;
    void process(std::string &page) const;

    std::vector<WorkerMetrics *> workers_;
    const DatabaseState &database_;
    const Log &log_;
    std::string version_;
};

// The metrics port: GET /metrics, answered by a thread of its own so that a busy worker delays no scrape.
class MetricsServer {
  public:
    MetricsServer(const Config &config, const MetricsPage &page, Log &log);
    ~MetricsServer();
    MetricsServer(const MetricsServer &) = delete;
    MetricsServer &operator=(const MetricsServer &) = delete;
    [[nodiscard]] bool is_running() const { return daemon_ != nullptr; }

  private:
    MHD_Daemon *daemon_ = nullptr;
};

} // namespace relygate::shim
