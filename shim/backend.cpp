#include "shim/backend.hpp"

#include "shim/connection.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <sys/epoll.h>
#include <utility>

namespace relygate::shim {

namespace {

constexpr const char *kStatement = "handle";
constexpr const char *kSql = "SELECT status, content_type, headers, body FROM "
                             "relygate.handle_request($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)";
// uuid, uuid, uuid, timestamptz, text, inet, text, text, text, text[], bytea (pg_type.dat)
constexpr std::array<Oid, 11> kTypes{2950, 2950, 2950, 1184, 25, 869, 25, 25, 25, 1009, 17};
constexpr std::int64_t kEpochDifferenceUs = 946'684'800'000'000; // PostgreSQL counts from 2000

std::uint64_t big_endian(std::uint64_t value) {
    return std::endian::native == std::endian::little ? __builtin_bswap64(value) : value;
}

std::uint32_t big_endian(std::uint32_t value) {
    return std::endian::native == std::endian::little ? __builtin_bswap32(value) : value;
}

void append(std::string &bytes, std::uint32_t value) {
    value = big_endian(value);
    bytes.append(reinterpret_cast<const char *>(&value), sizeof value);
}

} // namespace

std::string text_array(const std::vector<std::string_view> &texts) {
    std::string bytes;
    append(bytes, texts.empty() ? 0 : 1); // dimensions
    append(bytes, 0U);                    // no nulls
    append(bytes, 25U);                   // of text
    if (texts.empty())
        return bytes;
    append(bytes, static_cast<std::uint32_t>(texts.size()));
    append(bytes, 1U);
    for (const auto text : texts) {
        append(bytes, static_cast<std::uint32_t>(text.size()));
        bytes += text;
    }
    return bytes;
}

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

void Backend::prepare() {
    // The keeper asked for BYPASSRLS too; this costs nothing, the server reports it with every connection.
    const char *superuser = PQparameterStatus(connection_, "is_superuser");
    if (superuser && std::strcmp(superuser, "on") == 0)
        return lose("the role is SUPERUSER");
    state_ = State::preparing;
    if (PQsetnonblocking(connection_, 1) != 0 || !PQenterPipelineMode(connection_) ||
        !PQsendPrepare(connection_, settings_->empty() ? kStatement : "", kSql, kTypes.size(), kTypes.data()) ||
        !PQpipelineSync(connection_))
        return lose("cannot prepare");
    watch(EPOLLIN);
    flush();
}

void Backend::flush() {
    const int left = PQflush(connection_);
    if (left < 0)
        return lose("cannot send");
    watch(left == 1 ? EPOLLIN | EPOLLOUT : EPOLLIN);
}

bool Backend::ask(const char *const *values, const int *lengths, const int *formats) {
    const auto count = static_cast<int>(kTypes.size());
    if (settings_->empty())
        return PQsendQueryPrepared(connection_, kStatement, count, values, lengths, formats, 1) == 1;
    // One Sync ends both, so both are one transaction; the time-out that the first sets bounds the second.
    return PQsendQueryParams(connection_, settings_->c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) == 1 &&
           PQsendQueryParams(connection_, kSql, count, kTypes.data(), values, lengths, formats, 1) == 1;
}

bool Backend::send(Question &question, std::int64_t now_ms) {
    std::array<const char *, 11> values{};
    std::array<int, 11> lengths{};
    std::array<int, 11> formats{};
    std::array<std::string, 4> held; // parameters in text form end with NUL, views do not
    std::size_t next = 0, next_held = 0;
    const auto text = [&](std::string_view value, bool is_null) {
        if (!is_null) {
            held[next_held] = value;
            values[next] = held[next_held++].c_str();
        }
        next++;
    };
    const auto binary = [&](std::string_view value, bool is_null) {
        values[next] = is_null ? nullptr : value.data() ? value.data() : "";
        lengths[next] = static_cast<int>(value.size());
        formats[next++] = 1;
    };
    const auto expires = big_endian(static_cast<std::uint64_t>(question.token_expires_us - kEpochDifferenceUs));
    text(question.tenant_id, question.tenant_id.empty());
    text(question.user_id, question.user_id.empty());
    text(question.session_id, question.session_id.empty());
    binary({reinterpret_cast<const char *>(&expires), sizeof expires}, question.token_expires_us == 0);
    binary(question.request_id, false); // text's binary form is its bytes
    text(question.client_address, question.client_address.empty());
    binary(question.method, false);
    binary(question.path, false);
    binary(question.query, false);
    binary(question.headers, false);
    binary(question.body, !question.has_body);
    if (in_flight_.empty())
        head_since_ms_ = now_ms;
    in_flight_.push_back(&question);
    if (!ask(values.data(), lengths.data(), formats.data()) || !PQpipelineSync(connection_)) {
        lose("cannot send");
        return false;
    }
    flush();
    return state_ == State::ready;
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
    while (state_ == State::preparing || !in_flight_.empty()) {
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
        if (PQstatus(connection_) == CONNECTION_BAD) // else the loop would never end (yandex/odyssey issue 514)
            return;
    }
    if (is_retired_ && in_flight_.empty() && state_ == State::ready)
        lose("");
}

void Backend::take(PGresult *result) {
    std::unique_ptr<PGresult, decltype(&PQclear)> owned(result, PQclear);
    const auto status = PQresultStatus(result);
    if (state_ == State::preparing) {
        if (status == PGRES_PIPELINE_SYNC) {
            state_ = State::ready;
            idle_since_ms_ = monotonic_ms();
            owner_.backend_ready(*this);
        } else if (status != PGRES_COMMAND_OK) { // the extension is not there yet, or may not be used
            const char *message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
            lose(std::string("cannot prepare: ") + (message ? message : PQresStatus(status)));
        }
        return;
    }
    if (in_flight_.empty())
        return;
    auto &question = *in_flight_.front();
    switch (status) {
    case PGRES_TUPLES_OK:
        question.result = std::move(owned); // the last one counts: behind a pooler settings come first
        break;
    case PGRES_PIPELINE_SYNC:
        finish_head();
        break;
    case PGRES_PIPELINE_ABORTED:
        break;
    default: {
        const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        std::snprintf(question.sqlstate, sizeof question.sqlstate, "%s", sqlstate ? sqlstate : "XX000");
        question.error = PQresultErrorMessage(result);
        // An error that comes with the Sync (a deferred constraint) takes the answer back.
        question.result.reset();
    }
    }
}

void Backend::finish_head() {
    auto &question = *in_flight_.front();
    in_flight_.pop_front();
    const auto now = monotonic_ms();
    question.took_ms = now - head_since_ms_;
    head_since_ms_ = idle_since_ms_ = now;
    owner_.backend_answered(*this, question);
}

void Backend::close_idle() {
    unwatch();
    PQfinish(connection_);
    connection_ = nullptr;
    state_ = State::closed;
    is_outdated_ = false;
}

void Backend::lose(const std::string &why) {
    std::string detail = why;
    if (connection_ && !why.empty()) {
        detail += ": ";
        detail += PQerrorMessage(connection_);
        detail.erase(detail.find_last_not_of("\n: ") + 1);
    }
    unwatch();
    if (connection_)
        PQfinish(connection_);
    connection_ = nullptr;
    state_since_ms_ = monotonic_ms();
    const bool was_ready = std::exchange(state_, State::closed) == State::ready;
    is_outdated_ = false;
    owner_.backend_lost(was_ready, std::exchange(in_flight_, {}), detail);
}

} // namespace relygate::shim
