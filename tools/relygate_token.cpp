// relygate-token: tells an operator what the shim would say of a token, by the same code. Tokens come on standard
// input, one a line, and each gets one line of output, so that the n-th answer belongs to the n-th token. What comes
// from a token is escaped before it is printed: it must not move a cursor or forge a line.
#include "core/json/reader.hpp"
#include "core/json/values.hpp"
#include "core/json/writer.hpp"
#include "core/token/claims.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <fstream>
#include <iostream>
#include <iterator>
#include <memory_resource>
#include <optional>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utf8proc.h>

namespace {

using namespace relygate::core;

constexpr int kAllValid = 0, kSomeInvalid = 1, kCannotTell = 2;
constexpr std::size_t kMostKeyBytes = 1 << 20;

constexpr std::string_view kUsage = "usage: relygate-token verify --keys FILE [--issuer TEXT] [--audience TEXT]\n"
                                    "                             [--leeway SECONDS] [--signature-only]\n"
                                    "       relygate-token --help | --version\n";
constexpr std::string_view kHelp = R"(
Reads tokens (compact JWS) from standard input, one a line, and prints for each one line:
  valid CLAIMS
  invalid REASON: MESSAGE CLAIMS
REASON is size, format, header, algorithm, key, signature, type, claims, issuer, audience, expired or
not_yet_valid. Claims of an invalid token prove nothing; they are left out where they cannot be read.

  --keys FILE        a JWK or a JWK Set (RFC 7517). A key without alg is good for what its kind allows;
                     keys that are too weak are told on standard error and never used
  --issuer TEXT      iss must be this
  --audience TEXT    aud must be this or have it in its list
  --leeway SECONDS   how far clocks may differ: 0 (the default) to 86400
  --signature-only   the claims may be anything, even no JSON; the other checks of claims are left out

exit status: 0 all tokens are valid, 1 some are not, 2 wrong use, no usable key or no token at all
)";

struct Options {
    std::string keys;
    std::string issuer;
    std::string audience;
    std::int64_t leeway_seconds = 0;
    bool signature_only = false;
};

int complain(std::string_view what, std::string_view more = "") {
    std::cerr << "relygate-token: " << what << more << '\n';
    return kCannotTell;
}

int complain_of_use(std::string_view what, std::string_view more = "") {
    complain(what, more);
    std::cerr << kUsage;
    return kCannotTell;
}

// Escapes what a terminal would act on: control and format characters (among them those that turn text around), bad
// UTF-8. Within JSON text they stand in strings only, so it stays the same JSON.
std::string printable(std::string_view text) {
    std::string out;
    while (!text.empty()) {
        utf8proc_int32_t character = 0;
        const auto size = utf8proc_iterate(reinterpret_cast<const utf8proc_uint8_t *>(text.data()),
                                           static_cast<utf8proc_ssize_t>(text.size()), &character);
        if (size <= 0) {
            out += "\xEF\xBF\xBD";
            text.remove_prefix(1);
            continue;
        }
        const auto category = utf8proc_category(character);
        const bool is_plain = category != UTF8PROC_CATEGORY_CC && category != UTF8PROC_CATEGORY_CF &&
                              category != UTF8PROC_CATEGORY_CN && category != UTF8PROC_CATEGORY_ZL &&
                              category != UTF8PROC_CATEGORY_ZP && category != UTF8PROC_CATEGORY_CO;
        if (is_plain) {
            out.append(text.substr(0, static_cast<std::size_t>(size)));
        } else {
            char escape[16];
            if (character < 0x10000)
                std::snprintf(escape, sizeof escape, "\\u%04x", static_cast<unsigned>(character));
            else
                std::snprintf(escape, sizeof escape, "\\u%04x\\u%04x",
                              0xD800 + (static_cast<unsigned>(character - 0x10000) >> 10),
                              0xDC00 + (static_cast<unsigned>(character - 0x10000) & 0x3FF));
            out += escape;
        }
        text.remove_prefix(static_cast<std::size_t>(size));
    }
    return out;
}

void write(JsonWriter &json, const JsonValue &value) {
    switch (value.kind) {
    case JsonValue::Kind::null:
        return json.null();
    case JsonValue::Kind::boolean:
        return json.boolean(value.truth);
    case JsonValue::Kind::number:
        return json.raw(value.text);
    case JsonValue::Kind::string:
        return json.string(value.text);
    case JsonValue::Kind::array:
        json.begin_array();
        for (const JsonValue &item : value.items())
            write(json, item);
        return json.end_array();
    case JsonValue::Kind::object:
        json.begin_object();
        for (const JsonMember &member : value.members()) {
            json.name(member.name);
            write(json, member.value);
        }
        return json.end_object();
    }
}

// On one line; what is no JSON comes as a text in quotes.
std::string claims_line(std::string_view payload, Memory memory) {
    const JsonReading reading = read_json(payload, memory);
    JsonWriter json(memory);
    if (reading.is_good())
        write(json, reading.value);
    else
        json.string(payload);
    return printable(json.view());
}

