#include "shim/variables.hpp"

#include "shim/rate_limit.hpp"
#include "shim/units.hpp"

#include <algorithm>
#include <array>
#include <cstdlib>

namespace relygate::shim {

namespace {

std::string quoted(std::string_view value) {
    return '"' + std::string(value) + '"';
}

// An env file of Docker or systemd has no comments behind values: they would become part of it.
std::string wrong(std::string_view value, std::string_view wanted) {
    std::string text = quoted(value) + " is not " + std::string(wanted);
    if (value.find('#') != std::string_view::npos)
        text += "; a comment behind a value is part of it";
    return text;
}

std::string outside(std::string_view value, std::int64_t lowest, std::int64_t highest, std::string_view unit) {
    return quoted(value) + " is outside " + std::to_string(lowest) + " to " + std::to_string(highest) +
           std::string(unit);
}

template <auto Member, std::int64_t Lowest, std::int64_t Highest>
std::string number(Config &config, std::string_view value) {
    const auto count = parse_count(value);
    if (!count)
        return wrong(value, "a whole number");
    if (*count < Lowest || *count > Highest)
        return outside(value, Lowest, Highest, "");
    config.*Member = static_cast<std::remove_reference_t<decltype(config.*Member)>>(*count);
    return {};
}

// `Bare` is what a number without suffix is worth, `Unit` the member's own unit, both in milliseconds.
template <auto Member, std::int64_t Bare, std::int64_t Unit, std::int64_t Lowest, std::int64_t Highest>
std::string duration(Config &config, std::string_view value) {
    const auto milliseconds = parse_duration_ms(value, Bare);
    if (!milliseconds)
        return wrong(value, "a time such as 30s, 15m or 8h");
    if (*milliseconds < Lowest || *milliseconds > Highest)
        return outside(value, Lowest, Highest, " milliseconds");
    config.*Member = *milliseconds / Unit;
    return {};
}

template <auto Member, std::int64_t Lowest, std::int64_t Highest>
std::string size(Config &config, std::string_view value) {
    const auto bytes = parse_size(value);
    if (!bytes)
        return wrong(value, "a size such as 512kb or 10mb");
    if (*bytes < Lowest || *bytes > Highest)
        return outside(value, Lowest, Highest, " bytes");
    config.*Member = *bytes;
    return {};
}

template <auto Member> std::string boolean(Config &config, std::string_view value) {
    const auto flag = parse_boolean(value);
    if (!flag)
        return wrong(value, "true or false");
    config.*Member = *flag;
    return {};
}

template <auto Member> std::string text(Config &config, std::string_view value) {
    if (std::any_of(value.begin(), value.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; }))
        return "holds control characters";
    config.*Member = std::string(value);
    return {};
}

std::string hmac_secret(Config &config, std::string_view value) {
    // RFC 7518, 3.2: a key as long as the hash. A short secret can be guessed from one token, offline.
    if (value.size() < 32)
        return "has " + std::to_string(value.size()) + " bytes; HS256 needs 32 at least (openssl rand -base64 48)";
    config.jwt_secret = std::string(value);
    return {};
}

std::string log_level(Config &config, std::string_view value) {
    static constexpr std::array<std::string_view, 4> words{"debug", "info", "warn", "error"};
    const auto word = std::find(words.begin(), words.end(), value);
    if (word == words.end())
        return wrong(value, "one of debug, info, warn, error");
    config.log_level = static_cast<LogLevel>(word - words.begin());
    return {};
}

std::string json_only(Config &, std::string_view value) {
    return value == "json" ? std::string() : wrong(value, "json, the only format there is");
}

std::string log_destination(Config &, std::string_view value) {
    return value == "stdout" || value == "file" ? std::string() : wrong(value, "stdout or file");
}

std::string environment(Config &config, std::string_view value) {
    static constexpr std::array<std::string_view, 4> words{"development", "test", "staging", "production"};
    if (std::find(words.begin(), words.end(), value) == words.end())
        return wrong(value, "one of development, test, staging, production");
    config.environment = std::string(value);
    return {};
}

// scheme://host[:port], as browsers send it in Origin: no path, no slash at the end, no list of wildcards.
bool is_origin(std::string_view text) {
    const auto scheme = text.find("://");
    if (scheme == std::string_view::npos || (text.substr(0, scheme) != "http" && text.substr(0, scheme) != "https"))
        return false;
    const auto authority = text.substr(scheme + 3);
    return !authority.empty() &&
           authority.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789.-:[]") == std::string_view::npos;
}

std::string origins(Config &config, std::string_view value) {
    std::string problem;
    for (auto &origin : parse_list(value)) {
        if (origin == "*")
            return "* would let every site use a signed-in user's browser; name the origins";
        if (!is_origin(origin))
            problem += (problem.empty() ? "" : "; ") +
                       wrong(origin, "an origin such as https://app.example.com (lower case, no path)");
        config.allowed_origins.push_back(std::move(origin));
    }
    return problem;
}

std::string networks(Config &config, std::string_view value) {
    std::string problem;
    for (const auto &text : parse_list(value)) {
        if (const auto network = parse_network(text))
            config.trusted_proxies.push_back(*network);
        else
            problem += (problem.empty() ? "" : "; ") + wrong(text, "a network such as 10.0.0.0/8 or an address");
    }
    return problem;
}

using enum Variable::Use;
constexpr std::int64_t kSecond = 1000, kMinute = 60 * kSecond, kHour = 60 * kMinute, kDay = 24 * kHour;
constexpr std::int64_t kMegabyte = 1 << 20;

constexpr Variable kVariables[] = {
    {"NODE_ENV", used, "development, test, staging or production; shown by /health (production)", environment},
    {"APP_VERSION", used, "version shown by /health and in logs (the built one)", text<&Config::version>},
    {"HOST", used, "address to listen on (127.0.0.1; containers: 0.0.0.0)", text<&Config::host>},
    {"PORT", used, "port of the API (3000)", number<&Config::port, 1, 65535>},
    {"CLUSTER_WORKERS", used, "threads; 0 is one a core (half of the cores)", number<&Config::workers, 0, 256>},

    {"DATABASE_URL", secret, "postgresql://user:password@host:port/name; DB_* may stand beside it if they agree",
     nullptr},
    {"DB_HOST", database, "database server (localhost)", nullptr},
    {"DB_PORT", database, "its port (5432)", nullptr},
    {"DB_NAME", database, "database (relygate)", nullptr},
    {"DB_USER", database, "login role (relygate_shim); neither superuser nor BYPASSRLS", nullptr},
    {"DB_PASSWORD", secret, "its password", nullptr},
    {"DB_SSL", database, "true: only over TLS (prefer)", nullptr},
    {"DB_SSL_REJECT_UNAUTHORIZED", database, "false: take any certificate (true)", nullptr},
    {"DB_SSL_CA_CERT", database, "file with the authority's certificate (the system's)", nullptr},
    {"DB_SSL_CLIENT_CERT", database, "file with our certificate", nullptr},
    {"DB_SSL_CLIENT_KEY", database, "file with its key", nullptr},
    {"DB_POOL_MIN", used, "connections kept open, all lanes together (2)", number<&Config::pool_min, 0, 1000>},
    {"DB_POOL_MAX", used, "connections at most, the listener's included (20; below 4 cores: 5 and 4 a core)",
     number<&Config::pool_max, 4, 1000>},
    {"DB_POOL_IDLE_TIMEOUT", used, "an idle one above the minimum closes after; bare: ms (30s)",
     duration<&Config::pool_idle_ms, 1, 1, kSecond, kDay>},
    {"DB_POOL_CONNECTION_TIMEOUT", used, "wait for a connection at most; bare: ms (5s)",
     duration<&Config::connect_timeout_ms, 1, 1, 100, 10 * kMinute>},
    {"DB_PREPARED_STATEMENTS", used, "false: behind a pooler in transaction mode such as PgBouncer (true)",
     boolean<&Config::prepared_statements>},
    {"DB_REPLICA_HOSTS", unused, "read replicas", nullptr},

    {"JWT_SECRET", secret, "shared secret of HS256/384/512 tokens, 32 bytes or more (none)", hmac_secret},
    {"JWKS_FILE", used, "file with public keys of an external issuer (none)", text<&Config::jwks_file>},
    {"JWT_ISSUER", used, "issuer that tokens must name, and that ours name (none)", text<&Config::jwt_issuer>},
    {"JWT_AUDIENCE", used, "audience that tokens must name (none)", text<&Config::jwt_audience>},
    {"JWT_LEEWAY", used, "clock difference that is overlooked; bare: s (0)",
     duration<&Config::jwt_leeway_s, kSecond, kSecond, 0, 10 * kMinute>},
    {"JWT_EXPIRATION", used, "life of our tokens; bare: s (8h)",
     duration<&Config::token_lifetime_s, kSecond, kSecond, kMinute, 30 * kDay>},

    {"ALLOWED_ORIGINS", used, "origins of browser front ends, by comma (none)", origins},
    {"HELMET_ENABLED", used, "false: a proxy sends the security headers (true)", boolean<&Config::security_headers>},
    {"BODY_LIMIT", used, "largest body; bare: bytes (10mb)", size<&Config::body_limit, 1024, 256 * kMegabyte>},
    {"MAX_FILE_SIZE", used, "largest file; must fit into BODY_LIMIT; bare: bytes (10mb)",
     size<&Config::max_file_size, 1024, 256 * kMegabyte>},
    {"REQUEST_TIMEOUT", used, "for the head, the body and the statement, each; bare: ms (30s)",
     duration<&Config::request_timeout_ms, 1, 1, kSecond, 10 * kMinute>},
    {"READ_TIMEOUT", used, "a read route that takes longer is served among the slow ones from then on; bare: ms (1s)",
     duration<&Config::read_timeout_ms, 1, 1, 50, 10 * kMinute>},
    {"MAX_CONNECTIONS", used, "client connections, all threads together (4000)",
     number<&Config::max_connections, 1, 60000>},
    {"MAX_CONNECTIONS_PER_ADDRESS", used, "of one client address (1000)",
     number<&Config::max_connections_per_address, 1, 60000>},
    {"RATE_LIMIT_ENABLED", used, "false: an address may try to log in as often as it likes (true)",
     boolean<&Config::rate_limit>},
    {"RATE_LIMIT_MAX_REQUESTS", used, "failed requests without a token (logins) of one address in a window (100)",
     number<&Config::rate_limit_most, 1, RateLimit::kHighest>},
    {"RATE_LIMIT_WINDOW", used, "the window; bare: minutes (15m)",
     duration<&Config::rate_limit_window_ms, kMinute, 1, kSecond, kDay>},
    {"RATE_LIMIT_SKIP_SUCCESSFUL_REQUESTS", used, "false: count those that succeed, too (true)",
     boolean<&Config::rate_limit_failures_only>},
    {"TRUSTED_PROXIES", used, "networks whose X-Forwarded-For is believed, by comma: 10.0.0.0/8 (none)", networks},
    {"QUEUE_LIMIT", used, "requests that may wait for a connection, a lane and thread (1000)",
     number<&Config::queue_limit, 1, 100000>},

    {"LOG_LEVEL", used, "debug, info, warn or error (info)", log_level},
    {"LOG_FORMAT", used, "json", json_only},
    {"LOG_DESTINATION", used, "stdout or file (stdout)", log_destination},
    {"LOG_FILE_PATH", used, "the file; SIGHUP opens it again", text<&Config::log_file>},
    {"LOG_MAX_SIZE", unused, "logrotate's business", nullptr},
    {"LOG_MAX_FILES", unused, "logrotate's business", nullptr},
    {"ENABLE_METRICS", used, "false: no metrics port (true)", boolean<&Config::metrics>},
    {"METRICS_HOST", used, "address of the metrics port (as HOST)", text<&Config::metrics_host>},
    {"METRICS_PORT", used, "its port (9090)", number<&Config::metrics_port, 1, 65535>},
    {"HEALTH_CHECK_INTERVAL", used, "how often the database is asked; bare: s (1s)",
     duration<&Config::health_interval_ms, kSecond, 1, 100, kHour>},
    {"HEALTH_CHECK_TIMEOUT", used, "no answer for so long is unhealthy; bare: s (5s)",
     duration<&Config::health_timeout_ms, kSecond, 1, 100, kHour>},
    {"HEALTH_CHECK_RETRIES", unused, "the orchestrator's business", nullptr},

    {"CLUSTER_MODE", unused, "threads are always there: CLUSTER_WORKERS", nullptr},
    {"COMPRESSION_ENABLED", unused, "", nullptr},
    {"CACHE_ENABLED", unused, "", nullptr},
    {"CACHE_TTL", unused, "", nullptr},
    {"DEBUG_LOGS", unused, "LOG_LEVEL=debug", nullptr},
    {"UPLOAD_PATH", unused, "files are rows", nullptr},
};

} // namespace

std::span<const Variable> variables() {
    return kVariables;
}

bool belongs_to_another_program(std::string_view name) {
    for (const std::string_view prefix : {"SMS_", "TWILIO_", "SMTP_", "SLACK_", "ALERT_", "BACKUP_", "FILE_CLEANUP_"})
        if (name.starts_with(prefix))
            return true;
    return false;
}

} // namespace relygate::shim
