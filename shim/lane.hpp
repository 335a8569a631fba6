// One lane: its connections, which of them gets a question, and who waits. Every queue is bounded: what does not fit is
// refused at once.
#pragma once

#include "shim/backend.hpp"
#include "shim/backlog.hpp"
#include "shim/config.hpp"
#include "shim/connection.hpp"
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

class Lane final : public Backend::Owner {
  public:
    Lane(LaneSize size, const Config &config, int epoll, Asker &asker, WorkerMetrics &metrics, LaneKind kind, Log &log);

    enum class Submitted : std::uint8_t { taken, full, away };
    // Taken: the asker will be told, perhaps before this returns.
    Submitted submit(Question &question, std::int64_t now_ms);
    void send_added(); // at the end of each turn of the worker: what came together may share a Sync
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
    Backend *least_loaded(std::int64_t now_ms);
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
    Backlog backlog_; // of those with a token
    int failures_ = 0;
    const bool hands_over_;                   // what takes too long here is for the slow lane
    const std::int64_t statement_timeout_ms_; // of its connections
    bool is_abandoned_ = false, is_renewing_ = false;
    std::int64_t next_attempt_ms_ = 0;
    std::string last_trouble_;
};

} // namespace relygate::shim