std::int64_t now() {
    using namespace std::chrono;
    return duration_cast<seconds>(system_clock::now().time_since_epoch()).count();
}

// Prints the line of one token; true if it is valid.
bool report(std::string_view token, const KeySet &keys, const Options &options) {
    std::pmr::monotonic_buffer_resource memory;
    const auto signed_token = verify_signature(token, keys, memory);
    std::optional<Refusal> refusal;
    if (!signed_token) {
        refusal = signed_token.refusal();
    } else if (!options.signature_only) {
        const ClaimsPolicy policy{
            .issuer = options.issuer, .audience = options.audience, .leeway_seconds = options.leeway_seconds};
        if (const auto claims = check_claims(signed_token.value(), policy, now(), memory); !claims)
            refusal = claims.refusal();
    }
    if (!refusal) {
        std::cout << "valid " << claims_line(signed_token.value().payload, memory) << std::endl;
        return true;
    }
    std::cout << "invalid " << refusal->code << ": " << refusal->message;
    if (std::string_view detail = refusal->detail; !detail.empty()) {
        if (detail.ends_with('.'))
            detail.remove_suffix(1);
        std::cout << " (" << printable(detail) << ')';
    }
    if (const std::string_view payload = unverified_payload(token, memory); !payload.empty())
        std::cout << ' ' << claims_line(payload, memory);
    std::cout << std::endl;
    return false;
}

int verify_all(const Options &options) {
    std::ifstream file(options.keys, std::ios::binary);
    std::string text(kMostKeyBytes + 1, '\0');
    file.read(text.data(), static_cast<std::streamsize>(text.size()));
    if (!file.is_open() || file.bad() || (file.fail() && !file.eof()))
        return complain("cannot read the keys: ", options.keys);
    text.resize(static_cast<std::size_t>(file.gcount()));
    if (text.size() > kMostKeyBytes)
        return complain("more than 1 MiB of keys: ", options.keys);

    KeySet keys;
    std::vector<std::string> troubles;
    const auto added = keys.add_jwks(text, troubles);
    for (const std::string &trouble : troubles)
        complain(options.keys + ": ", printable(trouble));
    if (!added && troubles.empty()) {
        const Refusal &refusal = added.refusal();
        return complain(options.keys + ": " + refusal.message + ": ", printable(refusal.detail));
    }
    if (keys.size() == 0)
        return complain("no usable key in ", options.keys);

    if (isatty(STDIN_FILENO))
        std::cerr << "relygate-token: type tokens, one a line; Ctrl-D ends\n";
    std::size_t count = 0, valid = 0;
    for (std::string line; std::getline(std::cin, line); ++count) {
        if (line.ends_with('\r'))
            line.pop_back();
        valid += report(line, keys, options);
    }
    if (!std::cout)
        return complain("cannot write the answers");
    if (count == 0)
        return complain("no token on standard input");
    return valid == count ? kAllValid : kSomeInvalid;
}

// Reads the options behind `verify`; 0, or the exit status.
int read_options(int count, char **arguments, Options &options) {
    for (int i = 0; i < count; ++i) {
        const std::string_view argument = arguments[i];
        const std::size_t equals = argument.find('=');
        const std::string_view name = argument.substr(0, equals);
        if (name == "--signature-only" && equals == std::string_view::npos) {
            options.signature_only = true;
            continue;
        }
        if (name != "--keys" && name != "--issuer" && name != "--audience" && name != "--leeway")
            return complain_of_use("unknown argument: ", printable(argument));
        std::string value;
        if (equals != std::string_view::npos)
            value = argument.substr(equals + 1);
        else if (i + 1 < count)
            value = arguments[++i];
        if (value.empty()) // an empty issuer would mean any: not what who writes it wants
            return complain_of_use("a value is missing after ", name);
        if (name == "--keys") {
            options.keys = value;
        } else if (name == "--issuer") {
            options.issuer = value;
        } else if (name == "--audience") {
            options.audience = value;
        } else {
            const auto seconds = parse_integer(value, 0, 86400);
            if (!seconds)
                return complain_of_use("--leeway is a number of seconds from 0 to 86400, not ", printable(value));
            options.leeway_seconds = seconds.value();
        }
    }
    if (options.keys.empty())
        return complain_of_use("--keys is missing");
    return 0;
}

} // namespace

int main(int count, char **arguments) {
    const std::string_view command = count > 1 ? arguments[1] : "";
    for (int i = 1; i < count; ++i) {
        if (std::string_view(arguments[i]) == "--help" || std::string_view(arguments[i]) == "-h") {
            std::cout << kUsage << kHelp;
            return 0;
        }
    }
    if (command == "--version") {
        std::cout << "relygate-token " RELYGATE_VERSION "\n";
        return 0;
    }
    if (command != "verify")
        return complain_of_use(command.empty() ? "a command is missing" : "unknown command: ", printable(command));
    std::ios::sync_with_stdio(false);
    Options options;
    if (const int status = read_options(count - 2, arguments + 2, options))
        return status;
    return verify_all(options);
}
