#include "shim/config.hpp"

#include "shim/units.hpp"
#include "shim/variables.hpp"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <libpq-fe.h>
#include <map>
#include <memory>
#include <optional>
#include <thread>
#include <unistd.h>

extern char **environ;

namespace relygate::shim {

namespace {

constexpr const char *kSystemAuthorities = "/etc/ssl/certs/ca-certificates.crt";

class Reading {
  public:
    Reading(Config &config, const Lookup &lookup) : config_(config), lookup_(lookup) {}

    ConfigReport take() { return std::move(report_); }
    void problem(std::string_view name, std::string_view text) {
        report_.problems.push_back(std::string(name) + ": " + std::string(text));
    }
    void note(std::string_view name, std::string_view text) {
        report_.notes.push_back(std::string(name) + ": " + std::string(text));
    }

    void read(const Variable &variable) {
        const auto value = value_of(variable);
        if (!value)
            return;
        if (variable.use == Variable::Use::unused) {
            note(variable.name, std::string("is not used by this version") +
                                    (*variable.help ? std::string(" (") + variable.help + ")" : ""));
        } else if (variable.apply == nullptr) {
            database_[variable.name] = *value;
        } else if (const auto wrong = variable.apply(config_, *value); !wrong.empty()) {
            problem(variable.name, wrong);
        }
    }

    void misspelt(const std::vector<std::string> &names);
    void database();
    void consistency();

  private:
    std::optional<std::string> value_of(const Variable &variable);
    std::optional<std::string> from_file(const std::string &name, const char *path);
    bool readable(const char *name, const std::string &path) {
        if (access(path.c_str(), R_OK) == 0)
            return true;
        problem(name, "cannot read the file \"" + path + "\"");
        return false;
    }
    void single_values();
    void must_agree(const char *name, const char *keyword, const std::map<std::string, std::string> &url);
    void encryption();

