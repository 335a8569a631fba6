// What a worker's epoll set points to.
#pragma once

#include <cstdint>

namespace relygate::shim {

class EventSource {
  public:
    virtual void on_event(std::uint32_t events) = 0;

  protected:
    ~EventSource() = default;
};

} // namespace relygate::shim
