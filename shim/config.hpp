// What the shim is told by its environment, under the names of the operations guide. Everything is read and judged at
// once: all wrong variables are named together, and those that this version does not use are said to be unused.
#pragma once

#include "shim/proxies.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace relygate::shim {

enum class LogLevel { debug, info, warn, error };

struct Config {
    std::string environment = "production"; // NODE_ENV, for /health
    std::string version;                    // APP_VERSION, else the one that was built
    std::string host = "127.0.0.1";         // a container sets 0.0.0.0
    std::uint16_t port = 3000;

    // Keywords and values for PQconnectStartParams; a connection URL stands under "dbname" and comes first.
    std::vector<std::pair<std::string, std::string>> database;
    bool prepared_statements = true; // false: a pooler stands between, which has neither them nor LISTEN
    int workers = 0;                 // after reading: at least 1
    int pool_min = 2;
    int pool_max = 0; // after reading: at least 4
    std::int64_t pool_idle_ms = 30'000;
    std::int64_t connect_timeout_ms = 5'000;

    std::string jwt_secret;
    std::string jwks_file;
    std::string jwt_issuer;   // of external tokens and of ours
    std::string jwt_audience; // empty: not asked for
    std::int64_t jwt_leeway_s = 0;
    std::int64_t token_lifetime_s = 8 * 3600;

    std::vector<std::string> allowed_origins;
    std::int64_t body_limit = 10 << 20;
    std::int64_t max_file_size = 10 << 20;
    std::int64_t request_timeout_ms = 30'000;
    std::int64_t read_timeout_ms = 1'000; // a read that takes longer moves to the slow lane
    bool security_headers = true;         // HELMET_ENABLED
    int max_connections = 4000;
    int max_connections_per_address = 1000;
    bool rate_limit = true; // of requests without a token that write: logins, above all
    std::uint32_t rate_limit_most = 100;
    std::int64_t rate_limit_window_ms = 15 * 60'000;
    bool rate_limit_failures_only = true;
    std::vector<Network> trusted_proxies; // whose X-Forwarded-For is believed
    int queue_limit = 1000;               // requests that wait for a database connection, a lane and worker

    LogLevel log_level = LogLevel::info;
    std::string log_file; // empty: standard output
    bool metrics = true;
    std::string metrics_host; // empty: as host
    std::uint16_t metrics_port = 9090;
    std::int64_t health_interval_ms = 1'000;
    std::int64_t health_timeout_ms = 5'000;
};

struct ConfigReport {
    std::vector<std::string> problems; // "PORT: ..." each; with any of them the shim does not start
    std::vector<std::string> notes;    // what is not used, what is likely not meant
};

// Where values come from: the environment, or a table in tests. Answers null for what is not set.
using Lookup = std::function<const char *(const char *name)>;

// `names` are all names that are set (to find misspelt ones); `built_version` stands in for APP_VERSION.
ConfigReport read_config(Config &config, const Lookup &lookup, const std::vector<std::string> &names,
                         std::string_view built_version);

// The same from this process' environment.
ConfigReport read_environment(Config &config, std::string_view built_version);

// One line a variable: name, meaning, unit, default. For --help.
std::string describe_variables();

} // namespace relygate::shim
