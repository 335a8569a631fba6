#include "shim/metrics.hpp"

#include "shim/catalogue.hpp"
#include "shim/listener.hpp"
#include "shim/log.hpp"

#include <cstdio>
#include <cstring>
#include <ctime>
#include <fstream>
#include <microhttpd.h>
#include <sys/resource.h>
#include <unistd.h>

namespace relygate::shim {

namespace {

void head(std::string &page, std::string_view name, std::string_view type, std::string_view help) {
    page.append("# HELP ")
        .append(name)
        .append(" ")
        .append(help)
        .append("\n# TYPE ")
        .append(name)
        .append(" ")
        .append(type)
        .append("\n");
}

std::string number(double value) {
    char text[40];
    std::snprintf(text, sizeof text, "%.9g", value);
    return text;
}

void single(std::string &page, std::string_view name, std::string_view type, std::string_view help, double value) {
    head(page, name, type, help);
    page.append(name).append(" ").append(number(value)).append("\n");
}

MHD_Result answer(void *cls, MHD_Connection *connection, const char *url, const char *method, const char *,
                  const char *, std::size_t *upload_size, void **state) {
    static int seen;
    if (*state == nullptr) { // the first call comes with the head alone; an answer there would close the connection
        *state = &seen;
        return MHD_YES;
    }
    if (*upload_size) {
        *upload_size = 0;
        return MHD_YES;
    }
    const bool reads = std::strcmp(method, "GET") == 0 || std::strcmp(method, "HEAD") == 0;
    const bool found = std::strcmp(url, "/metrics") == 0;
    const std::string text = found && reads ? static_cast<const MetricsPage *>(cls)->text() : std::string();
    auto *response =
        MHD_create_response_from_buffer(text.size(), const_cast<char *>(text.data()), MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    MHD_add_response_header(response, "Content-Type", "text/plain; version=0.0.4; charset=utf-8");
    if (found && !reads)
        MHD_add_response_header(response, "Allow", "GET, HEAD");
    const auto queued = MHD_queue_response(connection, !found ? 404U : reads ? 200U : 405U, response);
    MHD_destroy_response(response);
    return queued;
}

// What /proc/self/stat and statm tell, under the names that all client libraries use.
struct ProcessFigures {
    double resident = 0, virtual_size = 0, started = 0;
    int descriptors = 0;
};

double boot_time() {
    timespec real{}, boot{};
    clock_gettime(CLOCK_REALTIME, &real);
    clock_gettime(CLOCK_BOOTTIME, &boot);
    return static_cast<double>(real.tv_sec - boot.tv_sec);
}

ProcessFigures process_figures() {
    ProcessFigures figures;
    std::ifstream stat("/proc/self/stat");
    std::string text;
    std::getline(stat, text);
    // The program's name in parentheses may hold blanks; fields are counted from behind it.
    std::size_t at = text.rfind(')');
    for (int field = 2; at != std::string::npos && field < 22; field++)
        at = text.find(' ', at + 1);
    if (at != std::string::npos)
        figures.started =
            boot_time() + std::strtod(text.c_str() + at, nullptr) / static_cast<double>(sysconf(_SC_CLK_TCK));
    std::ifstream statm("/proc/self/statm");
    double pages = 0, resident = 0;
    if (statm >> pages >> resident) {
        figures.virtual_size = pages * static_cast<double>(sysconf(_SC_PAGESIZE));
        figures.resident = resident * static_cast<double>(sysconf(_SC_PAGESIZE));
    }
    return figures;
}

} // namespace

void WorkerMetrics::count(std::string_view method, std::string_view route, int status, std::int64_t duration_us) {
    char labels[400];
    const auto length = static_cast<std::size_t>(std::snprintf(
        labels, sizeof labels, R"(method="%.*s",route="%.*s",status_code="%d")", static_cast<int>(method.size()),
        method.data(), static_cast<int>(std::min<std::size_t>(route.size(), 300)), route.data(), status));
    const std::string_view key(labels, std::min(length, sizeof labels - 1));
    const double seconds = static_cast<double>(duration_us) / 1e6;
    const std::lock_guard lock(mutex_);
    auto found = series_.find(key);
    if (found == series_.end())
        found = series_.emplace(std::string(key), Series{}).first;
    auto &series = found->second;
    series.total++;
    series.seconds += seconds;
    for (std::size_t i = 0; i < kBuckets.size(); i++)
        if (seconds <= kBuckets[i]) {
            series.buckets[i]++;
            break;
        }
}

void MetricsPage::requests(std::string &page) const {
    std::map<std::string, WorkerMetrics::Series, std::less<>> all;
    for (auto *worker : workers_) {
        const std::lock_guard lock(worker->mutex_);
        for (const auto &[labels, series] : worker->series_) {
            auto &sum = all[labels];
            sum.total += series.total;
            sum.seconds += series.seconds;
            for (std::size_t i = 0; i < kBuckets.size(); i++)
                sum.buckets[i] += series.buckets[i];
        }
    }
    head(page, "relygate_http_requests_total", "counter", "Answered HTTP requests.");
    for (const auto &[labels, series] : all)
        page += "relygate_http_requests_total{" + labels + "} " + std::to_string(series.total) + "\n";
    head(page, "relygate_http_request_duration_seconds", "histogram", "Time from the head of a request to its answer.");
    for (const auto &[labels, series] : all) {
        const auto line = [&page, &labels = labels](const char *name, const std::string &bound,
                                                    const std::string &value) {
            page += "relygate_http_request_duration_seconds_";
            page.append(name).append("{").append(labels).append(bound).append("} ").append(value).append("\n");
        };
        std::uint64_t so_far = 0;
        for (std::size_t i = 0; i < kBuckets.size(); i++) {
            so_far += series.buckets[i];
            line("bucket", ",le=\"" + number(kBuckets[i]) + "\"", std::to_string(so_far));
        }
        line("bucket", ",le=\"+Inf\"", std::to_string(series.total));
        line("sum", "", number(series.seconds));
        line("count", "", std::to_string(series.total));
    }
}

void MetricsPage::database(std::string &page) const {
    static constexpr std::array<const char *, 3> names{"read", "write", "slow"};
    const auto lanes = [&](std::string_view name, std::string_view help,
                           std::atomic<int> WorkerMetrics::LaneGauges::*member) {
        head(page, name, "gauge", help);
        for (std::size_t lane = 0; lane < names.size(); lane++) {
            int sum = 0;
            for (auto *worker : workers_)
                sum += worker->lanes[lane].*member;
            page.append(name)
                .append("{lane=\"")
                .append(names[lane])
                .append("\"} ")
                .append(std::to_string(sum))
                .append("\n");
        }
    };
    lanes("relygate_db_connections_active", "Open connections to the database.", &WorkerMetrics::LaneGauges::open);
    lanes("relygate_db_requests_in_flight", "Requests sent to the database and not answered.",
          &WorkerMetrics::LaneGauges::in_flight);
    lanes("relygate_db_requests_waiting", "Requests that wait for a connection.", &WorkerMetrics::LaneGauges::waiting);
    const auto total = [&](std::string_view name, std::string_view help,
                           std::atomic<std::uint64_t> WorkerMetrics::*member) {
        double sum = 0;
        for (auto *worker : workers_)
            sum += static_cast<double>((worker->*member).load());
        single(page, name, "counter", help, sum);
    };
    total("relygate_db_connects_total", "Connections made to the database.", &WorkerMetrics::database_connects);
    total("relygate_db_connections_lost_total", "Connections that the database or the network ended.",
          &WorkerMetrics::database_losses);
    total("relygate_db_retries_total",
          "Requests repeated after a deadlock or serialization failure, or beside one that failed.",
          &WorkerMetrics::retries);
    total("relygate_db_moved_to_slow_total",
          "Reads that took too long for their lane and were asked again in the slow one.",
          &WorkerMetrics::moved_to_slow);
    total("relygate_http_refused_full_total", "Requests refused because a queue was full.",
          &WorkerMetrics::refused_full);
    total("relygate_token_cache_hits_total", "Tokens found verified.", &WorkerMetrics::token_hits);
    total("relygate_token_cache_misses_total", "Tokens that had to be verified.", &WorkerMetrics::token_misses);
    double connections = 0;
    for (auto *worker : workers_)
        connections += worker->client_connections;
    single(page, "relygate_http_connections", "gauge", "Open client connections.", connections);
    single(page, "relygate_db_up", "gauge", "Whether the database answered the last check.", database_.healthy ? 1 : 0);
    single(page, "relygate_db_check_seconds", "gauge", "Time the database took for the last check.",
           static_cast<double>(database_.response_us) / 1e6);
    single(page, "relygate_catalogue_loads_total", "counter", "How often routes and keys were read.",
           static_cast<double>(database_.loads));
}

void MetricsPage::process(std::string &page) const {
    head(page, "relygate_build_info", "gauge", "The version that runs.");
    page += "relygate_build_info{version=\"" + version_ + "\"} 1\n";
    single(page, "relygate_log_lines_dropped_total", "counter", "Lines of the log that nobody took in time.",
           static_cast<double>(log_.lines_dropped()));
    rusage usage{};
    getrusage(RUSAGE_SELF, &usage);
    const auto seconds = [](const timeval &time) {
        return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
    };
    const auto figures = process_figures();
    single(page, "process_cpu_seconds_total", "counter", "CPU time in seconds.",
           seconds(usage.ru_utime) + seconds(usage.ru_stime));
    single(page, "process_resident_memory_bytes", "gauge", "Resident memory in bytes.", figures.resident);
    single(page, "process_virtual_memory_bytes", "gauge", "Virtual memory in bytes.", figures.virtual_size);
    single(page, "process_start_time_seconds", "gauge", "Start time since the epoch in seconds.", figures.started);
    rlimit limit{};
    getrlimit(RLIMIT_NOFILE, &limit);
    single(page, "process_max_fds", "gauge", "Limit of open files.", static_cast<double>(limit.rlim_cur));
    single(page, "process_open_fds", "gauge", "Open files.", open_descriptors());
}

std::string MetricsPage::text() const {
    std::string page;
    page.reserve(16384);
    requests(page);
    database(page);
    process(page);
    return page;
}

MetricsServer::MetricsServer(const Config &config, const MetricsPage &page, Log &log) {
    std::string problem;
    const int socket = listen_on(config.metrics_host, config.metrics_port, false, problem);
    if (socket < 0) {
        log.event(LogLevel::error, "cannot listen on the metrics port", problem);
        return;
    }
    daemon_ = MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD, 0, nullptr, nullptr, &answer,
                               const_cast<MetricsPage *>(&page), MHD_OPTION_LISTEN_SOCKET, socket,
                               MHD_OPTION_CONNECTION_LIMIT, 64U, MHD_OPTION_CONNECTION_TIMEOUT, 30U, MHD_OPTION_END);
    if (!daemon_)
        close(socket);
}

MetricsServer::~MetricsServer() {
    if (daemon_)
        MHD_stop_daemon(daemon_);
}

} // namespace relygate::shim
