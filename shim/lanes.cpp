#include "shim/lanes.hpp"

#include <algorithm>

namespace relygate::shim {

std::array<LaneSize, 3> lane_sizes(const Config &config) {
    const auto of_worker = static_cast<std::size_t>(std::max(3, (config.pool_max - 1) / config.workers));
    const std::size_t deep = of_worker >= 8 ? 2 : 1;
    const std::size_t write = std::min<std::size_t>(of_worker - 2 * deep, 32);
    const auto kept = [&](std::size_t size, std::size_t least) {
        const auto share = size * static_cast<std::size_t>(config.pool_min) / static_cast<std::size_t>(config.pool_max);
        return std::clamp(share, least, size);
    };
    return {LaneSize{deep, 32, kept(deep, 1)}, LaneSize{write, 2, kept(write, 1)}, LaneSize{deep, 1, kept(deep, 0)}};
}

Lanes::Lanes(const Config &config, int epoll, Asker &asker, WorkerMetrics &metrics, Log &log)
    : read_options_(config, "relygate-shim", std::min(config.read_timeout_ms, config.request_timeout_ms)),
      options_(config, "relygate-shim", config.request_timeout_ms) {
    const auto sizes = lane_sizes(config);
    for (std::size_t i = 0; i < lanes_.size(); i++)
        lanes_[i] = std::make_unique<Lane>(sizes[i], config, epoll, asker, metrics, static_cast<LaneKind>(i), log);
}

void Lanes::connect_to(const DatabaseAddress &address) {
    read_options_.set_address(address);
    options_.set_address(address);
    for (std::size_t i = 0; i < lanes_.size(); i++) {
        lanes_[i]->connect_with(static_cast<LaneKind>(i) == LaneKind::read ? read_options_ : options_);
        lanes_[i]->encourage();
    }
}

void Lanes::renew() {
    for (const auto &lane : lanes_)
        lane->renew();
}

void Lanes::tick(std::int64_t now_ms) {
    for (const auto &lane : lanes_)
        lane->tick(now_ms);
}

void Lanes::send_added() {
    for (const auto &lane : lanes_)
        lane->send_added();
}

void Lanes::abandon() {
    for (const auto &lane : lanes_)
        lane->abandon();
}

bool Lanes::is_ready() const {
    return lanes_[0]->is_ready() && lanes_[1]->is_ready();
}

bool Lanes::is_quiet() const {
    return std::all_of(lanes_.begin(), lanes_.end(), [](const auto &lane) { return lane->is_quiet(); });
}

bool Lanes::has_timers() const {
    return std::any_of(lanes_.begin(), lanes_.end(), [](const auto &lane) { return lane->has_timers(); });
}

} // namespace relygate::shim
