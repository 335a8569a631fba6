// What a connection is asked, and what comes back: statements, batches, results.
#include "shim/backend.hpp"

#include "shim/connection.hpp"

#include <algorithm>
#include <array>
#include <bit>
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
// Around each question of a batch. No COMMIT AND CHAIN: it would hand on what a function made of its transaction, such
// as read only.
constexpr const char *kBegin = "begin", *kCommit = "commit", *kRollback = "rollback";
constexpr std::array<std::array<const char *, 2>, 3> kTransaction{
    {{kBegin, "BEGIN"}, {kCommit, "COMMIT"}, {kRollback, "ROLLBACK"}}};
// A read is quick in less; where several took more, which of them did is not known.
constexpr std::int64_t kSlowBatchMs = 25;
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

// A pooler gives each transaction another connection, where nothing was prepared.
bool Backend::is_behind_pooler() const {
    return !settings_->empty();
}

void Backend::prepare() {
    // The keeper asked for BYPASSRLS too; this costs nothing, the server reports it with every connection.
    const char *superuser = PQparameterStatus(connection_, "is_superuser");
    if (superuser && std::strcmp(superuser, "on") == 0)
        return lose("the role is SUPERUSER");
    state_ = State::preparing;
    bool is_sent =
        PQsetnonblocking(connection_, 1) == 0 && PQenterPipelineMode(connection_) == 1 &&
        PQsendPrepare(connection_, is_behind_pooler() ? "" : kStatement, kSql, kTypes.size(), kTypes.data()) == 1;
    if (!is_behind_pooler())
        for (const auto &[name, sql] : kTransaction)
            is_sent = is_sent && PQsendPrepare(connection_, name, sql, 0, nullptr) == 1;
    if (!is_sent || !PQpipelineSync(connection_))
        return lose("cannot prepare");
    watch(EPOLLIN);
    flush();
}

void Backend::add(Question &question, std::int64_t now_ms) {
    if (in_flight_.empty())
        head_since_ms_ = now_ms;
    in_flight_.push_back(&question);
    unsent_++;
}

void Backend::send_added() {
    if (unsent_ == 0)
        return;
    while (unsent_ > 0)
        if (!send_batch(next_batch()))
            return lose("cannot send");
    flush();
}

std::size_t Backend::next_batch() const {
    const auto most = is_behind_pooler() ? 1 : std::min(unsent_, most_in_batch_);
    std::size_t size = 0;
    while (size < most && !in_flight_[in_flight_.size() - unsent_ + size]->asks_alone)
        size++;
    return std::max<std::size_t>(size, 1);
}

// libpq keeps what it is given until the Sync, or until its buffer is full.
bool Backend::send_batch(std::size_t size) {
    batches_.push_back({size, size, false});
    bool is_sent = true;
    for (auto left = size; left > 0 && is_sent; left--) {
        const auto &question = *in_flight_[in_flight_.size() - unsent_];
        unsent_--;
        is_sent = size == 1 ? send(question) : run(kBegin) && send(question) && run(kCommit);
    }
    return is_sent && PQpipelineSync(connection_) == 1;
}

bool Backend::run(const char *statement) {
    return PQsendQueryPrepared(connection_, statement, 0, nullptr, nullptr, nullptr, 1) == 1;
}

bool Backend::send(const Question &question) {
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
    const auto count = static_cast<int>(kTypes.size());
    if (!is_behind_pooler())
        return PQsendQueryPrepared(connection_, kStatement, count, values.data(), lengths.data(), formats.data(), 1) ==
               1;
    // One Sync ends both, so both are one transaction; the time-out that the first sets bounds the second.
    return PQsendQueryParams(connection_, settings_->c_str(), 0, nullptr, nullptr, nullptr, nullptr, 0) == 1 &&
           PQsendQueryParams(connection_, kSql, count, kTypes.data(), values.data(), lengths.data(), formats.data(),
                             1) == 1;
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
    if (batches_.empty())
        return;
    auto &batch = batches_.front();
    if (status == PGRES_PIPELINE_SYNC)
        return end_batch();
    if (status == PGRES_PIPELINE_ABORTED)
        return;
    if (batch.left == 0) { // a ROLLBACK: without it, whoever comes next would not be run
        if (status == PGRES_COMMAND_OK)
            is_rolling_back_ = false;
        else
            is_retired_ = true;
        return;
    }
    auto &question = *in_flight_.front();
    switch (status) {
    case PGRES_TUPLES_OK:
        question.result = std::move(owned); // the last one counts: behind a pooler settings come first
        break;
    case PGRES_COMMAND_OK: // a BEGIN or a COMMIT
        batch.is_open = !question.result;
        if (question.result) {
            batch.left--;
            finish_head(batch.size);
        }
        break;
    default: {
        const char *sqlstate = PQresultErrorField(result, PG_DIAG_SQLSTATE);
        std::snprintf(question.sqlstate, sizeof question.sqlstate, "%s", sqlstate ? sqlstate : "XX000");
        question.error = PQresultErrorMessage(result);
        question.was_not_run = is_rolling_back_;
        // An error that comes with the COMMIT or the Sync (a deferred constraint) takes the answer back. Where the
        // COMMIT was not even run the transaction is still open, so it counts as such; else the ROLLBACK finds none and
        // is warned.
        question.result.reset();
    }
    }
}

void Backend::finish_head(std::size_t batch_size) {
    auto &question = *in_flight_.front();
    in_flight_.pop_front();
    const auto now = monotonic_ms();
    idle_since_ms_ = now;
    question.took_ms = now - head_since_ms_;
    if (batch_size > 1 && question.result && question.took_ms >= kSlowBatchMs)
        question.took_ms = Question::kUnknown;
    owner_.backend_answered(*this, question);
}

// What stands behind a failed question up to the Sync was not run. The failed transaction stays until it is rolled
// back, and what was sent meanwhile fails as well.
void Backend::end_batch() {
    const auto batch = batches_.front();
    batches_.pop_front();
    if (batch.left > 0 && batch.is_open) {
        batches_.push_back({0, 0, false});
        is_rolling_back_ = true;
        if (!run(kRollback) || !PQpipelineSync(connection_))
            return lose("cannot send");
        flush();
    }
    for (auto left = batch.left; left > 0 && state_ == State::ready; left--) {
        auto &question = *in_flight_.front();
        question.was_not_run = question.was_not_run || (!question.result && question.sqlstate[0] == '\0');
        finish_head(batch.size);
    }
    head_since_ms_ = monotonic_ms();
}

} // namespace relygate::shim
