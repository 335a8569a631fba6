// One connection to the database in pipeline mode. Each question is one prepared statement (behind a pooler: two
// without a name) and a transaction of its own. A Sync costs both sides a system call and a change of threads, more
// than many a read, so several questions that came together may share one: BEGIN, question, COMMIT, BEGIN, question,
// COMMIT ... Sync. Where one of them fails, those before it are committed and those behind it were not run; the lane
// asks these again. One that is alone is its own transaction by its Sync.
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

    Backend(Owner &owner, int epoll, std::size_t most_in_batch)
        : owner_(owner), epoll_(epoll), most_in_batch_(most_in_batch) {}
    ~Backend();
    Backend(const Backend &) = delete;
    Backend &operator=(const Backend &) = delete;

    void connect(const ConnectionOptions &options, std::int64_t now_ms);
    void add(Question &question, std::int64_t now_ms); // in flight from now on, though not yet on its way
    void send_added();
    void on_event(std::uint32_t events) override;
    void close(); // only with nothing in flight
    void lose(const std::string &why);
    // After an error that says the connection must not be used again (a prepared statement that no longer fits).
    void retire() { is_retired_ = true; }

    // The server's library on disk is newer than the one this connection's backend holds: it is retired in its turn.
    void outdate() { is_outdated_ = state_ != State::closed; }

    [[nodiscard]] bool is_outdated() const { return is_outdated_; }
    [[nodiscard]] bool is_retired() const { return is_retired_; }
    [[nodiscard]] State state() const { return state_; }
    [[nodiscard]] std::size_t in_flight() const { return in_flight_.size(); }
    // Whether the server has still something to say, be it that it rolled back.
    [[nodiscard]] bool is_owed() const { return !in_flight_.empty() || !batches_.empty(); }
    [[nodiscard]] bool serves_stranger() const;
    [[nodiscard]] bool takes_more() const { return state_ == State::ready && !is_retired_; }
    [[nodiscard]] std::int64_t state_since_ms() const { return state_since_ms_; }
    // Since when the connection works on what is answered next.
    [[nodiscard]] std::int64_t head_since_ms() const { return head_since_ms_; }
    [[nodiscard]] std::int64_t idle_since_ms() const { return idle_since_ms_; }

  private:
    void poll_connection();
    void prepare();
    [[nodiscard]] bool is_behind_pooler() const;
    [[nodiscard]] std::size_t next_batch() const; // how many of what was added
    bool send_batch(std::size_t size);
    bool send(const Question &question);
    bool run(const char *statement);
    void read_results();
    void take(PGresult *result);
    void finish_head(std::size_t batch_size);
    void end_batch();
    void flush();
    void watch(std::uint32_t events);
    void unwatch();

    struct Batch {
        std::size_t size, left; // left: not answered; 0 and 0: a ROLLBACK
        bool is_open;           // a BEGIN was answered, its COMMIT was not
    };

    Owner &owner_;
    int epoll_;
    const std::size_t most_in_batch_;
    PGconn *connection_ = nullptr;
    const std::string *settings_ = nullptr; // of ConnectionOptions: not empty where statements have no names
    State state_ = State::closed;
    bool is_retired_ = false, is_outdated_ = false;
    int watched_ = -1;
    std::uint32_t watched_events_ = 0;
    std::deque<Question *> in_flight_; // the last `unsent_` of them are not in a batch
    std::size_t unsent_ = 0;
    std::deque<Batch> batches_;
    bool is_rolling_back_ = false; // from the Sync of a failed batch until the ROLLBACK succeeds: nothing is run
    std::int64_t state_since_ms_ = 0, head_since_ms_ = 0, idle_since_ms_ = 0;
};

} // namespace relygate::shim
