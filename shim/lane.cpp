#include "shim/lane.hpp"

#include "shim/log.hpp"

#include <algorithm>
#include <utility>

namespace relygate::shim {

namespace {

constexpr int kTries = 3; // of a deadlock or serialization failure
constexpr std::int64_t kFirstBackoff = 100, kLongestBackoff = 2'000;
// statement_timeout should have ended a statement long before: then the network is gone without saying so. Of several
// that share a Sync all are known to be quick.
constexpr std::int64_t kGrace = 5'000;
// A read takes less; who is asked behind one that takes more waits for that one.
constexpr std::int64_t kHeldUpMs = 20;
// Half of what Syncs cost is gone with two reads a Sync, nearly all with eight. The answers come with the Sync.
constexpr std::size_t kMostInBatch = 8;

// The contract's table for what handle_request rethrows.
Verdict verdict_of(std::string_view sqlstate) {
    if (sqlstate == "57014")
        return Verdict::timeout;
    if (sqlstate.starts_with("53") || sqlstate.starts_with("57P0") || sqlstate.starts_with("08") ||
        sqlstate == "40001" || sqlstate == "40P01")
        return Verdict::unavailable;
    return Verdict::failed;
}

} // namespace

Lane::Lane(LaneSize size, const Config &config, int epoll, Asker &asker, WorkerMetrics &metrics, LaneKind kind,
           Log &log)
    : size_(size), config_(config), asker_(asker), metrics_(metrics),
      gauges_(metrics.lanes[static_cast<std::size_t>(kind)]), log_(log),
      stranger_limit_(kind == LaneKind::write ? (size.connections + 1) / 2 : 0), is_slow_(kind == LaneKind::slow),
      hands_over_(kind == LaneKind::read && config.read_timeout_ms < config.request_timeout_ms),
      statement_timeout_ms_(hands_over_ ? config.read_timeout_ms : config.request_timeout_ms) {
    for (std::size_t i = 0; i < size.connections; i++)
        backends_.push_back(std::make_unique<Backend>(*this, epoll, kind == LaneKind::read ? kMostInBatch : 1));
}

// Null: none has room, or one that could be opened, or is about to be open, is better than a place behind a stranger or
// a slow read.
Backend *Lane::least_loaded(std::int64_t now_ms) {
    const auto weight = [&](const Backend &backend) {
        const bool is_held_up =
            (stranger_limit_ > 0 && backend.serves_stranger()) ||
            (hands_over_ && backend.in_flight() > 0 && now_ms - backend.head_since_ms() > kHeldUpMs);
        return backend.in_flight() + (is_held_up ? size_.depth : 0);
    };
    Backend *best = nullptr;
    bool can_open = false;
    for (const auto &backend : backends_) {
        can_open = can_open || backend->state() != Backend::State::ready;
        if (backend->takes_more() && backend->in_flight() < size_.depth && (!best || weight(*backend) < weight(*best)))
            best = backend.get();
    }
    const bool is_bad = best && weight(*best) > size_.depth;
    return is_bad && can_open && options_ && failures_ == 0 ? nullptr : best;
}

bool Lane::is_ready() const {
    // While the only connection is opened anew, questions wait for it as they would for a busy one.
    return (is_renewing_ && failures_ == 0) ||
           std::any_of(backends_.begin(), backends_.end(), [](const auto &backend) { return backend->takes_more(); });
}

bool Lane::is_quiet() const {
    return !is_anybody_waiting() && std::all_of(backends_.begin(), backends_.end(),
                                                [](const auto &backend) { return backend->in_flight() == 0; });
}

bool Lane::has_timers() const {
    return is_anybody_waiting() || failures_ > 0 || is_renewing_ ||
           std::any_of(backends_.begin(), backends_.end(), [](const auto &backend) {
               return backend->state() == Backend::State::connecting || backend->state() == Backend::State::preparing;
           });
}

void Lane::send(Backend &backend, Question &question, std::int64_t now_ms) {
    if (is_stranger(question))
        strangers_in_flight_++; // backend_answered and backend_lost count down
    backend.add(question, now_ms);
}

void Lane::send_added() {
    for (const auto &backend : backends_)
        backend->send_added();
}

// Strangers first, while they are within their bound: they cannot fill the lane, but the others could.
std::deque<Question *> *Lane::next_queue() {
    if (!waiting_[1].empty() && has_room_for_stranger())
        return &waiting_[1];
    return waiting_[0].empty() ? nullptr : &waiting_[0];
}

// More comes than is served. In the slow lane waiting is expected, and strangers delay each other alone. While
// connections are still being opened, what is served says nothing.
bool Lane::is_backed_up(const Question &question, std::int64_t now_ms) {
    const bool can_grow = failures_ == 0 && std::any_of(backends_.begin(), backends_.end(), [](const auto &backend) {
                              return backend->state() != Backend::State::ready;
                          });
    if (can_grow) {
        backlog_.restart(now_ms);
        return false;
    }
    const auto &queue = queue_of(question);
    if (!is_slow_ && !is_stranger(question))
        return backlog_.is_standing(queue.size(), now_ms);
    if (queue.empty())
        return false;
    const auto longest = config_.connect_timeout_ms;
    return now_ms - queue.front()->waiting_since_ms > longest / 2 ||
           (is_slow_ && backlog_.is_hopeless(queue.size(), longest, now_ms));
}

Lane::Submitted Lane::submit(Question &question, std::int64_t now_ms) {
    if (question.submitted_ms == 0)
        question.submitted_ms = now_ms;
    auto &queue = queue_of(question);
    if (queue.empty() && (!is_stranger(question) || has_room_for_stranger())) {
        if (auto *backend = least_loaded(now_ms)) {
            send(*backend, question, now_ms);
            publish_gauges();
            return Submitted::taken;
        }
    }
    if (!options_ || (failures_ > 0 && !is_ready()))
        return Submitted::away;
    if (queue.size() >= static_cast<std::size_t>(config_.queue_limit) || is_backed_up(question, now_ms))
        return Submitted::full;
    question.waiting_since_ms = now_ms;
    queue.push_back(&question);
    open_more(now_ms);
    publish_gauges();
    return Submitted::taken;
}

void Lane::pump(std::int64_t now_ms) {
    while (is_anybody_waiting()) {
        auto *queue = next_queue();
        auto *backend = queue ? least_loaded(now_ms) : nullptr;
        if (!backend)
            break;
        auto *question = queue->front();
        queue->pop_front();
        send(*backend, *question, now_ms);
    }
    open_more(now_ms);
    renew_next();
    publish_gauges();
}

void Lane::renew() {
    for (const auto &backend : backends_)
        backend->outdate();
    is_renewing_ = true;
}

// One at a time, the next when the one before it is back: the others go on serving. What is in flight is answered
// first.
void Lane::renew_next() {
    if (!is_renewing_)
        return;
    Backend *next = nullptr;
    for (const auto &backend : backends_) {
        const auto state = backend->state();
        if (state == Backend::State::connecting || state == Backend::State::preparing ||
            (state == Backend::State::ready && backend->is_retired()))
            return;
        if (state == Backend::State::ready && backend->is_outdated())
            next = backend.get();
    }
    is_renewing_ = next != nullptr;
    if (!next)
        return;
    next->retire();
    if (next->in_flight() == 0)
        next->close();
}

// One attempt at a time: a database that comes back is not to be stormed.
void Lane::open_more(std::int64_t now_ms) {
    if (!options_ || now_ms < next_attempt_ms_)
        return;
    std::size_t open = 0;
    Backend *closed = nullptr;
    for (const auto &backend : backends_) {
        const auto state = backend->state();
        if (state == Backend::State::connecting || state == Backend::State::preparing)
            return;
        if (state == Backend::State::closed)
            closed = backend.get();
        else
            open++;
    }
    if (closed && (open < size_.kept_open || !waiting_[0].empty() || (!waiting_[1].empty() && has_room_for_stranger())))
        closed->connect(*options_, now_ms);
}

void Lane::encourage() {
    next_attempt_ms_ = 0;
    open_more(monotonic_ms());
}

void Lane::tick(std::int64_t now_ms) {
    for (const auto &backend : backends_) {
        const auto state = backend->state();
        const bool is_opening = state == Backend::State::connecting || state == Backend::State::preparing;
        if ((is_opening && now_ms - backend->state_since_ms() > config_.connect_timeout_ms) ||
            (backend->is_owed() && now_ms - backend->head_since_ms() > statement_timeout_ms_ + kGrace))
            backend->lose("the database did not answer in time");
    }
    const auto open =
        static_cast<std::size_t>(std::count_if(backends_.begin(), backends_.end(), [](const auto &backend) {
            return backend->state() == Backend::State::ready;
        }));
    std::size_t spare = open > size_.kept_open ? open - size_.kept_open : 0;
    for (const auto &backend : backends_)
        if (spare > 0 && backend->state() == Backend::State::ready && backend->in_flight() == 0 &&
            now_ms - backend->idle_since_ms() > config_.pool_idle_ms) {
            backend->close();
            spare--;
        }
    for (auto &queue : waiting_)
        while (!queue.empty() && now_ms - queue.front()->waiting_since_ms > config_.connect_timeout_ms) {
            auto *question = queue.front();
            queue.pop_front();
            finish(*question, is_ready() ? Verdict::crowded : Verdict::unavailable);
        }
    pump(now_ms);
}

void Lane::give_up_waiting() {
    for (auto &queue : waiting_)
        for (auto *question : std::exchange(queue, {}))
            finish(*question, Verdict::unavailable);
}

void Lane::abandon() {
    is_abandoned_ = true;
    options_ = nullptr; // no new connection, and new questions are refused
    give_up_waiting();
    for (const auto &backend : backends_)
        if (backend->state() != Backend::State::closed)
            backend->lose("");
}

void Lane::finish(Question &question, Verdict verdict) {
    question.verdict = verdict;
    asker_.answered(question);
}

// Puts the question in again, in front of those that wait: it waited already. Not for ever: where the network went
// silent, each of the lane's connections would take its time before it is known to be lost.
bool Lane::again(Question &question, std::int64_t now_ms) {
    if (is_abandoned_ || question.tries >= kTries || now_ms - question.submitted_ms >= config_.request_timeout_ms)
        return false;
    question.tries += question.was_not_run ? 0 : 1;
    question.ask_again();
    question.asks_alone = true; // the next one that fails shall not be felt by it again
    question.waiting_since_ms = now_ms;
    queue_of(question).push_front(&question);
    metrics_.retries++;
    return true;
}

void Lane::backend_answered(Backend &backend, Question &question) {
    const auto now = monotonic_ms();
    if (is_stranger(question))
        strangers_in_flight_--;
    else
        backlog_.count(now);
    const std::string_view state = question.sqlstate;
    if (state.empty() && !question.was_not_run) {
        finish(question, question.result ? Verdict::answer : Verdict::failed);
    } else {
        // An upgrade of the extension changed what the prepared statement was made for. It did not run, so it may
        // again.
        const bool outdated = state == "0A000" || state == "26000";
        if (outdated)
            backend.retire();
        const bool repeats = outdated || question.was_not_run || state == "40001" || state == "40P01";
        if (state == "57014" && hands_over_ && question.read_only && !is_abandoned_)
            finish(question, Verdict::slow);
        else if (!repeats || !again(question, now))
            finish(question, question.was_not_run ? Verdict::unavailable : verdict_of(state));
    }
    pump(now);
}

void Lane::backend_ready(Backend &) {
    failures_ = 0;
    next_attempt_ms_ = 0;
    last_trouble_.clear();
    metrics_.database_connects++;
    pump(monotonic_ms());
}

void Lane::backend_lost(bool was_ready, std::deque<Question *> sent, const std::string &why) {
    const auto now = monotonic_ms();
    if (was_ready) {
        metrics_
            .database_losses++; // one connection ended; the next attempt, made at once, tells whether the database did
    } else {
        next_attempt_ms_ = now + std::min(kFirstBackoff << std::min(failures_, 5), kLongestBackoff);
        failures_++;
    }
    if (!why.empty() && why != last_trouble_) { // said once, not with every attempt
        log_.event(LogLevel::warn, "a database connection was lost", why);
        last_trouble_ = why;
    }
    // Whether a write was committed is not known; only its Idempotency-Key can tell. Reads are simply asked again.
    for (auto question = sent.rbegin(); question != sent.rend(); ++question) {
        if (is_stranger(**question))
            strangers_in_flight_--;
        if ((*question)->read_only && again(**question, now))
            continue;
        finish(**question, Verdict::unavailable);
    }
    if (failures_ > 0 && !is_ready()) // nobody is there to ask
        give_up_waiting();
    publish_gauges();
}

void Lane::publish_gauges() {
    int open = 0, in_flight = 0;
    for (const auto &backend : backends_) {
        open += backend->state() == Backend::State::ready ? 1 : 0;
        in_flight += static_cast<int>(backend->in_flight());
    }
    gauges_.open = open;
    gauges_.in_flight = in_flight;
    gauges_.waiting = static_cast<int>(waiting_[0].size() + waiting_[1].size());
}

} // namespace relygate::shim
