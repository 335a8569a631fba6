#include "shim/backend.hpp"

#include "shim/connection.hpp"

#include <cerrno>
#include <cstdio>
#include <sys/epoll.h>
#include <utility>

namespace relygate::shim {

Backend::~Backend() {
    unwatch();
    if (connection_)
        PQfinish(connection_);
}

void Backend::watch(std::uint32_t events) {
    const int descriptor = PQsocket(connection_);
    if (descriptor == watched_ && events == watched_events_)
        return;
    if (watched_ >= 0 && descriptor != watched_)
        unwatch();
    epoll_event event{};
    event.events = events;
    event.data.ptr = static_cast<EventSource *>(this);
    // While connecting, libpq may close a socket and get the same number again; the kernel then knows it no more.
    if (epoll_ctl(epoll_, watched_ >= 0 ? EPOLL_CTL_MOD : EPOLL_CTL_ADD, descriptor, &event) != 0 && errno == ENOENT)
        epoll_ctl(epoll_, EPOLL_CTL_ADD, descriptor, &event);
    watched_ = descriptor;
    watched_events_ = events;
}

void Backend::unwatch() {
    if (watched_ >= 0)
        epoll_ctl(epoll_, EPOLL_CTL_DEL, watched_, nullptr);
    watched_ = -1;
    watched_events_ = 0;
}

void Backend::connect(const ConnectionOptions &options, std::int64_t now_ms) {
    connection_ = options.start();
    settings_ = &options.settings();
    state_ = State::connecting;
    state_since_ms_ = now_ms;
    is_retired_ = is_outdated_ = false;
    if (!connection_ || PQstatus(connection_) == CONNECTION_BAD)
        lose("cannot connect");
    else
        watch(EPOLLOUT);
}

void Backend::poll_connection() {
    switch (PQconnectPoll(connection_)) {
    case PGRES_POLLING_READING:
        watch(EPOLLIN);
        break;
    case PGRES_POLLING_WRITING:
        watch(EPOLLOUT);
        break;
    case PGRES_POLLING_OK:
        prepare();
        break;
    default:
        lose("cannot connect");
    }
}

void Backend::flush() {
    const int left = PQflush(connection_);
    if (left < 0)
        return lose("cannot send");
    watch(left == 1 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

void Backend::on_event(std::uint32_t events) {
    if (state_ == State::closed)
        return; // an event of the same turn, about a connection that is gone
    if (state_ == State::connecting)
        return poll_connection();
    if (events & (EPOLLIN | EPOLLHUP | EPOLLERR)) {
        if (!PQconsumeInput(connection_) || PQstatus(connection_) == CONNECTION_BAD) {
            read_results(); // the server's last words, such as 57P01, are still to be read
            if (state_ != State::closed)
                lose("the connection was lost");
            return;
        }
        read_results();
    }
    if (state_ != State::closed && (events & EPOLLOUT))
        flush();
}

bool Backend::serves_stranger() const {
    return std::any_of(in_flight_.begin(), in_flight_.end(), [](const auto *each) { return each->without_token; });
}

void Backend::read_results() {
    int nulls = 0;
    while (state_ == State::preparing || !batches_.empty()) {
        if (PQisBusy(connection_))
            return;
        PGresult *result = PQgetResult(connection_);
        if (!result) { // ends the results of one statement; two of them: nothing is left to read
            if (++nulls > 1)
                break;
            continue;
        }
        nulls = 0;
        take(result);
        if (state_ == State::closed)
            return;
        if (is_retired_ && in_flight_.empty() && state_ == State::ready) // also while it rolls back
            return lose("");
        if (PQstatus(connection_) == CONNECTION_BAD) // else the loop would never end (yandex/odyssey issue 514)
            return;
    }
}

// Also where a Sync is still to be read, or the answer to a ROLLBACK.
void Backend::close() {
    unwatch();
    if (connection_)
        PQfinish(connection_);
    connection_ = nullptr;
    state_ = State::closed;
    state_since_ms_ = monotonic_ms();
    is_outdated_ = false;
    batches_.clear();
    is_rolling_back_ = false;
    unsent_ = 0;
}

void Backend::lose(const std::string &why) {
    std::string detail = why;
    if (connection_ && !why.empty()) {
        detail += ": ";
        detail += PQerrorMessage(connection_);
        detail.erase(detail.find_last_not_of("\n: ") + 1);
    }
    const bool was_ready = state_ == State::ready;
    close();
    owner_.backend_lost(was_ready, std::exchange(in_flight_, {}), detail);
}

} // namespace relygate::shim
