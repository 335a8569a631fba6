#include "shim/response.hpp"

#include "core/json/envelope.hpp"
#include "shim/units.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <ctime>
#include <memory>
#include <memory_resource>

namespace relygate::shim {

namespace {

constexpr const char *kJson = "application/json; charset=utf-8";

// As helmet sends them; the content policy is stricter, since an API serves no page that loads anything.
constexpr std::array<std::pair<const char *, const char *>, 12> kSecurityHeaders{{
    {"Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"},
    {"Cross-Origin-Opener-Policy", "same-origin"},
    {"Cross-Origin-Resource-Policy", "same-origin"},
    {"Origin-Agent-Cluster", "?1"},
    {"Referrer-Policy", "no-referrer"},
    {"Strict-Transport-Security", "max-age=31536000; includeSubDomains"},
    {"X-Content-Type-Options", "nosniff"},
    {"X-DNS-Prefetch-Control", "off"},
    {"X-Download-Options", "noopen"},
    {"X-Frame-Options", "SAMEORIGIN"},
    {"X-Permitted-Cross-Domain-Policies", "none"},
    {"X-XSS-Protection", "0"},
}};

void add(MHD_Response *response, const char *name, std::string_view value) {
    MHD_add_response_header(response, name, std::string(value).c_str());
}

std::uint32_t read_u32(const char *bytes) {
    std::uint32_t value = 0;
    std::memcpy(&value, bytes, sizeof value);
    return std::endian::native == std::endian::little ? __builtin_bswap32(value) : value;
}

// The pieces of a text[] in PostgreSQL's binary form; nothing where it is not what it should be.
std::vector<std::string> read_text_array(std::string_view bytes) {
    std::vector<std::string> texts;
    if (bytes.size() < 20 || read_u32(bytes.data()) != 1)
        return texts;
    const auto count = read_u32(bytes.data() + 12);
    bytes.remove_prefix(20);
    for (std::uint32_t i = 0; i < count && bytes.size() >= 4; i++) {
        const auto length = read_u32(bytes.data());
        bytes.remove_prefix(4);
        if (length == 0xffffffffU) { // a null element
            texts.emplace_back();
            continue;
        }
        if (length > bytes.size())
            break;
        texts.emplace_back(bytes.substr(0, length));
        bytes.remove_prefix(length);
    }
    return texts;
}

// What concerns one connection is the library's business, whatever a function answers.
bool is_hop_by_hop(std::string_view name) {
    for (const std::string_view taboo :
         {"Connection", "Keep-Alive", "Transfer-Encoding", "Content-Length", "Upgrade", "Date"})
        if (equal_ignoring_case(name, taboo))
            return true;
    return false;
}

} // namespace

core::Refusal refusal_of(Verdict verdict) {
    switch (verdict) {
    case Verdict::timeout:
        return {504, "timeout", "the request took too long"};
    case Verdict::unavailable:
        return kDatabaseAway;
    case Verdict::crowded:
        return kTooBusy;
    default:
        return {500, "internal", "an internal error occurred; quote the request id when you report it"};
    }
}

Responder::Responder(const Config &config) : config_(config) {}

bool Responder::is_allowed_origin(std::string_view origin) const {
    return std::find(config_.allowed_origins.begin(), config_.allowed_origins.end(), origin) !=
           config_.allowed_origins.end();
}

void Responder::common_headers(MHD_Response *response, const AnswerContext &context, unsigned status) const {
    // Only where more than a Content-Type stands is there anything to look for (a walk with each name).
    const int given = MHD_get_response_headers(response, nullptr, nullptr);
    const bool has_others = given > 1 || (given == 1 && !MHD_get_response_header(response, "Content-Type"));
    const auto has = [&](const char *name) { return has_others && MHD_get_response_header(response, name) != nullptr; };
    if (!context.request_id.empty())
        add(response, "X-Request-Id", context.request_id);
    // Also for an origin that is refused, else a cache would hand one's answer to the other.
    MHD_add_response_header(response, "Vary", "Origin");
    if (!context.origin.empty() && is_allowed_origin(context.origin)) {
        add(response, "Access-Control-Allow-Origin", context.origin);
        MHD_add_response_header(response, "Access-Control-Expose-Headers",
                                "X-Request-Id, X-New-Token, Location, ETag, Retry-After, Content-Disposition, "
                                "RateLimit-Limit, RateLimit-Remaining, RateLimit-Reset");
    }
    if (config_.security_headers)
        for (const auto &[name, value] : kSecurityHeaders)
            if (!has(name))
                MHD_add_response_header(response, name, value);
    if (!has("Cache-Control"))
        MHD_add_response_header(response, "Cache-Control", "no-store"); // people's names are not for caches
    if (status == 401 && !has("WWW-Authenticate"))
        MHD_add_response_header(response, "WWW-Authenticate",
                                context.has_token ? R"(Bearer realm="relygate", error="invalid_token")"
                                                  : R"(Bearer realm="relygate")");
    if (context.rate) {
        add(response, "RateLimit-Limit", std::to_string(context.rate->limit));
        add(response, "RateLimit-Remaining", std::to_string(context.rate->remaining));
        add(response, "RateLimit-Reset", std::to_string(context.rate->reset_s));
        if (status == 429)
            add(response, "Retry-After", std::to_string(context.rate->reset_s));
    }
    if ((status == 503 || status == 429) && !has("Retry-After"))
        MHD_add_response_header(response, "Retry-After", "2");
    if (context.close)
        MHD_add_response_header(response, "Connection", "close");
}

MHD_Result Responder::queue(MHD_Connection *connection, const AnswerContext &context, unsigned status,
                            MHD_Response *response) const {
    if (!response)
        return MHD_NO;
    common_headers(response, context, status);
    const auto queued = MHD_queue_response(connection, status, response);
    MHD_destroy_response(response);
    return queued;
}

MHD_Result Responder::text(MHD_Connection *connection, const AnswerContext &context, int status,
                           const char *content_type, std::string_view body, const HeaderList &headers) const {
    auto *response =
        MHD_create_response_from_buffer(body.size(), const_cast<char *>(body.data()), MHD_RESPMEM_MUST_COPY);
    if (!response)
        return MHD_NO;
    if (content_type)
        MHD_add_response_header(response, "Content-Type", content_type);
    for (const auto &[name, value] : headers)
        add(response, std::string(name).c_str(), value);
    return queue(connection, context, static_cast<unsigned>(status), response);
}

std::string Responder::bytes(const AnswerContext &context, const core::Refusal &refusal) const {
    std::pmr::monotonic_buffer_resource memory;
    const core::ErrorEnvelope envelope{
        .message = refusal.message, .code = refusal.code, .errors = {}, .data = {}, .request_id = context.request_id};
    const auto body = core::write_envelope(envelope, memory);
    const std::unique_ptr<MHD_Response, decltype(&MHD_destroy_response)> response(
        MHD_create_response_from_buffer(0, nullptr, MHD_RESPMEM_PERSISTENT), MHD_destroy_response);
    const auto status = static_cast<unsigned>(refusal.status);
    std::string text = "HTTP/1.1 " + std::to_string(status) + ' ' + MHD_get_reason_phrase_for(status) + "\r\n";
    char date[64] = "";
    const std::time_t now = std::time(nullptr);
    tm parts{};
    std::strftime(date, sizeof date, "Date: %a, %d %b %Y %H:%M:%S GMT\r\n", gmtime_r(&now, &parts)); // locale C
    text += date;
    if (response) {
        common_headers(response.get(), context, status);
        MHD_get_response_headers(
            response.get(),
            [](void *cls, MHD_ValueKind, const char *name, const char *value) {
                *static_cast<std::string *>(cls) += std::string(name) + ": " + value + "\r\n";
                return MHD_YES;
            },
            &text);
    }
    text += std::string("Content-Type: ") + kJson + "\r\nContent-Length: " + std::to_string(body.size()) + "\r\n\r\n";
    text += body;
    return text;
}

MHD_Result Responder::refusal(MHD_Connection *connection, const AnswerContext &context, const core::Refusal &refusal,
                              const HeaderList &headers) const {
    std::array<std::byte, 1024> first;
    std::pmr::monotonic_buffer_resource memory(first.data(), first.size());
    const core::ErrorEnvelope envelope{
        .message = refusal.message, .code = refusal.code, .errors = {}, .data = {}, .request_id = context.request_id};
    return text(connection, context, refusal.status, kJson, core::write_envelope(envelope, memory), headers);
}

int row_status(const Question &question) {
    const PGresult *result = question.result.get();
    if (PQntuples(result) != 1 || PQnfields(result) != 4 || PQgetisnull(result, 0, 0) || PQgetlength(result, 0, 0) != 4)
        return 500;
    const auto status = static_cast<int>(read_u32(PQgetvalue(result, 0, 0)));
    return status < 200 || status > 599 ? 500 : status;
}

MHD_Result Responder::row(MHD_Connection *connection, const AnswerContext &context, Question &question,
                          int &status) const {
    PGresult *result = question.result.get();
    status = row_status(question);
    if (PQntuples(result) != 1 || PQnfields(result) != 4)
        return refusal(connection, context, refusal_of(Verdict::failed));
    const auto field = [&](int column) {
        return std::string_view(PQgetvalue(result, 0, column),
                                static_cast<std::size_t>(PQgetlength(result, 0, column)));
    };
    const std::string content_type(field(1));
    const auto headers = PQgetisnull(result, 0, 2) ? std::vector<std::string>() : read_text_array(field(2));
    const auto body = field(3);
    // The row stays where libpq put it until the last byte of its body is sent.
    auto *response = MHD_create_response_from_buffer_with_free_callback_cls(
        body.size(), const_cast<char *>(body.data()), [](void *owned) { PQclear(static_cast<PGresult *>(owned)); },
        result);
    if (!response)
        return MHD_NO;
    (void)question.result.release();
    if (!content_type.empty())
        MHD_add_response_header(response, "Content-Type", content_type.c_str());
    for (std::size_t i = 0; i + 1 < headers.size(); i += 2)
        if (!is_hop_by_hop(headers[i]) && !equal_ignoring_case(headers[i], "X-Request-Id"))
            MHD_add_response_header(response, headers[i].c_str(), headers[i + 1].c_str());
    return queue(connection, context, static_cast<unsigned>(status), response);
}

MHD_Result Responder::preflight(MHD_Connection *connection, const AnswerContext &context, const char *allow) const {
    HeaderList headers{{"Allow", allow}};
    if (is_allowed_origin(context.origin)) {
        headers.emplace_back("Access-Control-Allow-Methods", allow);
        headers.emplace_back("Access-Control-Allow-Headers",
                             "Authorization, Content-Type, Idempotency-Key, If-None-Match, X-Request-Id");
        headers.emplace_back("Access-Control-Max-Age", "600");
    }
    return text(connection, context, 204, nullptr, {}, headers);
}

} // namespace relygate::shim
