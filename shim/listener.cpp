#include "shim/listener.hpp"

#include <cerrno>
#include <cstring>
#include <dirent.h>
#include <memory>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

namespace relygate::shim {

int listen_on(const std::string &host, std::uint16_t port, bool shared, std::string &problem) {
    addrinfo hints{};
    hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
    hints.ai_socktype = SOCK_STREAM;
    addrinfo *list = nullptr;
    const auto where = host + " port " + std::to_string(port);
    if (const int error = getaddrinfo(host.c_str(), std::to_string(port).c_str(), &hints, &list)) {
        problem = where + ": " + gai_strerror(error);
        return -1;
    }
    const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> guard(list, freeaddrinfo);
    const int descriptor = socket(list->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    const int on = 1;
    // Without REUSEADDR a restart would wait for connections of the last run to time out. REUSEPORT is for our own
    // threads; the kernel gives a port to other users' processes never.
    if (descriptor < 0 || setsockopt(descriptor, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on) != 0 ||
        (shared && setsockopt(descriptor, SOL_SOCKET, SO_REUSEPORT, &on, sizeof on) != 0) ||
        bind(descriptor, list->ai_addr, list->ai_addrlen) != 0 || listen(descriptor, 1024) != 0) {
        problem = where + ": " + std::strerror(errno);
        if (descriptor >= 0)
            close(descriptor);
        return -1;
    }
    setsockopt(descriptor, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
    return descriptor;
}

int open_descriptors() {
    DIR *folder = opendir("/proc/self/fd");
    if (!folder)
        return 0;
    int count = -3; // ".", ".." and the one that reads
    while (readdir(folder))
        count++;
    closedir(folder);
    return count;
}

} // namespace relygate::shim
