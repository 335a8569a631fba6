// One JSON object a line, on standard output or in a file: what happened to the process, and one line a request
// (without its query string, which may hold names and numbers of people). A file is opened for appending, so
// copytruncate loses nothing, and SIGHUP opens it again. What nobody reads must not stop the service: lines that a
// pipe, a socket or a terminal has no room for are dropped and counted, never waited for.
#pragma once

#include "shim/config.hpp"

#include <atomic>
#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace relygate::core {
class JsonWriter;
}

namespace relygate::shim {

struct RequestLine {
    std::string_view request_id, method, route, tenant_id, user_id, address;
    int status = 0;
    std::int64_t duration_us = 0;
};

class Log {
  public:
    Log(LogLevel level, std::string version, const std::string &file);
    ~Log();
    Log(const Log &) = delete;
    Log &operator=(const Log &) = delete;

    [[nodiscard]] bool is_open() const { return descriptor_ >= 0; }
    [[nodiscard]] bool takes(LogLevel level) const { return level >= level_; }
    void reopen(); // after SIGHUP

    // One event of the process. `detail` is a second member, left out where empty.
    void event(LogLevel level, std::string_view message, std::string_view detail = {});

    // Appends a request's line to a buffer of the calling thread; answers are info, refusals warn, failures error.
    void append_request(std::string &buffer, const RequestLine &line) const;
    void write(std::string_view lines);
    [[nodiscard]] std::uint64_t lines_dropped() const { return lines_dropped_; }

  private:
    enum class Way { file, nonblocking, socket, polled };

    void begin_line(core::JsonWriter &line, LogLevel level) const;
    void use_standard_output();
    void use_file(int descriptor);
    [[nodiscard]] std::size_t put(std::string_view text) const; // how much of it went
    [[nodiscard]] std::ptrdiff_t put_piece(std::string_view piece) const;

    LogLevel level_;
    std::string version_;
    std::string file_;
    std::mutex mutex_; // of all below but the count: lines of several threads never mix
    int descriptor_ = -1;
    Way way_ = Way::file;
    std::string unfinished_; // the end of a line whose beginning is written
    std::atomic<std::uint64_t> lines_dropped_ = 0;
};

// 2026-11-25T12:00:00.123Z
std::string timestamp_now();

} // namespace relygate::shim
