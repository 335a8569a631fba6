#include "shim/http_rules.hpp"

#include "shim/units.hpp"

#include <algorithm>
#include <array>

namespace relygate::shim {

namespace {

bool is_token(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') ||
               std::string_view("!#$%&'*+-.^_`|~").find(static_cast<char>(c)) != std::string_view::npos;
    });
}

// RFC 9110, 5.5: visible characters, blanks, tabs and obs-text; no CR, LF or NUL.
bool is_field_value(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return (c >= 0x20 && c != 0x7f) || c == '\t'; });
}

bool is_visible_ascii(std::string_view text) {
    return std::all_of(text.begin(), text.end(), [](unsigned char c) { return c > 0x20 && c < 0x7f; });
}

bool is_host(std::string_view text) {
    return !text.empty() && text.size() <= 260 && is_visible_ascii(text) &&
           text.find_first_of("/?#@,\\\"<>") == std::string_view::npos;
}

int hex(char c) {
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

core::Refusal malformed(const char *code, const char *message) {
    return {400, code, message};
}

// Counts of the fields that must stand at most once, since readers disagree on which of two counts.
struct Counts {
    int host = 0, content_length = 0, transfer_encoding = 0, authorization = 0, content_type = 0, idempotency_key = 0;
};

const char *twice(const Counts &counts) {
    if (counts.content_length > 1)
        return "Content-Length stands more than once";
    if (counts.transfer_encoding > 1)
        return "Transfer-Encoding stands more than once";
    if (counts.content_length && counts.transfer_encoding)
        return "Content-Length and Transfer-Encoding exclude each other";
    if (counts.host > 1)
        return "Host stands more than once";
    if (counts.authorization > 1)
        return "Authorization stands more than once";
    if (counts.content_type > 1)
        return "Content-Type stands more than once";
    if (counts.idempotency_key > 1)
        return "Idempotency-Key stands more than once";
    return nullptr;
}

} // namespace

bool is_known_method(std::string_view method) {
    static constexpr std::array<std::string_view, 7> methods{"GET",   "HEAD",   "POST",   "PUT",
                                                             "PATCH", "DELETE", "OPTIONS"};
    return std::find(methods.begin(), methods.end(), method) != methods.end();
}

std::size_t count_arguments(std::string_view target) {
    const auto query = target.find('?');
    if (query == std::string_view::npos)
        return 0;
    return 1 +
           static_cast<std::size_t>(std::count(target.begin() + static_cast<std::ptrdiff_t>(query), target.end(), '&'));
}

std::size_t memory_taken(const RawHead &head, std::size_t size) {
    constexpr std::size_t entry = 64; // seven words, aligned
    std::size_t entries = head.fields.size() + count_arguments(head.target), copied = 0;
    for (const auto &[name, value] : head.fields)
        if (equal_ignoring_case(name, "Cookie")) {
            copied += value.size() + 1;
            entries += 1 + static_cast<std::size_t>(std::count(value.begin(), value.end(), ';'));
        }
    return size + copied + entries * entry;
}

bool is_whole(const RawHead &head) {
    // Nothing but a blank stands on either side of the target; one that was cut at a NUL is shorter than its place.
    if (head.version.data() - head.method.data() !=
        static_cast<std::ptrdiff_t>(head.method.size() + head.target.size() + 2))
        return false;
    const char *line = head.version.data() + head.version.size() + 2;
    for (const auto &[name, value] : head.fields) {
        if (name.data() != line)
            return false;
        // Between name and value: the colon's NUL, then blanks and tabs that were skipped.
        const char *gap = name.data() + name.size();
        if (value.data() <= gap || *gap != '\0')
            return false;
        while (++gap < value.data())
            if (*gap != ' ' && *gap != '\t')
                return false;
        line = value.data() + value.size() + 2;
    }
    return line + 2 == head.method.data() + head.size_in_place; // the empty line
}

