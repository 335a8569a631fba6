#include "shim/health.hpp"

#include "core/json/writer.hpp"
#include "shim/log.hpp"

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <malloc.h>
#include <memory>
#include <memory_resource>
#include <netdb.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

namespace relygate::shim {

namespace {

const std::int64_t kStarted = monotonic_ms();

void number(core::JsonWriter &json, const char *name, double value) {
    char text[40];
    std::snprintf(text, sizeof text, "%.3f", value);
    json.name(name);
    json.raw(text);
}

double uptime_s() {
    return static_cast<double>(monotonic_ms() - kStarted) / 1000;
}

std::int64_t resident_bytes() {
    std::ifstream statm("/proc/self/statm");
    std::int64_t pages = 0, resident = 0;
    statm >> pages >> resident;
    return resident * sysconf(_SC_PAGESIZE);
}

// Fills one JSON object.
template <typename Fill> std::string object(Fill fill) {
    std::pmr::monotonic_buffer_resource memory;
    core::JsonWriter json(memory);
    json.begin_object();
    fill(json);
    json.end_object();
    return std::string(json.view());
}

} // namespace

HealthAnswer live_answer() {
    return {200, object([](core::JsonWriter &json) {
                json.member("status", "alive");
                json.member("timestamp", timestamp_now());
                number(json, "uptime", uptime_s());
            })};
}

HealthAnswer ready_answer(bool is_ready) {
    return {is_ready ? 200 : 503, object([&](core::JsonWriter &json) {
                json.member("status", is_ready ? "ready" : "not ready");
                json.member("timestamp", timestamp_now());
            })};
}

HealthAnswer health_answer(const Config &config, const DatabaseState &database) {
    const bool healthy = database.healthy;
    const char *word = healthy ? "healthy" : "unhealthy";
    return {healthy ? 200 : 503, object([&](core::JsonWriter &json) {
                json.member("timestamp", timestamp_now());
                json.member("status", word);
                json.member("version", config.version);
                json.member("environment", config.environment);
                number(json, "uptime", uptime_s());
                // The guide's three figures of a Node.js process, as far as a C++ process has them.
                const struct mallinfo2 heap = mallinfo2();
                json.name("memory");
                json.begin_object();
                json.name("rss");
                json.number(resident_bytes());
                json.name("heapTotal");
                json.number(static_cast<std::int64_t>(heap.arena + heap.hblkhd));
                json.name("heapUsed");
                json.number(static_cast<std::int64_t>(heap.uordblks + heap.hblkhd));
                json.end_object();
                json.name("checks");
                json.begin_object();
                json.name("database");
                json.begin_object();
                json.member("status", word);
                if (healthy)
                    number(json, "responseTime", static_cast<double>(database.response_us) / 1000);
                else
                    json.member("error", "the database does not answer");
                json.end_object();
                json.name("storage"); // files are rows: storage is the database's
                json.begin_object();
                json.member("status", word);
                json.end_object();
                json.end_object();
            })};
}

int probe(const Config &config) {
    const auto fail = [](const std::string &text) {
        std::fprintf(stderr, "relygate-shim --health: %s\n", text.c_str());
        return 1;
    };
    // Whoever listens on every address is asked on this machine's.
    const std::string host = config.host == "0.0.0.0" ? "127.0.0.1" : config.host == "::" ? "::1" : config.host;
    addrinfo hints{};
    hints.ai_socktype = SOCK_STREAM;
    addrinfo *list = nullptr;
    if (getaddrinfo(host.c_str(), std::to_string(config.port).c_str(), &hints, &list) != 0)
        return fail("cannot look up " + host);
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> guard(list, freeaddrinfo);
    const int descriptor = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const timeval patience{4, 0}; // below the usual HEALTHCHECK timeout of 5 s
    setsockopt(descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(descriptor, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    const std::string request = "GET /ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    char answer[32] = "";
    const bool talked = descriptor >= 0 && connect(descriptor, list->ai_addr, list->ai_addrlen) == 0 &&
                        write(descriptor, request.data(), request.size()) == static_cast<ssize_t>(request.size()) &&
                        read(descriptor, answer, sizeof answer - 1) > 12;
    const int error = errno;
    if (descriptor >= 0)
        close(descriptor);
    if (!talked)
        return fail("no answer from port " + std::to_string(config.port) + ": " + std::strerror(error));
    if (std::strncmp(answer, "HTTP/1.1 200", 12) != 0)
        return fail("not ready");
    return 0;
}

} // namespace relygate::shim