    Config &config_;
    const Lookup &lookup_;
    ConfigReport report_;
    std::map<std::string, std::string> database_;
};

std::optional<std::string> Reading::from_file(const std::string &name, const char *path) {
    std::ifstream file(path, std::ios::binary);
    std::string text{std::istreambuf_iterator<char>(file), {}};
    if (!file.good() && !file.eof()) {
        problem(name, "cannot read the file \"" + std::string(path) + "\"");
        return std::nullopt;
    }
    while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) // editors and echo end a file with a line end
        text.pop_back();
    return text;
}

std::optional<std::string> Reading::value_of(const Variable &variable) {
    const char *plain = lookup_(variable.name);
    if (variable.use != Variable::Use::secret)
        return plain && *plain ? std::optional<std::string>(plain) : std::nullopt;
    const auto file_name = std::string(variable.name) + "_FILE";
    const char *path = lookup_(file_name.c_str());
    if (path && !*path)
        path = nullptr;
    if (plain && *plain && path) {
        problem(variable.name, "is given twice, also as " + file_name);
        return std::nullopt;
    }
    auto value = path ? from_file(file_name, path) : plain ? std::optional<std::string>(plain) : std::nullopt;
    // An orchestrator that lost the secret hands in an empty one: that is no wish to go without.
    if (value && value->empty() && (path || std::string_view(variable.name) == "JWT_SECRET")) {
        problem(path ? file_name : variable.name, "is empty");
        return std::nullopt;
    }
    if (value && value->empty())
        return std::nullopt;
    return value;
}

// Names that begin like ours but are none of them: most likely a slip of the pen. Only a note, since Kubernetes and
// Docker links set such names too.
void Reading::misspelt(const std::vector<std::string> &names) {
    for (const auto &name : names) {
        if (belongs_to_another_program(name)) {
            note(name, "is not used by this version of the shim");
            continue;
        }
        std::string_view bare = name;
        if (bare.ends_with("_FILE"))
            bare.remove_suffix(5);
        const auto all = variables();
        const auto is = [&](std::string_view wanted) {
            return std::any_of(all.begin(), all.end(), [&](const Variable &v) { return wanted == v.name; });
        };
        if (is(name) || is(bare))
            continue;
        for (const std::string_view prefix :
             {"DB_", "JWT_", "JWKS_", "LOG_", "RATE_LIMIT_", "HEALTH_CHECK_", "CLUSTER_", "METRICS_", "CACHE_"})
            if (name.starts_with(prefix)) {
                note(name, "is no variable of the shim");
                break;
            }
    }
}

void Reading::must_agree(const char *name, const char *keyword, const std::map<std::string, std::string> &url) {
    const auto single = database_.find(name);
    const auto whole = url.find(keyword);
    if (single != database_.end() && whole != url.end() && single->second != whole->second)
        problem(name, "differs from what DATABASE_URL says; give one of the two");
}

void Reading::single_values() {
    const auto value = [&](const char *name, const char *fallback) {
        const auto found = database_.find(name);
        return found == database_.end() ? std::string(fallback) : found->second;
    };
    config_.database.emplace_back("host", value("DB_HOST", "localhost"));
    config_.database.emplace_back("port", value("DB_PORT", "5432"));
    config_.database.emplace_back("dbname", value("DB_NAME", "relygate"));
    config_.database.emplace_back("user", value("DB_USER", "relygate_shim"));
    if (database_.contains("DB_PASSWORD"))
        config_.database.emplace_back("password", database_["DB_PASSWORD"]);
}

void Reading::encryption() {
    const auto flag = [&](const char *name) -> std::optional<bool> {
        const auto found = database_.find(name);
        if (found == database_.end())
            return std::nullopt;
        const auto value = parse_boolean(found->second);
        if (!value)
            problem(name, '"' + found->second + "\" is not true or false");
        return value;
    };
    const auto ssl = flag("DB_SSL");
    const auto strict = flag("DB_SSL_REJECT_UNAUTHORIZED");
    if (!ssl || !*ssl) {
        for (const auto *name : {"DB_SSL_CA_CERT", "DB_SSL_CLIENT_CERT", "DB_SSL_CLIENT_KEY"})
            if (database_.contains(name))
                problem(name, "is given, but DB_SSL is not true");
        if (ssl)
            config_.database.emplace_back("sslmode", "disable");
        return;
    }
    const bool verify = strict.value_or(true);
    config_.database.emplace_back("sslmode", verify ? "verify-full" : "require");
    if (database_.contains("DB_SSL_CA_CERT")) {
        if (readable("DB_SSL_CA_CERT", database_["DB_SSL_CA_CERT"]))
            config_.database.emplace_back("sslrootcert", database_["DB_SSL_CA_CERT"]);
    } else if (verify) { // libpq before 16 knows no "system"
        if (access(kSystemAuthorities, R_OK) == 0)
            config_.database.emplace_back("sslrootcert", kSystemAuthorities);
        else
            problem("DB_SSL_CA_CERT",
                    "is needed: DB_SSL asks for a certificate, and the system has no list of authorities");
    }
    if (database_.contains("DB_SSL_CLIENT_CERT") != database_.contains("DB_SSL_CLIENT_KEY"))
        problem("DB_SSL_CLIENT_CERT", "and DB_SSL_CLIENT_KEY go together");
    else if (database_.contains("DB_SSL_CLIENT_CERT")) {
        if (readable("DB_SSL_CLIENT_CERT", database_["DB_SSL_CLIENT_CERT"]))
            config_.database.emplace_back("sslcert", database_["DB_SSL_CLIENT_CERT"]);
        if (readable("DB_SSL_CLIENT_KEY", database_["DB_SSL_CLIENT_KEY"]))
            config_.database.emplace_back("sslkey", database_["DB_SSL_CLIENT_KEY"]);
    }
}

void Reading::database() {
    if (const auto port = database_.find("DB_PORT"); port != database_.end()) {
        const auto number = parse_count(port->second);
        if (!number || *number < 1 || *number > 65535)
            problem("DB_PORT", '"' + port->second + "\" is not a port");
    }
    encryption();
    const auto url = database_.find("DATABASE_URL");
    if (url == database_.end()) {
        single_values();
        return;
    }
    char *error = nullptr;
    const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
        PQconninfoParse(url->second.c_str(), &error), PQconninfoFree);
    if (!options) {
        // libpq's text repeats the URL, password and all; the log is no place for it.
        problem("DATABASE_URL", "is no connection URL; percent-encode special characters in user and password");
        PQfreemem(error);
        return;
    }
    std::map<std::string, std::string> parts;
    for (const auto *option = options.get(); option->keyword; option++)
        if (option->val && *option->val)
            parts[option->keyword] = option->val;
    for (const auto &port : parse_list(parts["port"])) // of several hosts; libpq looks at it only when it connects
        if (const auto number = parse_count(port); !number || *number < 1 || *number > 65535)
            problem("DATABASE_URL", "names a port that is none");
    must_agree("DB_HOST", "host", parts);
    must_agree("DB_PORT", "port", parts);
    must_agree("DB_NAME", "dbname", parts);
    must_agree("DB_USER", "user", parts);
    must_agree("DB_PASSWORD", "password", parts);
    config_.database.emplace_back("dbname", url->second);
}

