// Which backend serves which question. Reads go deep into few connections, writes shallow into many (one backend
// commits one transaction at a time), slow calls one at a time into their own, since no routing saves what already
// queued behind a slow head. Every queue is bounded: what does not fit is refused at once. One set of lanes a worker;
// nothing is shared.
#pragma once

#include "shim/backend.hpp"
#include "shim/catalogue.hpp"
#include "shim/config.hpp"
#include "shim/metrics.hpp"
#include "shim/question.hpp"
#include "shim/routes.hpp"

#include <array>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

namespace relygate::shim {

struct LaneSize {
    std::size_t connections, depth, kept_open;
};

// How DB_POOL_MAX is divided: the listener takes one, each worker's read and slow lane one or two, writes the rest.
std::array<LaneSize, 3> lane_sizes(const Config &config);

// How many were answered in the last second.
class Pace {
  public:
    void count(std::int64_t now_ms);
    [[nodiscard]] std::size_t last_second(std::int64_t now_ms);

  private:
    void move_on(std::int64_t now_ms);

    std::int64_t begun_ms_ = 0;            // of the second that runs
    std::size_t running_ = 0, before_ = 0; // answered in it, and in the one before
};

class Lane final : public Backend::Owner {
  public:
    Lane(LaneSize size, const Config &config, int epoll, Asker &asker, WorkerMetrics &metrics, LaneKind kind, Log &log);

    enum class Submitted : std::uint8_t { taken, full, away };
    // Taken: the asker will be told, perhaps before this returns.
    Submitted submit(Question &question, std::int64_t now_ms);
    void connect_with(const ConnectionOptions &options) { options_ = &options; }
    void renew();     // open each connection anew, one after the other
    void encourage(); // the database is known to be there: try at once
    void tick(std::int64_t now_ms);
    void abandon(); // the process ends: whoever still waits or was asked is told so
    [[nodiscard]] bool is_ready() const;
    [[nodiscard]] bool is_quiet() const; // nothing in flight, nothing waits
    [[nodiscard]] bool has_timers() const;

    void backend_answered(Backend &backend, Question &question) override;
    void backend_ready(Backend &backend) override;
    void backend_lost(bool was_ready, std::deque<Question *> sent, const std::string &why) override;

  private:
    Backend *least_loaded();
    void pump(std::int64_t now_ms);
    void open_more(std::int64_t now_ms);
    void renew_next();
    void finish(Question &question, Verdict verdict);
    bool again(Question &question, std::int64_t now_ms);
    void give_up_waiting();
    std::deque<Question *> &queue_of(const Question &question) { return waiting_[is_stranger(question) ? 1 : 0]; }
    [[nodiscard]] bool is_stranger(const Question &question) const {
        return stranger_limit_ > 0 && question.without_token;
    }
    [[nodiscard]] bool is_backed_up(const Question &question, std::int64_t now_ms);
    [[nodiscard]] bool has_room_for_stranger() const { return strangers_in_flight_ < stranger_limit_; }
    [[nodiscard]] bool is_anybody_waiting() const { return !waiting_[0].empty() || !waiting_[1].empty(); }
    [[nodiscard]] std::deque<Question *> *next_queue();
    void send(Backend &backend, Question &question, std::int64_t now_ms);
    void publish_gauges();

    LaneSize size_;
    const Config &config_;
    Asker &asker_;
    WorkerMetrics &metrics_;
    WorkerMetrics::LaneGauges &gauges_;
    Log &log_;
    const ConnectionOptions *options_ = nullptr;
    std::vector<std::unique_ptr<Backend>> backends_;
    // Each login costs a hash made to be expensive: strangers have a queue of their own, and half of the connections of
    // the write lane at most, however many they are.
    const std::size_t stranger_limit_; // 0: all are alike
    std::size_t strangers_in_flight_ = 0;
    std::array<std::deque<Question *>, 2> waiting_; // those with a token, strangers
    const bool is_slow_;
    Pace pace_; // of those with a token
    int failures_ = 0;
    const bool hands_over_;                   // what takes too long here is for the slow lane
    const std::int64_t statement_timeout_ms_; // of its connections
    bool is_abandoned_ = false, is_renewing_ = false;
    std::int64_t next_attempt_ms_ = 0;
    std::string last_trouble_;
};

class Lanes {
  public:
    Lanes(const Config &config, int epoll, Asker &asker, WorkerMetrics &metrics, Log &log);
    void connect_to(const DatabaseAddress &address);
    Lane &at(LaneKind kind) { return *lanes_[static_cast<std::size_t>(kind)]; }
    void renew(); // the library of the extension was exchanged on the server
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