HeadCheck check_head(const RawHead &head) {
    HeadCheck check;
    auto &facts = check.facts;
    Counts counts;
    std::string_view host, transfer_encoding, content_length;
    bool is_clean = head.size_in_place == 0 || is_whole(head);
    for (const auto &[name, value] : head.fields) {
        is_clean = is_clean && is_token(name) && is_field_value(value);
        const auto is = [&, name = name](std::string_view wanted) { return equal_ignoring_case(name, wanted); };
        const auto take = [&, value = value](std::string_view &into, int &count) {
            into = trim(value);
            count++;
        };
        int once = 0;
        switch (name.size()) { // the length tells nearly all names apart before any letter is compared
        case 4:
            if (is("Host"))
                take(host, counts.host);
            break;
        case 6:
            if (is("Origin"))
                take(facts.origin, once);
            else if (is("Expect"))
                facts.expects_continue = true;
            break;
        case 12:
            if (is("Content-Type"))
                take(facts.content_type, counts.content_type);
            else if (is("X-Request-Id"))
                take(facts.request_id, once);
            break;
        case 13:
            if (is("Authorization"))
                take(facts.authorization, counts.authorization);
            else if (is("If-None-Match"))
                take(facts.if_none_match, once);
            break;
        case 14:
            if (is("Content-Length"))
                take(content_length, counts.content_length);
            break;
        case 15:
            if (is("Idempotency-Key")) {
                take(facts.idempotency_key, counts.idempotency_key);
                if (facts.idempotency_key.empty())
                    facts.idempotency_key = value.substr(0, 0); // there and refused, not absent
            }
            break;
        case 16:
            if (is("Content-Encoding"))
                take(facts.content_encoding, once);
            break;
        case 17:
            if (is("Transfer-Encoding"))
                take(transfer_encoding, counts.transfer_encoding);
            break;
        case 29:
            if (is("Access-Control-Request-Method"))
                take(facts.request_method, once);
            break;
        default:
            break;
        }
    }
    if (!is_request_id(facts.request_id))
        facts.request_id = {};
    if (head.version != "HTTP/1.1" && head.version != "HTTP/1.0") {
        check.refusal = core::Refusal{505, "http_version", "only HTTP/1.1 and HTTP/1.0 are spoken here"};
        return check;
    }
    if (!is_clean) {
        check.refusal = malformed("bad_header", "a header line is malformed");
        return check;
    }
    if (const char *message = twice(counts)) {
        check.refusal = malformed("bad_header", message);
        return check;
    }
    if (counts.host ? !is_host(host) : head.version == "HTTP/1.1") {
        check.refusal = malformed("bad_host", counts.host ? "Host is malformed" : "Host is missing");
        return check;
    }
    if (counts.transfer_encoding) {
        // HTTP/1.0 knows no codings: a reader of that age would see another message (RFC 9112, 6.1).
        if (!equal_ignoring_case(transfer_encoding, "chunked") || head.version == "HTTP/1.0") {
            check.refusal = malformed("bad_transfer_encoding", "no Transfer-Encoding but chunked is understood");
            return check;
        }
        facts.is_chunked = true;
    }
    if (counts.content_length) {
        facts.content_length = parse_count(content_length);
        if (!facts.content_length) {
            check.refusal = malformed("bad_content_length", "Content-Length is not a number");
            return check;
        }
    }
    if (!is_visible_ascii(head.target) || head.target.find('#') != std::string_view::npos)
        check.refusal = malformed("bad_target", "the request target is malformed");
    return check;
}

std::optional<core::Refusal> check_path(std::string_view path) {
    if (path.empty() || path.front() != '/')
        return malformed("bad_target", "the request target must begin with /");
    for (std::size_t i = 0; i < path.size(); i++) {
        if (path[i] != '%')
            continue;
        if (i + 2 >= path.size() || hex(path[i + 1]) < 0 || hex(path[i + 2]) < 0)
            return malformed("bad_target", "the path holds a broken percent escape");
        if (path[i + 1] == '0' && path[i + 2] == '0')
            return malformed("bad_target", "the path holds a NUL");
        i += 2;
    }
    return std::nullopt;
}

std::optional<core::Refusal> check_body_type(const HeadFacts &facts) {
    if (facts.content_encoding.data() && !equal_ignoring_case(facts.content_encoding, "identity"))
        return core::Refusal{415, "content_encoding", "compressed bodies are not taken"};
    auto rest = facts.content_type;
    const auto semicolon = std::min(rest.find(';'), rest.size());
    if (!equal_ignoring_case(trim(rest.substr(0, semicolon)), "application/json"))
        return core::Refusal{415, "content_type", "the body must be application/json"};
    rest.remove_prefix(semicolon);
    while (!rest.empty()) {
        rest.remove_prefix(1);
        const auto end = std::min(rest.find(';'), rest.size());
        const auto parameter = trim(rest.substr(0, end));
        rest.remove_prefix(end);
        const auto equals = parameter.find('=');
        if (equals == std::string_view::npos || !equal_ignoring_case(parameter.substr(0, equals), "charset"))
            continue;
        auto charset = parameter.substr(equals + 1);
        if (charset.size() >= 2 && charset.front() == '"' && charset.back() == '"')
            charset = charset.substr(1, charset.size() - 2);
        if (!equal_ignoring_case(charset, "utf-8")) // RFC 8259, 8.1
            return core::Refusal{415, "charset", "JSON is UTF-8; another charset is not taken"};
    }
    return std::nullopt;
}

bool is_request_id(std::string_view text) {
    return !text.empty() && text.size() <= 100 && std::all_of(text.begin(), text.end(), [](unsigned char c) {
        return (c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || c == '-' || c == '_' ||
               c == '.';
    });
}

} // namespace relygate::shim
