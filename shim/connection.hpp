// How a connection to the database is begun: by the keeper, which finds the server, and by the lanes, which follow it
// there.
#pragma once

#include "shim/config.hpp"

#include <cstdint>
#include <libpq-fe.h>
#include <string>
#include <utility>
#include <vector>

namespace relygate::shim {

// The server that the keeper reached. Workers connect to the very same, and need no name look-up, which would block
// them.
struct DatabaseAddress {
    std::string host, address, port;
};

// Keywords and values for libpq, with what every connection of ours carries: time-out, token life and issuer, UTF-8. A
// pooler refuses such options, and what is set in a session it hands to others; then they are set in each transaction.
class ConnectionOptions {
  public:
    ConnectionOptions(const Config &config, const char *application, std::int64_t statement_timeout_ms);
    void set_address(const DatabaseAddress &address);
    [[nodiscard]] PGconn *start() const; // PQconnectStartParams
    // The statement that sets them until the end of the transaction; empty where the connection carries them.
    [[nodiscard]] const std::string &settings() const { return settings_; }

  private:
    std::vector<std::pair<std::string, std::string>> base_;
    std::string settings_;
    DatabaseAddress address_;
};

// The clock of all time-outs, in milliseconds.
std::int64_t monotonic_ms();

} // namespace relygate::shim
