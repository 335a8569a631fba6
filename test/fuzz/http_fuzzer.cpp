// The HTTP rules. The input is a head as lines: method, target, version, then a header each. A head that passes has one
// Host at most, one length at most, and no character that another reader could take for a line end.
#include "fuzzing.hpp"

#include "shim/http_rules.hpp"
#include "shim/proxies.hpp"
#include "shim/token.hpp"
#include "shim/units.hpp"

#include <vector>

using namespace relygate;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t *data, std::size_t size) {
    const auto text = fuzz::text_of(data, size);
    auto rest = text;
    shim::RawHead head;
    head.method = fuzz::next_line(rest);
    head.target = fuzz::next_line(rest);
    head.version = fuzz::next_line(rest);
    std::vector<shim::HeaderField> fields;
    while (!rest.empty()) {
        const auto line = fuzz::next_line(rest);
        const auto colon = line.find(':');
        fields.push_back({line.substr(0, colon),
                          colon == std::string_view::npos ? line.substr(line.size()) : line.substr(colon + 1)});
    }
    head.fields = fields;
    const auto check = shim::check_head(head);
    if (!check.refusal) {
        int hosts = 0, lengths = 0;
        for (const auto &[name, value] : fields) {
            hosts += shim::equal_ignoring_case(name, "Host") ? 1 : 0;
            lengths += shim::equal_ignoring_case(name, "Content-Length") ||
                               shim::equal_ignoring_case(name, "Transfer-Encoding")
                           ? 1
                           : 0;
            fuzz::require(value.find_first_of(std::string_view("\r\n\0", 3)) == std::string_view::npos,
                          "no line end in a value");
            fuzz::require(!name.empty() && name.find_first_of(" \t\r") == std::string_view::npos, "names are tokens");
        }
        fuzz::require(lengths <= 1 && hosts <= 1 && (hosts == 1 || head.version == "HTTP/1.0"),
                      "no field is ambiguous");
        fuzz::require(check.facts.content_length.value_or(0) >= 0, "a length is a length");
    }
    fuzz::require(check.facts.request_id.empty() || shim::is_request_id(check.facts.request_id), "a bad id is dropped");
    (void)shim::check_path(head.target);
    (void)shim::check_body_type(check.facts);
    (void)shim::bearer_token(check.facts.authorization);
    fuzz::require(shim::memory_taken(head, size) >= size, "memory is not less than the head");

    static const std::vector<shim::Network> proxies{*shim::parse_network("10.0.0.0/8")};
    const auto peer = *shim::parse_address("10.0.0.1");
    if (const auto client = shim::client_behind(proxies, peer, fields))
        fuzz::require(shim::parse_address(shim::print_address(*client)) == client, "an address prints as itself");
    if (const auto network = shim::parse_network(head.target))
        fuzz::require(network->bits <= 128 && network->contains(network->address), "a network holds its own address");
    (void)shim::parse_duration_ms(head.target, 1);
    (void)shim::parse_size(head.target);
    (void)shim::parse_list(text);
    return 0;
}
