#include "shim/proxies.hpp"

#include "shim/units.hpp"

#include <algorithm>
#include <arpa/inet.h>
#include <cstring>
#include <netinet/in.h>

namespace relygate::shim {

namespace {

constexpr Address kMapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff};

bool is_mapped(const Address &address) {
    return std::equal(kMapped.begin(), kMapped.begin() + 12, address.begin());
}

// Some balancers append the client's port: 192.0.2.1:4711, [2001:db8::1]:4711.
std::string_view without_port(std::string_view text) {
    const auto end = text.starts_with('[') ? text.find(']') : text.find(':');
    if (end == std::string_view::npos)
        return text;
    const auto is_port = [](std::string_view port) {
        const auto number = port.starts_with(':') ? parse_count(port.substr(1)) : std::nullopt;
        return number && *number <= 65535;
    };
    if (text.starts_with('[')) {
        const auto rest = text.substr(end + 1);
        return rest.empty() || is_port(rest) ? text.substr(1, end - 1) : std::string_view();
    }
    return text.find(':', end + 1) == std::string_view::npos && is_port(text.substr(end)) ? text.substr(0, end) : text;
}

} // namespace

std::optional<Address> parse_address(std::string_view text) {
    char copy[INET6_ADDRSTRLEN] = "";
    if (text.empty() || text.size() >= sizeof copy)
        return std::nullopt;
    std::memcpy(copy, text.data(), text.size());
    if (std::memchr(copy, '\0', text.size()))
        return std::nullopt;
    Address address = kMapped;
    if (inet_pton(AF_INET, copy, address.data() + 12) == 1 || inet_pton(AF_INET6, copy, address.data()) == 1)
        return address;
    return std::nullopt;
}

std::string print_address(const Address &address) {
    char text[INET6_ADDRSTRLEN] = "";
    if (is_mapped(address))
        inet_ntop(AF_INET, address.data() + 12, text, sizeof text);
    else
        inet_ntop(AF_INET6, address.data(), text, sizeof text);
    return text;
}

bool Network::contains(const Address &other) const {
    for (unsigned bit = 0; bit < bits; bit += 8) {
        const auto mask = static_cast<std::uint8_t>(bits - bit >= 8 ? 0xff : 0xff << (8 - (bits - bit)));
        if ((address[bit / 8] ^ other[bit / 8]) & mask)
            return false;
    }
    return true;
}

std::optional<Network> parse_network(std::string_view text) {
    const auto slash = text.find('/');
    const auto address = parse_address(text.substr(0, slash));
    if (!address)
        return std::nullopt;
    const bool is_v4 = text.find(':') == std::string_view::npos;
    Network network{*address, 128};
    if (slash != std::string_view::npos) {
        const auto bits = parse_count(text.substr(slash + 1));
        if (!bits || *bits > (is_v4 ? 32 : 128))
            return std::nullopt;
        network.bits = static_cast<unsigned>(*bits) + (is_v4 ? 96 : 0);
    }
    // 10.1.2.3/8 is a slip of the pen: did it mean the host or the network?
    for (unsigned bit = network.bits; bit < 128; bit++)
        if (network.address[bit / 8] & (0x80 >> (bit % 8)))
            return std::nullopt;
    return network;
}

bool is_trusted(std::span<const Network> proxies, const Address &address) {
    return std::any_of(proxies.begin(), proxies.end(), [&](const Network &each) { return each.contains(address); });
}

std::optional<Address> client_behind(std::span<const Network> proxies, const Address &peer,
                                     std::span<const HeaderField> fields) {
    auto client = peer;
    if (!is_trusted(proxies, peer))
        return client;
    for (auto field = fields.rbegin(); field != fields.rend(); ++field) {
        if (!equal_ignoring_case(field->name, "X-Forwarded-For"))
            continue;
        auto rest = field->value;
        while (true) {
            const auto comma = rest.rfind(',');
            const auto address = parse_address(without_port(trim(rest.substr(comma + 1)))); // npos + 1 is 0
            if (!address)
                return std::nullopt;
            client = *address;
            if (!is_trusted(proxies, client))
                return client;
            if (comma == std::string_view::npos)
                break;
            rest = rest.substr(0, comma);
        }
    }
    return client;
}

} // namespace relygate::shim
