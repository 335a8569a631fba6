// Listening sockets. Each worker has its own on the same port (SO_REUSEPORT): the kernel spreads the connections, and
// no thread wakes for one that another took.
#pragma once

#include <cstdint>
#include <string>

namespace relygate::shim {

// The descriptor, or -1 and what is wrong.
int listen_on(const std::string &host, std::uint16_t port, bool shared, std::string &problem);

// How many descriptors this process has open.
int open_descriptors();

} // namespace relygate::shim