void Reading::consistency() {
    const int cores = std::max(1U, std::thread::hardware_concurrency());
    if (config_.pool_max == 0) // a small machine is slower with more writes at a time than its cores can take
        config_.pool_max = std::max({std::min(20, 4 * cores + 5), config_.pool_min, 3 * config_.workers + 1});
    // Three lanes and a listener need a connection each; a thread takes its lanes' from the one bound.
    const int most_workers = std::max(1, (config_.pool_max - 1) / 3);
    const char *wanted = lookup_("CLUSTER_WORKERS");
    if (!wanted || !*wanted)
        config_.workers = std::clamp(cores / 2, 1, most_workers);
    else if (config_.workers == 0)
        config_.workers = std::min(cores, most_workers);
    else if (config_.workers > most_workers)
        problem("DB_POOL_MAX", "must be at least " + std::to_string(3 * config_.workers + 1) + " for " +
                                   std::to_string(config_.workers) + " workers (three lanes each and a listener)");
    if (config_.pool_min > config_.pool_max)
        problem("DB_POOL_MIN", "is above DB_POOL_MAX");
    if (lookup_("MAX_FILE_SIZE") && config_.max_file_size > config_.body_limit)
        problem("MAX_FILE_SIZE", "is above BODY_LIMIT: such a file would never arrive");
    else if (lookup_("MAX_FILE_SIZE"))
        note("MAX_FILE_SIZE", "is only compared with BODY_LIMIT: this version stores no files");
    if (config_.metrics_host.empty())
        config_.metrics_host = config_.host;
    if (config_.metrics && config_.port == config_.metrics_port)
        problem("METRICS_PORT", "is the same as PORT");
    if (config_.health_timeout_ms < config_.health_interval_ms && lookup_("HEALTH_CHECK_TIMEOUT"))
        note("HEALTH_CHECK_TIMEOUT", "is below HEALTH_CHECK_INTERVAL");
    const char *destination = lookup_("LOG_DESTINATION");
    const bool to_file = destination && std::string_view(destination) == "file";
    if (to_file && config_.log_file.empty())
        problem("LOG_FILE_PATH", "is needed: LOG_DESTINATION is file");
    else if (!to_file && !config_.log_file.empty())
        note("LOG_FILE_PATH", "is not used: LOG_DESTINATION is not file");
    if (!to_file)
        config_.log_file.clear();
    if (!config_.jwks_file.empty())
        readable("JWKS_FILE", config_.jwks_file);
}

} // namespace

ConfigReport read_config(Config &config, const Lookup &lookup, const std::vector<std::string> &names,
                         std::string_view built_version) {
    config.version = built_version;
    Reading reading(config, lookup);
    for (const auto &variable : variables())
        reading.read(variable);
    reading.database();
    reading.consistency();
    reading.misspelt(names);
    return reading.take();
}

ConfigReport read_environment(Config &config, std::string_view built_version) {
    std::vector<std::string> names;
    for (char **entry = environ; *entry; entry++) {
        const std::string_view text = *entry;
        names.emplace_back(text.substr(0, text.find('=')));
    }
    return read_config(
        config, [](const char *name) { return std::getenv(name); }, names, built_version);
}

std::string describe_variables() {
    std::string text;
    for (const auto &variable : variables()) {
        if (variable.use == Variable::Use::unused)
            continue;
        std::string line = "  " + std::string(variable.name);
        line.resize(std::max<std::size_t>(line.size() + 1, 32), ' ');
        text += line + variable.help + "\n";
    }
    return text;
}

} // namespace relygate::shim
