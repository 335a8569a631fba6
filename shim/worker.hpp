// One thread and everything it needs: a listener, libmicrohttpd without a thread of its own, the lanes, the token
// cache. One epoll set holds the library's own epoll descriptor, the database sockets and an eventfd by which other
// threads wake it. Nothing is shared with other workers but immutable catalogues and counters.
#pragma once

#include "shim/catalogue.hpp"
#include "shim/config.hpp"
#include "shim/event_source.hpp"
#include "shim/lanes.hpp"
#include "shim/log.hpp"
#include "shim/metrics.hpp"
#include "shim/request.hpp"
#include "shim/response.hpp"
#include "shim/slow_reads.hpp"
#include "shim/token.hpp"

#include <atomic>
#include <cstdarg>
#include <cstdint>
#include <memory>
#include <microhttpd.h>
#include <random>
#include <string>
#include <thread>
#include <unordered_set>
#include <utility>

namespace relygate::shim {

class Worker final : public Asker {
  public:
    // `rate_limits` are shared by all workers; null: none.
    Worker(const Config &config, Keeper &keeper, RateLimits *rate_limits, WorkerMetrics &metrics, Log &log);
    ~Worker();
    Worker(const Worker &) = delete;
    Worker &operator=(const Worker &) = delete;

    bool listen(bool shared, std::string &problem);
    void start();
    void wake(); // from any thread: there is a new catalogue, or it is time to stop
    void stop(std::int64_t deadline_ms);
    void join();

    // An idle connection costs as much; a head that leaves no room for its answer gets 431.
    static constexpr std::size_t kConnectionMemory = 8 << 10;

    // For the requests of this worker.
    [[nodiscard]] const Config &config() const { return config_; }
    [[nodiscard]] const Responder &responder() const { return responder_; }
    [[nodiscard]] const std::shared_ptr<const Catalogue> &catalogue() const { return catalogue_; }
    [[nodiscard]] Keeper &keeper() { return keeper_; }
    [[nodiscard]] TokenChecker &tokens() { return tokens_; }
    [[nodiscard]] RateLimits *rate_limits() { return rate_limits_; }
    [[nodiscard]] bool is_stopping() const { return is_stopping_; }
    [[nodiscard]] bool is_ready() const;
    [[nodiscard]] std::int64_t now_ms() const { return now_ms_; }
    std::string new_request_id();
    void submit(Question &question, LaneKind lane);
    // The lane that the catalogue names, or the slow one for a read that has shown that it belongs there.
    [[nodiscard]] LaneKind lane_of(const Question &question, const Route &route) const;
    void report(const RequestLine &line, std::string_view method);
    // Bytes of bodies that wait in memory, of all workers; false: too many.
    static bool reserve(std::int64_t bytes, std::int64_t limit);
    static void release(std::int64_t bytes);
    void progressed() { run_again_ = true; }
    // Whether the library has just given up an answer since its head did not fit into the connection's memory.
    bool had_no_room() { return std::exchange(had_no_room_, false); }

    void answered(Question &question) override;

  private:
    // Another thread's call: wake() and stop().
    struct WakeUp final : EventSource {
        explicit WakeUp(int eventfd) : descriptor(eventfd) {}
        void on_event(std::uint32_t events) override;
        int descriptor;
        bool is_due = false;
    };

    void loop();
    void write_log();
    void turn(int timeout_ms);
    [[nodiscard]] int next_timeout() const;
    void take_catalogue();
    void learn(Question &question);
    void close_overdue();
    void close_abandoned();
    void drain();
    bool start_daemon();

    static void on_log(void *cls, const char *format, va_list arguments);
    static void *on_target(void *cls, const char *target, MHD_Connection *connection);
    static MHD_Result on_request(void *cls, MHD_Connection *connection, const char *url, const char *method,
                                 const char *version, const char *upload, std::size_t *upload_size, void **state);
    static void on_completed(void *cls, MHD_Connection *connection, void **state, MHD_RequestTerminationCode code);
    static void on_connection(void *cls, MHD_Connection *connection, void **context,
                              MHD_ConnectionNotificationCode code);

    const Config &config_;
    Keeper &keeper_;
    RateLimits *rate_limits_;
    WorkerMetrics &metrics_;
    Log &log_;
    Responder responder_;
    TokenChecker tokens_;
    int epoll_ = -1;
    WakeUp wake_;
    int listener_ = -1;
    MHD_Daemon *daemon_ = nullptr;
    std::unique_ptr<Lanes> lanes_;
    std::shared_ptr<const Catalogue> catalogue_;
    SlowReads slow_reads_; // of the current catalogue
    std::unordered_set<Client *> clients_;
    std::string log_lines_;
    std::mt19937_64 random_;
    std::int64_t now_ms_ = 0, ticked_ms_ = 0, swept_ms_ = 0;
    bool run_again_ = false, is_stopping_ = false, had_no_room_ = false;
    std::atomic<bool> stop_asked_ = false;
    std::atomic<std::int64_t> stop_deadline_ms_ = 0;
    std::thread thread_;
};

} // namespace relygate::shim
