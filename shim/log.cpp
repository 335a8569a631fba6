#include "shim/log.hpp"

#include "core/json/writer.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <climits>
#include <ctime>
#include <fcntl.h>
#include <memory_resource>
#include <poll.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <utility>

namespace relygate::shim {

namespace {

constexpr std::array<std::string_view, 4> kLevels{"debug", "info", "warn", "error"};

// The file may be a pipe or a terminal, as /dev/stdout is; on a real file O_NONBLOCK does nothing.
int open_file(const std::string &file) {
    return open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, 0640);
}

// As many whole lines as a pipe takes as a whole or not at all. A longer line goes in parts.
std::string_view first_piece(std::string_view text) {
    if (text.size() <= PIPE_BUF)
        return text;
    const auto end = text.rfind('\n', PIPE_BUF - 1);
    return text.substr(0, end == std::string_view::npos ? PIPE_BUF : end + 1);
}

std::uint64_t count_lines(std::string_view text) {
    return static_cast<std::uint64_t>(std::count(text.begin(), text.end(), '\n'));
}

} // namespace

std::string timestamp_now() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    thread_local std::time_t written = -1; // each line needs the time, a second has many lines
    thread_local char text[] = "0000-00-00T00:00:00.000Z";
    if (now.tv_sec != written) {
        std::tm parts{};
        gmtime_r(&now.tv_sec, &parts);
        std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S.000Z", &parts);
        written = now.tv_sec;
    }
    auto milliseconds = now.tv_nsec / 1'000'000;
    for (std::size_t digit = 22; digit > 19; digit--, milliseconds /= 10)
        text[digit] = static_cast<char>('0' + milliseconds % 10);
    return text;
}

Log::Log(LogLevel level, std::string version, const std::string &file)
    : level_(level), version_(std::move(version)), file_(file) {
    if (file_.empty())
        use_standard_output();
    else
        use_file(open_file(file_));
}

Log::~Log() {
    if (descriptor_ >= 0 && descriptor_ != STDOUT_FILENO)
        close(descriptor_);
}

void Log::use_standard_output() {
    descriptor_ = STDOUT_FILENO;
    struct stat status {};
    fstat(STDOUT_FILENO, &status);
    if (S_ISREG(status.st_mode))
        return;
    if (S_ISSOCK(status.st_mode)) {
        way_ = Way::socket;
        return;
    }
    // O_NONBLOCK set on the descriptor itself would hold for all that share it, such as the shell that started us.
    const int own = open("/proc/self/fd/1", O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
    way_ = own < 0 ? Way::polled : Way::nonblocking; // another user's pipe cannot be opened
    if (own >= 0)
        descriptor_ = own;
}

void Log::use_file(int descriptor) {
    descriptor_ = descriptor;
    struct stat status {};
    if (descriptor >= 0 && fstat(descriptor, &status) == 0)
        way_ = S_ISREG(status.st_mode) ? Way::file : Way::nonblocking;
}

void Log::reopen() {
    if (file_.empty())
        return;
    const int fresh = open_file(file_);
    if (fresh < 0)
        return; // better the old file than none
    const std::lock_guard lock(mutex_);
    close(descriptor_);
    use_file(fresh);
    lines_dropped_ += count_lines(unfinished_); // its beginning is in the old file
    unfinished_.clear();
}

void Log::begin_line(core::JsonWriter &line, LogLevel level) const {
    line.begin_object();
    line.member("timestamp", timestamp_now());
    line.member("level", kLevels[static_cast<std::size_t>(level)]);
    line.member("service", "relygate");
    line.member("version", version_);
}

void Log::event(LogLevel level, std::string_view message, std::string_view detail) {
    if (!takes(level))
        return;
    std::pmr::monotonic_buffer_resource memory;
    core::JsonWriter line(memory);
    begin_line(line, level);
    line.member("message", message);
    if (!detail.empty())
        line.member("detail", detail);
    line.end_object();
    write(std::string(line.view()) + "\n");
}

void Log::append_request(std::string &buffer, const RequestLine &request) const {
    const auto level = request.status >= 500   ? LogLevel::error
                       : request.status >= 400 ? LogLevel::warn
                                               : LogLevel::info;
    if (!takes(level))
        return;
    std::array<std::byte, 1024> first;
    std::pmr::monotonic_buffer_resource memory(first.data(), first.size());
    core::JsonWriter line(memory);
    begin_line(line, level);
    line.member("requestId", request.request_id);
    line.member("method", request.method);
    line.member("route", request.route);
    line.name("status");
    line.number(request.status);
    char duration[32]; // milliseconds
    const auto end = std::to_chars(duration, duration + sizeof duration,
                                   static_cast<double>(request.duration_us) / 1000, std::chars_format::fixed, 3);
    line.name("duration");
    line.raw({duration, end.ptr});
    for (const auto &[name, value] : {std::pair{"tenantId", request.tenant_id}, {"userId", request.user_id}}) {
        line.name(name);
        value.empty() ? line.null() : line.string(value);
    }
    line.member("ip", request.address);
    line.end_object();
    buffer += line.view();
    buffer += '\n';
}

void Log::write(std::string_view lines) {
    const std::lock_guard lock(mutex_);
    unfinished_.erase(0, put(unfinished_));
    if (unfinished_.empty()) {
        const auto written = put(lines);
        const bool is_cut = written > 0 && lines[written - 1] != '\n';
        lines.remove_prefix(written);
        if (is_cut) {
            unfinished_ = lines.substr(0, lines.find('\n') + 1);
            lines.remove_prefix(unfinished_.size());
        }
    }
    lines_dropped_ += count_lines(lines);
}

std::size_t Log::put(std::string_view text) const {
    std::size_t done = 0;
    while (done < text.size()) {
        const auto rest = text.substr(done);
        const auto written = put_piece(way_ == Way::file ? rest : first_piece(rest));
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break; // a log that cannot be written must not stop the service
        done += static_cast<std::size_t>(written);
    }
    return done;
}

std::ptrdiff_t Log::put_piece(std::string_view piece) const {
    if (way_ == Way::socket)
        return send(descriptor_, piece.data(), piece.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    pollfd room{descriptor_, POLLOUT, 0};
    if (way_ == Way::polled && poll(&room, 1, 0) != 1)
        return 0;
    return ::write(descriptor_, piece.data(), piece.size());
}

} // namespace relygate::shim
