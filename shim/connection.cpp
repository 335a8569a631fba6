#include "shim/connection.hpp"

#include <ctime>
#include <string_view>

namespace relygate::shim {

namespace {

// In the options string a blank ends an argument and a backslash takes the next character as it is.
std::string escape_option(std::string_view value) {
    std::string text;
    for (const char c : value) {
        if (c == ' ' || c == '\\')
            text += '\\';
        text += c;
    }
    return text;
}

std::string literal(std::string_view value) {
    std::string text = "'";
    for (const char c : value) {
        if (c == '\'')
            text += '\'';
        text += c;
    }
    return text + '\'';
}

} // namespace

std::int64_t monotonic_ms() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000 + now.tv_nsec / 1'000'000;
}

ConnectionOptions::ConnectionOptions(const Config &config, const char *application, std::int64_t statement_timeout_ms)
    : base_(config.database) {
    std::vector<std::pair<std::string, std::string>> settings{
        {"statement_timeout", std::to_string(statement_timeout_ms)},
        {"relygate.token_lifetime", std::to_string(config.token_lifetime_s)}};
    if (!config.jwt_issuer.empty())
        settings.emplace_back("relygate.token_issuer", config.jwt_issuer);
    base_.emplace_back("application_name", application);
    base_.emplace_back("client_encoding", "UTF8");
    if (config.prepared_statements) {
        std::string options;
        for (const auto &[name, value] : settings)
            options += "-c " + name + '=' + escape_option(value) + ' ';
        base_.emplace_back("options", options);
    } else {
        for (const auto &[name, value] : settings)
            settings_ += (settings_.empty() ? "SELECT " : ", ") + std::string("pg_catalog.set_config(") +
                         literal(name) + ", " + literal(value) + ", true)";
    }
}

void ConnectionOptions::set_address(const DatabaseAddress &address) {
    address_ = address;
}

PGconn *ConnectionOptions::start() const {
    std::vector<const char *> keywords, values;
    const auto add = [&](const char *keyword, const std::string &value) {
        keywords.push_back(keyword);
        values.push_back(value.c_str());
    };
    for (const auto &[keyword, value] : base_)
        add(keyword.c_str(), value);
    if (!address_.host.empty()) { // later keywords win over those of a URL
        add("host", address_.host);
        add("port", address_.port);
        if (!address_.address.empty())
            add("hostaddr", address_.address);
    }
    keywords.push_back(nullptr);
    values.push_back(nullptr);
    PGconn *connection = PQconnectStartParams(keywords.data(), values.data(), 1);
    // The server's own log has its warnings; libpq would print them, and wait where nobody reads.
    if (connection)
        PQsetNoticeProcessor(
            connection, [](void *, const char *) {}, nullptr);
    return connection;
}

} // namespace relygate::shim
