// One connection to the database in pipeline mode. Each question is one prepared statement (behind a pooler: two
// without a name) and one Sync, so each is a transaction of its own and a failed one leaves its neighbours alone.
// Nothing here waits: the worker's epoll says when to look. A pipelined connection is never sent a cancel request,
// which would hit whatever runs; statement_timeout ends what takes too long.
#pragma once

#include "shim/event_source.hpp"
#include "shim/question.hpp"

#include <cstdint>
#include <deque>
#include <libpq-fe.h>
#include <string>

namespace relygate::shim {

class ConnectionOptions;

class Backend final : public EventSource {
  public:
    // What a lane must hear of its backends.
    class Owner {
      public:
        virtual void backend_answered(Backend &backend, Question &question) = 0;
        virtual void backend_ready(Backend &backend) = 0;
        // What was in flight: `sent` questions whose outcome is not known. `was_ready`: it had worked before.
        virtual void backend_lost(bool was_ready, std::deque<Question *> sent, const std::string &why) = 0;

      protected:
        ~Owner() = default;
    };
    enum class State : std::uint8_t { closed, connecting, preparing, ready };

    Backend(Owner &owner, int epoll) : owner_(owner), epoll_(epoll) {}
    ~Backend();
    Backend(const Backend &) = delete;
    Backend &operator=(const Backend &) = delete;

    void connect(const ConnectionOptions &options, std::int64_t now_ms);
    bool send(Question &question, std::int64_t now_ms); // false: the connection was lost instead
    void on_event(std::uint32_t events) override;
    void close_idle(); // only with nothing in flight
    void lose(const std::string &why);
    // After an error that says the connection must not be used again (a prepared statement that no longer fits).
    void retire() { is_retired_ = true; }

    // The server's library on disk is newer than the one this connection's backend holds: it is retired in its turn.
    void outdate() { is_outdated_ = state_ != State::closed; }

    [[nodiscard]] bool is_outdated() const { return is_outdated_; }
    [[nodiscard]] bool is_retired() const { return is_retired_; }
    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] std::size_t in_flight() const { return in_flight_.size(); }
    [[nodiscard]] bool serves_stranger() const;
    [[nodiscard]] bool takes_more() const { return state_ == State::ready && !is_retired_; }
    [[nodiscard]] std::int64_t state_since_ms() const { return state_since_ms_; }
    [[nodiscard]] std::int64_t head_since_ms() const { return head_since_ms_; }
    [[nodiscard]] std::int64_t idle_since_ms() const { return idle_since_ms_; }

  private:
    void poll_connection();
    void prepare();
    bool ask(const char *const *values, const int *lengths, const int *formats);
    void read_results();
    void take(PGresult *result);
    void finish_head();
    void flush();
    void watch(std::uint32_t events);
    void unwatch();

    Owner &owner_;
    int epoll_;
    PGconn *connection_ = nullptr;
    const std::string *settings_ = nullptr; // of ConnectionOptions: not empty where statements have no names
    State state_ = State::closed;
    bool is_retired_ = false, is_outdated_ = false;
    int watched_ = -1;
    std::uint32_t watched_events_ = 0;
    std::deque<Question *> in_flight_;
    std::int64_t state_since_ms_ = 0, head_since_ms_ = 0, idle_since_ms_ = 0;
};

} // namespace relygate::shim
