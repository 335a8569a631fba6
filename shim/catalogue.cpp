#include "shim/catalogue.hpp"

#include "shim/log.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <poll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utility>

namespace relygate::shim {

namespace {

constexpr std::int64_t kKeyReloadPause = 30'000;
constexpr std::int64_t kLongestBackoff = 2'000;
constexpr std::int64_t kLookPause = 1'000;       // between two looks, however many notifications come
constexpr std::int64_t kRenewPause = 10'000;     // between two rounds of opening all connections anew
constexpr std::int64_t kUnnotifiedPause = 5'000; // where no notification comes through

// All that load() reads, as one digest.
constexpr const char *kVersion = "SELECT pg_catalog.encode(pg_catalog.sha256(pg_catalog.convert_to(pg_catalog.concat("
                                 "(SELECT pg_catalog.string_agg(r::text, ',' ORDER BY r.method, r.pattern) "
                                 "FROM relygate.routes r), relygate.jwks()), 'UTF8')), 'hex')";

// The wording of one of the lanes' names in the catalogue; an unknown one is treated as the most careful, slow.
LaneKind lane_of(std::string_view name) {
    return name == "read" ? LaneKind::read : name == "write" ? LaneKind::write : LaneKind::slow;
}

} // namespace

Keeper::Keeper(const Config &config, Log &log, std::function<void()> publish)
    : config_(config), log_(log), publish_(std::move(publish)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

Keeper::~Keeper() {
    stop();
    if (connection_)
        PQfinish(connection_);
    close(wake_);
}

std::shared_ptr<const Catalogue> Keeper::current() const {
    const std::lock_guard lock(mutex_);
    return current_;
}

void Keeper::ask_for_keys() {
    if (!keys_wanted_.exchange(true))
        eventfd_write(wake_, 1);
}

bool Keeper::first_contact(std::string &reason) {
    const auto contact = connect();
    if (contact == Contact::forbidden) {
        reason = role_problem_;
        return false;
    }
    if (contact == Contact::made && !load())
        drop("cannot read routes and keys");
    return true;
}

void Keeper::start(std::function<void(std::string)> refused) {
    refused_ = std::move(refused);
    thread_ = std::thread([this] { run(); });
}

void Keeper::stop() {
    stopping_ = true;
    eventfd_write(wake_, 1);
    if (thread_.joinable())
        thread_.join();
}

void Keeper::run() {
    std::int64_t backoff = 100;
    while (!stopping_) {
        if (!connection_) {
            const auto contact = connect();
            if (contact == Contact::forbidden) {
                refused_(role_problem_);
                return;
            }
            if (contact == Contact::made && !load())
                drop("cannot read routes and keys");
        }
        if (connection_) {
            backoff = 100;
            if (!serve())
                return;
            continue; // the connection was lost: the first attempt to come back is made at once
        }
        pollfd wake{wake_, POLLIN, 0};
        poll(&wake, 1, static_cast<int>(backoff)); // not drained: only stop() must be noticed here
        eventfd_t ignored = 0;
        eventfd_read(wake_, &ignored);
        backoff = std::min(backoff * 2, kLongestBackoff);
    }
}

// Waits for the connection's socket or for stop(); false when the deadline passed or the process ends.
bool Keeper::wait_for_socket(short events, std::int64_t deadline_ms) {
    while (!stopping_) {
        const auto left = deadline_ms - monotonic_ms();
        if (left <= 0)
            return false;
        pollfd descriptor{PQsocket(connection_), events, 0};
        const int ready =
            poll(&descriptor, 1, static_cast<int>(std::min<std::int64_t>(left, 200))); // 200: looks at stopping_
        if (ready > 0)
            return true;
        if (ready < 0 && errno != EINTR)
            return false;
    }
    return false;
}

Keeper::Contact Keeper::connect() {
    const ConnectionOptions options(config_, "relygate-shim listener", config_.request_timeout_ms);
    connection_ = options.start();
    const auto deadline = monotonic_ms() + config_.connect_timeout_ms;
    auto state = PQstatus(connection_) == CONNECTION_BAD ? PGRES_POLLING_FAILED : PGRES_POLLING_WRITING;
    while (state == PGRES_POLLING_READING || state == PGRES_POLLING_WRITING) {
        if (!wait_for_socket(state == PGRES_POLLING_READING ? POLLIN : POLLOUT, deadline))
            break;
        state = PQconnectPoll(connection_);
    }
    if (state != PGRES_POLLING_OK) {
        drop("cannot connect to the database");
        return Contact::away;
    }
    PQsetnonblocking(connection_, 1);
    role_problem_ = forbidden_role();
    if (!role_problem_.empty()) {
        state_.healthy = false;
        return Contact::forbidden;
    }
    if (config_.prepared_statements &&
        PQresultStatus(ask("LISTEN relygate_routes; LISTEN relygate_keys; LISTEN relygate_library").get()) !=
            PGRES_COMMAND_OK) {
        drop("cannot LISTEN");
        return Contact::away;
    }
    return Contact::made;
}

// Row level security does not exist for such roles, FORCE or not: every tenant would see every row.
std::string Keeper::forbidden_role() {
    const auto result =
        ask("SELECT rolname, rolsuper, rolbypassrls FROM pg_catalog.pg_roles WHERE rolname = session_user");
    if (PQresultStatus(result.get()) != PGRES_TUPLES_OK || PQntuples(result.get()) != 1)
        return {};
    const auto is_true = [&](int column) { return *PQgetvalue(result.get(), 0, column) == 't'; };
    const std::string name = PQgetvalue(result.get(), 0, 0);
    if (is_true(1))
        return "the database role \"" + name +
               "\" is SUPERUSER: row level security would not hold it; use relygate_shim";
    if (is_true(2))
        return "the database role \"" + name +
               "\" has BYPASSRLS: row level security would not hold it; use relygate_shim";
    return {};
}

// One statement and its last result; null when the connection does not answer in time.
Keeper::Result Keeper::ask(const char *sql) {
    Result last(nullptr, PQclear);
    if (!PQsendQuery(connection_, sql))
        return last;
    const auto deadline = monotonic_ms() + config_.health_timeout_ms;
    while (PQflush(connection_) == 1)
        if (!wait_for_socket(POLLIN | POLLOUT, deadline) || !PQconsumeInput(connection_))
            return Result(nullptr, PQclear);
    while (true) {
        while (PQisBusy(connection_))
            if (!wait_for_socket(POLLIN, deadline) || !PQconsumeInput(connection_))
                return Result(nullptr, PQclear);
        PGresult *result = PQgetResult(connection_);
        if (!result)
            return last;
        last.reset(result);
        if (PQstatus(connection_) == CONNECTION_BAD)
            return last;
    }
}

// An empty text where the database does not answer.
std::string Keeper::version() {
    const auto result = ask(kVersion);
    return PQresultStatus(result.get()) == PGRES_TUPLES_OK && PQntuples(result.get()) == 1
               ? PQgetvalue(result.get(), 0, 0)
               : "";
}

bool Keeper::reload_if_changed() {
    const auto found = version();
    return !found.empty() && (found == version_ || load());
}

bool Keeper::load() {
    looked_ms_ = monotonic_ms();
    const auto found = version(); // before the rows: a change between the two is seen at the next look
    auto fresh = std::make_shared<Catalogue>();
    const auto rows = ask("SELECT method, pattern, permission, read_only, lane, body_limit FROM relygate.routes");
    if (PQresultStatus(rows.get()) != PGRES_TUPLES_OK) {
        log_.event(LogLevel::error, "cannot read relygate.routes",
                   rows ? PQresultErrorMessage(rows.get()) : "no answer");
        return false;
    }
    std::vector<Route> routes;
    for (int row = 0; row < PQntuples(rows.get()); row++) {
        const auto text = [&](int column) { return std::string_view(PQgetvalue(rows.get(), row, column)); };
        const auto limit = std::strtoll(PQgetvalue(rows.get(), row, 5), nullptr, 10);
        routes.push_back({std::string(text(0)), std::string(text(1)), text(2) == "public", text(3) == "t",
                          lane_of(text(4)), std::min<std::int64_t>(limit, config_.body_limit)});
    }
    const auto keys = ask("SELECT relygate.jwks()");
    if (PQresultStatus(keys.get()) != PGRES_TUPLES_OK || PQntuples(keys.get()) != 1) {
        log_.event(LogLevel::error, "cannot read relygate.jwks()",
                   keys ? PQresultErrorMessage(keys.get()) : "no answer");
        return false;
    }
    fresh->jwks = PQgetisnull(keys.get(), 0, 0) ? R"({"keys":[]})" : PQgetvalue(keys.get(), 0, 0);
    fresh->routes = std::make_unique<Routes>(std::move(routes));
    std::vector<std::string> problems;
    fresh->keys = KeyRing::make(config_, fresh->jwks, problems, current_ ? current_->keys : nullptr);
    for (const auto &problem : problems)
        log_.event(LogLevel::error, "a key is not used", problem);
    const char *address = PQhostaddr(connection_);
    fresh->database = {PQhost(connection_), address ? address : "", PQport(connection_)};
    fresh->library = library_;
    {
        const std::lock_guard lock(mutex_);
        current_ = fresh;
    }
    version_ = found;
    state_.loads++;
    log_.event(LogLevel::debug, "routes and keys were read", std::to_string(fresh->routes->size()) + " routes");
    publish_();
    return check();
}

bool Keeper::check() {
    timespec begun{}, ended{};
    clock_gettime(CLOCK_MONOTONIC, &begun);
    const bool answered = PQresultStatus(ask("SELECT 1").get()) == PGRES_TUPLES_OK;
    clock_gettime(CLOCK_MONOTONIC, &ended);
    checked_ms_ = monotonic_ms();
    state_.response_us = (ended.tv_sec - begun.tv_sec) * 1'000'000 + (ended.tv_nsec - begun.tv_nsec) / 1000;
    state_.healthy = answered;
    if (answered && std::exchange(was_away_, false))
        log_.event(LogLevel::info, "the database is back");
    return answered;
}

bool Keeper::serve() {
    bool told = false; // that something changed; remembered until it was looked at
    bool has_new_library = false;
    while (!stopping_) {
        while (PGnotify *notification = PQnotifies(connection_)) {
            told = true;
            has_new_library |= std::strcmp(notification->relname, "relygate_library") == 0;
            PQfreemem(notification);
        }
        const auto now = monotonic_ms();
        const bool wants_keys = keys_wanted_ && now - keys_asked_ms_ >= kKeyReloadPause;
        const auto look_at = looked_ms_ + (told ? kLookPause : kUnnotifiedPause);
        const bool renews = has_new_library && now - renewed_ms_ >= kRenewPause;
        if (wants_keys || renews || ((told || !config_.prepared_statements) && now >= look_at)) {
            if (wants_keys) {
                keys_wanted_ = false;
                keys_asked_ms_ = now;
            }
            if (renews) {
                library_++;
                has_new_library = false;
                renewed_ms_ = now;
            }
            told = false; // first: what is told from here on is looked at again
            looked_ms_ = now;
            if (!(wants_keys || renews ? load() : reload_if_changed())) {
                drop("cannot read routes and keys");
                return true;
            }
            continue; // a notification that came with the answers is in libpq's list already
        }
        auto next = checked_ms_ + config_.health_interval_ms;
        if (told || !config_.prepared_statements)
            next = std::min(next, look_at);
        if (has_new_library)
            next = std::min(next, renewed_ms_ + kRenewPause);
        pollfd descriptors[2] = {{PQsocket(connection_), POLLIN, 0}, {wake_, POLLIN, 0}};
        poll(descriptors, 2, static_cast<int>(std::max<std::int64_t>(0, next - monotonic_ms())));
        eventfd_t ignored = 0;
        if (descriptors[1].revents)
            eventfd_read(wake_, &ignored);
        if (descriptors[0].revents && (!PQconsumeInput(connection_) || PQstatus(connection_) == CONNECTION_BAD)) {
            drop("lost the connection to the database");
            return true;
        }
        if (monotonic_ms() - checked_ms_ >= config_.health_interval_ms && !check()) {
            drop("the database does not answer");
            return true;
        }
    }
    return false;
}

void Keeper::drop(const char *why) {
    state_.healthy = false;
    std::string detail = connection_ ? PQerrorMessage(connection_) : "";
    detail.erase(detail.find_last_not_of('\n') + 1);
    if (!stopping_ && !std::exchange(was_away_, true)) // said once, not with every attempt
        log_.event(LogLevel::error, why, detail);
    PQfinish(connection_);
    connection_ = nullptr;
}

} // namespace relygate::shim
