// Who the client is where proxies stand in between. X-Forwarded-For is anybody's to write: it is read from the right,
// as long as the address that wrote a part belongs to a proxy that the operator named; what stands further left is
// never believed. Without a list of proxies the header is ignored.
#pragma once

#include "shim/http_rules.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace relygate::shim {

// IPv6, or IPv4 mapped into it (RFC 4291, 2.5.5.2), so that one comparison serves both.
using Address = std::array<std::uint8_t, 16>;

// An address without port or zone; nothing where it is none.
std::optional<Address> parse_address(std::string_view text);
std::string print_address(const Address &address);

struct Network {
    Address address{};
    unsigned bits = 128;
    [[nodiscard]] bool contains(const Address &other) const;
};

// 10.0.0.0/8, fd00::/8, 192.0.2.1; nothing where it is malformed or bits beyond the prefix are set.
std::optional<Network> parse_network(std::string_view text);

bool is_trusted(std::span<const Network> proxies, const Address &address);

// The rightmost address of all X-Forwarded-For lines that is no trusted proxy's, or the leftmost if all are. `peer`
// where there is no such line; nothing where a trusted proxy handed on what is no address.
std::optional<Address> client_behind(std::span<const Network> proxies, const Address &peer,
                                     std::span<const HeaderField> fields);

} // namespace relygate::shim
