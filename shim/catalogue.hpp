// What all workers share and none changes: routes, keys, and where the database is. A thread of its own keeps one
// connection, LISTENs on it (or, behind a pooler, looks each 5 s), reads everything again when it changed, and hands
// out a new immutable Catalogue. Any login may NOTIFY, so a notification only makes it look, once a second at most. It
// also asks the database each moment whether it lives (for /health and /ready) and refuses a role that row level
// security does not hold.
#pragma once

#include "shim/config.hpp"
#include "shim/connection.hpp"
#include "shim/routes.hpp"
#include "shim/token.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <libpq-fe.h>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace relygate::shim {

class Log;

struct Catalogue {
    std::unique_ptr<Routes> routes;
    std::shared_ptr<const KeyRing> keys;
    std::string jwks; // as /.well-known/jwks.json gives it
    DatabaseAddress database;
    std::uint64_t library = 0; // counts how often the extension's library was exchanged on the server
};

struct DatabaseState {
    std::atomic<bool> healthy = false;
    std::atomic<std::int64_t> response_us = 0;
    std::atomic<std::uint64_t> loads = 0;
};

class Keeper {
  public:
    // `publish` is called in the keeper's thread whenever there is a new catalogue.
    Keeper(const Config &config, Log &log, std::function<void()> publish);
    ~Keeper();
    Keeper(const Keeper &) = delete;
    Keeper &operator=(const Keeper &) = delete;

    // One attempt before anything listens. False: the role may not serve, `reason` says why. A database that is away is
    // no reason not to start.
    bool first_contact(std::string &reason);
    // From here on a thread; `refused` is called if a later connection turns out to be of a forbidden role.
    void start(std::function<void(std::string)> refused);
    void stop();

    [[nodiscard]] std::shared_ptr<const Catalogue> current() const;
    [[nodiscard]] const DatabaseState &state() const { return state_; }
    // A token named a key that nobody knows: read the keys again, but at most once in 30 s, whoever asks how often.
    void ask_for_keys();

  private:
    enum class Contact { made, away, forbidden };
    using Result = std::unique_ptr<PGresult, decltype(&PQclear)>;

    void run();
    Contact connect();
    bool serve(); // one connection's life; false when it is time to stop
    bool load();
    bool reload_if_changed();
    std::string version();
    bool check();
    Result ask(const char *sql);
    bool wait_for_socket(short events, std::int64_t deadline_ms);
    [[nodiscard]] std::string forbidden_role();
    void drop(const char *why);

    const Config &config_;
    Log &log_;
    std::function<void()> publish_;
    std::function<void(std::string)> refused_;
    DatabaseState state_;
    mutable std::mutex mutex_;
    std::shared_ptr<const Catalogue> current_;
    PGconn *connection_ = nullptr;
    std::string role_problem_;
    std::atomic<bool> stopping_ = false;
    std::atomic<bool> keys_wanted_ = false;
    std::uint64_t library_ = 0;
    std::int64_t keys_asked_ms_ = -1'000'000;
    std::int64_t checked_ms_ = 0, looked_ms_ = 0, renewed_ms_ = -1'000'000;
    std::string version_;
    bool was_away_ = false;
    int wake_ = -1;
    std::thread thread_;
};

} // namespace relygate::shim
