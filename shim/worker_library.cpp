// A worker as libmicrohttpd sees it: how the library is started, and what it calls.
#include "shim/log.hpp"
#include "shim/worker.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstdio>
#include <ctime>
#include <sys/socket.h>

namespace relygate::shim {

namespace {

constexpr unsigned kIdleSeconds = 75;

std::string address_of(const sockaddr *address) {
    char text[INET6_ADDRSTRLEN] = "";
    if (address && address->sa_family == AF_INET) {
        inet_ntop(AF_INET, &reinterpret_cast<const sockaddr_in *>(address)->sin_addr, text, sizeof text);
    } else if (address && address->sa_family == AF_INET6) {
        inet_ntop(AF_INET6, &reinterpret_cast<const sockaddr_in6 *>(address)->sin6_addr, text, sizeof text);
        if (std::string_view(text).starts_with("::ffff:")) // an IPv4 client of a dual-stack listener
            return text + 7;
    }
    return text;
}

// The library unescapes targets before it hands them out and cuts them at %00. Left as they are, the raw text is what
// is routed; path and query are decoded later, piece by piece.
std::size_t leave_escaped(void *, MHD_Connection *, char *text) {
    return std::char_traits<char>::length(text);
}

void complete(Request *ended) {
    const std::unique_ptr<Request> request(ended);
    if (request)
        request->completed();
}

} // namespace

bool Worker::start_daemon() {
    const auto share = [&](int all) { return static_cast<unsigned>(std::max(1, all / config_.workers)); };
    daemon_ = MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG, 0, nullptr, nullptr, &Worker::on_request, this,
        MHD_OPTION_EXTERNAL_LOGGER, &Worker::on_log, this, MHD_OPTION_LISTEN_SOCKET, listener_,
        // -1 refuses a blank before the colon. Host is then not asked for: http_rules does that.
        MHD_OPTION_STRICT_FOR_CLIENT, -1, MHD_OPTION_CONNECTION_MEMORY_LIMIT, kConnectionMemory,
        MHD_OPTION_CONNECTION_LIMIT, share(config_.max_connections), MHD_OPTION_PER_IP_CONNECTION_LIMIT,
        // Behind a proxy all connections have its address.
        share(config_.trusted_proxies.empty() ? config_.max_connections_per_address : config_.max_connections),
        MHD_OPTION_CONNECTION_TIMEOUT, kIdleSeconds, MHD_OPTION_URI_LOG_CALLBACK, &Worker::on_target, this,
        MHD_OPTION_UNESCAPE_CALLBACK, &leave_escaped, nullptr, MHD_OPTION_NOTIFY_COMPLETED, &Worker::on_completed, this,
        MHD_OPTION_NOTIFY_CONNECTION, &Worker::on_connection, this, MHD_OPTION_SIGPIPE_HANDLED_BY_APP, 1,
        MHD_OPTION_END);
    return daemon_ != nullptr;
}

void Worker::on_log(void *cls, const char *format, va_list arguments) {
    auto &worker = *static_cast<Worker *>(cls);
    char text[512];
    std::vsnprintf(text, sizeof text, format, arguments);
    std::string_view line = text;
    line = line.substr(0, line.find_last_not_of('\n') + 1);
    worker.log_.event(LogLevel::debug, "libmicrohttpd", line);
    // It says so nowhere else, and calls on_completed next.
    if (line.starts_with("Closing connection (failed to create response header)"))
        worker.had_no_room_ = true;
}

void *Worker::on_target(void *cls, const char *target, MHD_Connection *connection) {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return new Request(*static_cast<Worker *>(cls), connection, target, now.tv_sec * 1'000'000 + now.tv_nsec / 1000);
}

MHD_Result Worker::on_request(void *, MHD_Connection *connection, const char *, const char *method, const char *version,
                              const char *upload, std::size_t *upload_size, void **state) {
    try { // below is C: an exception must not pass through it
        return static_cast<Request *>(*state)->handle(connection, method, version, upload, upload_size);
    } catch (const std::exception &) {
        return MHD_NO; // out of memory: this connection ends, the others go on
    }
}

void Worker::on_completed(void *, MHD_Connection *, void **state, MHD_RequestTerminationCode) {
    complete(static_cast<Request *>(*state));
    *state = nullptr;
}

void Worker::on_connection(void *cls, MHD_Connection *connection, void **context, MHD_ConnectionNotificationCode code) {
    auto &worker = *static_cast<Worker *>(cls);
    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        auto client = std::make_unique<Client>();
        if (const auto *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD))
            client->descriptor = info->connect_fd;
        if (const auto *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CLIENT_ADDRESS))
            client->address = address_of(info->client_addr);
        if (!worker.config_.trusted_proxies.empty())
            if (const auto peer = parse_address(client->address);
                peer && is_trusted(worker.config_.trusted_proxies, *peer))
                client->proxy = peer;
        client->deadline_ms = monotonic_ms() + worker.config_.request_timeout_ms;
        worker.clients_.insert(client.get());
        *context = client.release();
    } else {
        const std::unique_ptr<Client> client(static_cast<Client *>(*context));
        complete(client->request); // it never calls on_completed for arguments that it had no memory for
        worker.clients_.erase(client.get());
        *context = nullptr;
    }
    worker.metrics_.client_connections = static_cast<int>(worker.clients_.size());
}

} // namespace relygate::shim
