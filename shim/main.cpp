// relygate-shim: reads its environment, refuses what is wrong, starts a keeper and the workers, and stops them in order
// when it is told to. Signals are taken here and nowhere else.
#include "shim/catalogue.hpp"
#include "shim/config.hpp"
#include "shim/health.hpp"
#include "shim/listener.hpp"
#include "shim/log.hpp"
#include "shim/metrics.hpp"
#include "shim/worker.hpp"

#include <algorithm>
#include <atomic>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <malloc.h>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <sys/resource.h>
#include <sysexits.h>
#include <unistd.h>
#include <vector>

namespace {

using namespace relygate::shim;

constexpr std::int64_t kDrainMs = 8'000; // orchestrators kill after 10 s
// Rows and bodies of this size are mappings of their own, given back when they are done with. Left to itself the
// allocator raises the bound with the first large one and keeps what all of them took together.
constexpr int kLargeBlock = 256 << 10;

int help() {
    std::printf(
        "usage: relygate-shim [--check-config | --health | --version | --help]\n"
        "Serves RelyGate's HTTP API from a PostgreSQL database. Without an option: serves until SIGTERM or SIGINT.\n"
        "  --check-config  name every wrong environment variable; exit status 0 if there is none\n"
        "  --health        ask a running shim's /ready; exit status 0 if it is\n"
        "Environment (defaults in parentheses; DATABASE_URL, DB_PASSWORD and JWT_SECRET also as NAME_FILE):\n%s",
        describe_variables().c_str());
    return 0;
}

int print_report(const ConfigReport &report, bool is_check) {
    for (const auto &problem : report.problems)
        std::fprintf(stderr, "relygate-shim: %s\n", problem.c_str());
    if (is_check)
        for (const auto &note : report.notes)
            std::fprintf(stderr, "note: %s\n", note.c_str());
    if (!report.problems.empty())
        return EX_CONFIG;
    if (is_check)
        std::printf("the configuration is good\n");
    return 0;
}

sigset_t our_signals() {
    sigset_t set;
    sigemptyset(&set);
    for (const int number : {SIGTERM, SIGINT, SIGHUP})
        sigaddset(&set, number);
    return set;
}

int serve(const Config &config, const ConfigReport &report) {
    mallopt(M_MMAP_THRESHOLD, kLargeBlock);
    const auto signals = our_signals();
    pthread_sigmask(SIG_BLOCK, &signals, nullptr); // before any thread: all inherit it
    std::signal(SIGPIPE, SIG_IGN);
    rlimit files{};
    if (getrlimit(RLIMIT_NOFILE, &files) == 0) {
        files.rlim_cur = files.rlim_max;
        setrlimit(RLIMIT_NOFILE, &files);
    }
    Log log(config.log_level, config.version, config.log_file);
    if (!log.is_open()) {
        std::fprintf(stderr, "relygate-shim: LOG_FILE_PATH: cannot open \"%s\": %s\n", config.log_file.c_str(),
                     std::strerror(errno));
        return EX_CANTCREAT;
    }
    for (const auto &note : report.notes)
        log.event(LogLevel::info, note);

    std::vector<std::unique_ptr<WorkerMetrics>> metrics;
    std::vector<std::unique_ptr<Worker>> workers;
    Keeper keeper(config, log, [&] {
        for (const auto &worker : workers)
            worker->wake();
    });
    std::random_device random;
    RateLimits rate_limits(config.rate_limit_most, config.rate_limit_window_ms,
                           static_cast<std::uint64_t>(random()) << 32 | random());
    std::string problem;
    if (!keeper.first_contact(problem)) {
        std::fprintf(stderr, "relygate-shim: %s\n", problem.c_str());
        return EX_NOPERM;
    }
    if (config.workers > 1) { // SO_REUSEPORT would let a second shim of the same user in beside the first
        const int alone = listen_on(config.host, config.port, false, problem);
        if (alone < 0) {
            std::fprintf(stderr, "relygate-shim: cannot listen on %s\n", problem.c_str());
            return EX_UNAVAILABLE;
        }
        close(alone);
    }
    for (int i = 0; i < config.workers; i++) {
        metrics.push_back(std::make_unique<WorkerMetrics>());
        workers.push_back(
            std::make_unique<Worker>(config, keeper, config.rate_limit ? &rate_limits : nullptr, *metrics.back(), log));
        if (!workers.back()->listen(config.workers > 1, problem)) {
            std::fprintf(stderr, "relygate-shim: cannot listen on %s\n", problem.c_str());
            return EX_UNAVAILABLE;
        }
    }
    std::vector<WorkerMetrics *> counted;
    counted.reserve(metrics.size());
    for (const auto &each : metrics)
        counted.push_back(each.get());
    const MetricsPage page(counted, keeper.state(), log, config.version);
    std::unique_ptr<MetricsServer> metrics_server;
    if (config.metrics) {
        metrics_server = std::make_unique<MetricsServer>(config, page, log);
        if (!metrics_server->is_running()) {
            std::fprintf(stderr, "relygate-shim: cannot listen on the metrics port %d\n", config.metrics_port);
            return EX_UNAVAILABLE;
        }
    }
    std::atomic<bool> is_refused = false;
    for (const auto &worker : workers)
        worker->start();
    keeper.start([&](const std::string &why) {
        log.event(LogLevel::error, "stopping", why);
        is_refused = true;
        kill(getpid(), SIGTERM);
    });
    log.event(LogLevel::info, "listening on " + config.host + " port " + std::to_string(config.port),
              std::to_string(config.workers) + " workers");

    int number = 0;
    while (sigwait(&signals, &number) == 0 && number == SIGHUP)
        log.reopen();
    log.event(LogLevel::info, number == SIGINT ? "stopping on SIGINT" : "stopping on SIGTERM");
    const auto deadline = monotonic_ms() + kDrainMs;
    for (const auto &worker : workers)
        worker->stop(deadline);
    for (const auto &worker : workers)
        worker->join();
    keeper.stop();
    log.event(LogLevel::info, "stopped");
    return is_refused ? EX_NOPERM : 0;
}

} // namespace

int main(int count, char **arguments) {
    const std::string_view option = count > 1 ? arguments[1] : "";
    if (option == "--help" || option == "-h")
        return help();
    if (option == "--version" || option == "-V") {
        std::printf("relygate-shim %s\n", RELYGATE_VERSION);
        return 0;
    }
    const bool is_check = option == "--check-config", is_probe = option == "--health";
    if (count > 2 || (count == 2 && !is_check && !is_probe)) {
        std::fprintf(stderr, "relygate-shim: unknown option \"%s\"; see relygate-shim --help\n", arguments[count - 1]);
        return EX_USAGE;
    }
    Config config;
    const auto report = read_environment(config, RELYGATE_VERSION);
    if (is_probe)
        return probe(config);
    if (const int status = print_report(report, is_check); status != 0 || is_check)
        return status;
    return serve(config, report);
}
