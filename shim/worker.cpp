#include "shim/worker.hpp"

#include "shim/listener.hpp"
#include "shim/log.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <poll.h>
#include <sched.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

namespace relygate::shim {

namespace {

constexpr int kTickMs = 500;
constexpr std::int64_t kSweepMs = 500;
constexpr std::size_t kLogLinesHeld = 32 << 10;

std::atomic<std::int64_t> bodies_in_memory{0};

} // namespace

Worker::Worker(const Config &config, Keeper &keeper, RateLimits *rate_limits, WorkerMetrics &metrics, Log &log)
    : config_(config), keeper_(keeper), rate_limits_(rate_limits), metrics_(metrics), log_(log), responder_(config),
      tokens_(config), epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
      random_(std::random_device{}()) {
    lanes_ = std::make_unique<Lanes>(config, epoll_, *this, metrics, log);
}

Worker::~Worker() {
    join();
    if (daemon_) // it never ran
        MHD_stop_daemon(daemon_);
    lanes_.reset(); // its connections leave the epoll set
    if (listener_ >= 0)
        close(listener_);
    close(wake_.descriptor);
    close(epoll_);
}

bool Worker::listen(bool shared, std::string &problem) {
    listener_ = listen_on(config_.host, config_.port, shared, problem);
    return listener_ >= 0 && start_daemon();
}

void Worker::start() {
    thread_ = std::thread([this] { loop(); });
}

void Worker::wake() {
    eventfd_write(wake_.descriptor, 1);
}

void Worker::stop(std::int64_t deadline_ms) {
    stop_deadline_ms_ = deadline_ms;
    stop_asked_ = true;
    wake();
}

void Worker::join() {
    if (thread_.joinable())
        thread_.join();
}

bool Worker::is_ready() const {
    return !is_stopping_ && catalogue_ && keeper_.state().healthy && lanes_->is_ready();
}

std::string Worker::new_request_id() {
    std::string text(32, '0');
    for (std::size_t half = 0; half < text.size(); half += 16) {
        auto bits = random_();
        for (auto digit = half; digit < half + 16; digit++, bits >>= 4)
            text[digit] = "0123456789abcdef"[bits & 15];
    }
    return text;
}

void Worker::submit(Question &question, LaneKind lane) {
    question.asks_alone =
        lane == LaneKind::read && !slow_reads_.is_quick(*Request::of(question).route(), question.tenant_id);
    const auto submitted = lanes_->at(lane).submit(question, now_ms_);
    if (submitted == Lane::Submitted::taken)
        return;
    const bool is_full = submitted == Lane::Submitted::full;
    metrics_.refused_full += is_full ? 1 : 0;
    question.verdict = is_full ? Verdict::crowded : Verdict::unavailable;
    answered(question);
}

LaneKind Worker::lane_of(const Question &question, const Route &route) const {
    return route.lane == LaneKind::read && slow_reads_.has(route, question.tenant_id) ? LaneKind::slow : route.lane;
}

// Everything beside and behind it in the read lane waited for a slow one, and a failed one takes those of its batch
// with it; the next of its route and tenant shall not be in their way.
void Worker::learn(Question &question) {
    const auto &request = Request::of(question);
    const auto *route = request.route();
    if (request.catalogue() != catalogue_ || route->lane != LaneKind::read)
        return;
    const bool is_clear = question.verdict == Verdict::answer || question.verdict == Verdict::slow;
    if (!is_clear || question.took_ms == Question::kUnknown)
        return slow_reads_.doubt(*route, question.tenant_id);
    if (!slow_reads_.learn(*route, question.tenant_id, question.took_ms))
        return;
    metrics_.moved_to_slow++;
    log_.event(LogLevel::warn, "a read is slow and goes to the slow lane, for this tenant and until it is quick",
               route->method + ' ' + route->pattern + ", tenant " + std::string(question.tenant_id) + ", took " +
                   std::to_string(question.took_ms) + " ms");
}

void Worker::answered(Question &question) {
    if (question.verdict == Verdict::answer || question.verdict == Verdict::slow || question.sqlstate[0] != '\0')
        learn(question);
    if (question.verdict == Verdict::slow) { // it took longer than READ_TIMEOUT
        question.ask_again();
        return submit(question, LaneKind::slow);
    }
    if (question.verdict == Verdict::failed || question.verdict == Verdict::timeout) {
        // The caller is told the request id only; whoever reads the log finds the cause by it.
        log_.event(question.verdict == Verdict::failed ? LogLevel::error : LogLevel::warn,
                   "request " + std::string(question.request_id) + " failed in the database", question.error);
    }
    Request::of(question).answered();
}

void Worker::report(const RequestLine &line, std::string_view method) {
    metrics_.count(method, line.route, line.status, line.duration_us);
    log_.append_request(log_lines_, line);
    if (log_lines_.size() > kLogLinesHeld)
        write_log();
}

bool Worker::reserve(std::int64_t bytes, std::int64_t limit) {
    // A handful of the largest bodies or many small ones.
    return bodies_in_memory.fetch_add(bytes) + bytes <= std::max<std::int64_t>(64 << 20, 4 * limit);
}

void Worker::release(std::int64_t bytes) {
    bodies_in_memory.fetch_sub(bytes);
}

// Ends connections that did not send a whole head, or a whole body, in their time. Shut down, they read as closed by
// the client, and the library cleans up after them.
void Worker::close_overdue() {
    for (const auto *client : clients_)
        if (client->deadline_ms != 0 && now_ms_ > client->deadline_ms)
            shutdown(client->descriptor, SHUT_RDWR);
}

// Where the last bytes of a client and his end come with one event, the library reads the bytes and waits for more.
void Worker::close_abandoned() {
    std::vector<pollfd> unfinished;
    std::vector<Client *> whose;
    for (auto *client : clients_)
        if (!client->request || client->request->is_incomplete()) {
            unfinished.push_back({client->descriptor, POLLRDHUP, 0});
            whose.push_back(client);
        }
    poll(unfinished.data(), unfinished.size(), 0);
    for (std::size_t i = 0; i < whose.size(); i++)
        if (!(unfinished[i].revents & POLLRDHUP))
            whose[i]->has_ended = false;
        else if (std::exchange(whose[i]->has_ended, true)) // twice: what came before the end was read meanwhile
            shutdown(whose[i]->descriptor, SHUT_RDWR);
}

void Worker::take_catalogue() {
    auto fresh = keeper_.current();
    if (!fresh || fresh == catalogue_)
        return;
    const bool moved = !catalogue_ || catalogue_->database.address != fresh->database.address ||
                       catalogue_->database.host != fresh->database.host ||
                       catalogue_->database.port != fresh->database.port;
    if (!catalogue_ || catalogue_->keys != fresh->keys)
        tokens_.use(fresh->keys);
    const bool is_outdated = catalogue_ && catalogue_->library != fresh->library;
    catalogue_ = std::move(fresh);
    slow_reads_.forget(); // the routes may have changed their lanes or their functions
    if (is_outdated)
        lanes_->renew();
    if (moved || !lanes_->is_ready())
        lanes_->connect_to(catalogue_->database);
}

int Worker::next_timeout() const {
    if (run_again_)
        return 0;
    int timeout = lanes_->has_timers() ? 20 : kTickMs;
    MHD_UNSIGNED_LONG_LONG wanted = 0; // the library's epoll is edge-triggered: what it asks for must be honoured
    if (MHD_get_timeout(daemon_, &wanted) == MHD_YES)
        timeout =
            static_cast<int>(std::min<MHD_UNSIGNED_LONG_LONG>(wanted, static_cast<MHD_UNSIGNED_LONG_LONG>(timeout)));
    return timeout;
}

void Worker::turn(int timeout_ms) {
    std::array<epoll_event, 64> events;
    // Lines of the log wait while there is work, never while the thread sleeps: under load one write takes many.
    int count = epoll_wait(epoll_, events.data(), events.size(), log_lines_.empty() ? timeout_ms : 0);
    if (count == 0 && !log_lines_.empty()) {
        write_log();
        if (timeout_ms != 0)
            count = epoll_wait(epoll_, events.data(), events.size(), timeout_ms);
    }
    now_ms_ = monotonic_ms();
    run_again_ = false;
    bool run_library = timeout_ms == 0 || count == 0;
    for (int i = 0; i < count; i++) {
        auto *source = static_cast<EventSource *>(events[static_cast<std::size_t>(i)].data.ptr);
        if (source) {
            source->on_event(events[static_cast<std::size_t>(i)].events);
        } else {
            run_library = true; // the library's descriptor
        }
    }
    if (run_again_ || run_library)
        MHD_run(daemon_);
    if (lanes_->has_timers() || now_ms_ - ticked_ms_ >= kTickMs) {
        ticked_ms_ = now_ms_;
        lanes_->tick(now_ms_);
    }
    lanes_->send_added();
    if (now_ms_ - swept_ms_ >= kSweepMs) {
        swept_ms_ = now_ms_;
        close_overdue();
        close_abandoned();
        metrics_.token_hits = tokens_.hits();
        metrics_.token_misses = tokens_.misses();
    }
}

void Worker::write_log() {
    log_.write(log_lines_);
    log_lines_.clear();
}

void Worker::WakeUp::on_event(std::uint32_t) {
    eventfd_t ignored = 0;
    eventfd_read(descriptor, &ignored);
    is_due = true;
}

void Worker::loop() {
    // Woken by an answer, it would push the very backend off the core that has the next ones in its queue, for one
    // answer at a time. As a batch thread it waits for a free core or its turn, and finds several. A container that
    // forbids it costs speed alone.
    const sched_param priority{};
    (void)sched_setscheduler(0, SCHED_BATCH, &priority);
    const auto *info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_EPOLL_FD);
    epoll_event event{};
    event.events = EPOLLIN;
    event.data.ptr = nullptr;
    epoll_ctl(epoll_, EPOLL_CTL_ADD, info->epoll_fd, &event);
    event.data.ptr = static_cast<EventSource *>(&wake_);
    epoll_ctl(epoll_, EPOLL_CTL_ADD, wake_.descriptor, &event);
    now_ms_ = monotonic_ms();
    take_catalogue();
    while (!stop_asked_) {
        turn(next_timeout());
        if (std::exchange(wake_.is_due, false))
            take_catalogue();
    }
    drain();
}

// Nobody new is let in, what was asked is answered until the deadline, then the library may stop: with a suspended
// connection left, MHD_stop_daemon aborts the process.
void Worker::drain() {
    is_stopping_ = true;
    MHD_quiesce_daemon(daemon_);
    close(listener_); // the kernel refuses from now on, instead of letting clients wait in a queue that nobody reads
    listener_ = -1;
    while (!lanes_->is_quiet() && monotonic_ms() < stop_deadline_ms_)
        turn(std::min(next_timeout(), 20));
    lanes_->abandon();
    // The last answers go out; a client that does not read them is not waited for.
    for (const auto end = monotonic_ms() + 500; monotonic_ms() < end;) {
        turn(std::min(next_timeout(), 10));
        const auto *info = MHD_get_daemon_info(daemon_, MHD_DAEMON_INFO_CURRENT_CONNECTIONS);
        if (!info || info->num_connections == 0)
            break;
    }
    MHD_stop_daemon(daemon_);
    daemon_ = nullptr;
    write_log();
}

} // namespace relygate::shim
