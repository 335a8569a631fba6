// One JSON object a line, on standard output or in a file: what happened to the process, and one line a request
// (without its query string, which may hold names and numbers of people). A line is written by one write() on a
// descriptor opened for appending, so lines of several threads never mix and copytruncate loses nothing. SIGHUP opens
// the file again.
#pragma once

#include "shim/config.hpp"

#include <atomic>
#include <cstdint>
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
    void write(std::string_view lines) const;

  private:
    void begin_line(core::JsonWriter &line, LogLevel level) const;

    LogLevel level_;
    std::string version_;
    std::string file_;
    std::atomic<int> descriptor_ = -1;
};

// 2026-11-25T12:00:00.123Z
std::string timestamp_now();

} // namespace relygate::shim
