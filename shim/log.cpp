#include "shim/log.hpp"

#include "core/json/writer.hpp"

#include <array>
#include <cerrno>
#include <charconv>
#include <ctime>
#include <fcntl.h>
#include <memory_resource>
#include <unistd.h>
#include <utility>

namespace relygate::shim {

namespace {

constexpr std::array<std::string_view, 4> kLevels{"debug", "info", "warn", "error"};

int open_file(const std::string &file) {
    return file.empty() ? STDOUT_FILENO : open(file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0640);
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
    : level_(level), version_(std::move(version)), file_(file), descriptor_(open_file(file)) {}

Log::~Log() {
    if (!file_.empty() && descriptor_ >= 0)
        close(descriptor_);
}

void Log::reopen() {
    if (file_.empty())
        return;
    const int fresh = open_file(file_);
    if (fresh < 0)
        return; // better the old file than none
    // The number stays the same for threads that are about to write to it.
    dup3(fresh, descriptor_, O_CLOEXEC);
    close(fresh);
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

void Log::write(std::string_view lines) const {
    while (!lines.empty()) {
        const auto written = ::write(descriptor_, lines.data(), lines.size());
        if (written < 0) {
            if (errno == EINTR)
                continue;
            return; // a log that cannot be written must not stop the service
        }
        lines.remove_prefix(static_cast<std::size_t>(written));
    }
}

} // namespace relygate::shim
