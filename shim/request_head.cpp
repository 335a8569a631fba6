// What is decided about a request when its head has arrived.
#include "shim/health.hpp"
#include "shim/request.hpp"
#include "shim/units.hpp"
#include "shim/worker.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <vector>

namespace relygate::shim {

namespace {

// time() may lag behind the clock by a tick, and a token of this second would be none yet.
std::int64_t wall_clock_s() {
    timespec now{};
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec;
}

// The layout of 0.9.75's buffer is known from its source; later versions refuse by themselves what it gives away.
bool is_layout_known() {
    static const bool is_known = std::strcmp(MHD_get_version(), "0.9.75") == 0;
    return is_known;
}

std::size_t head_size(MHD_Connection *connection) {
    const auto *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_REQUEST_HEADER_SIZE);
    return info ? info->header_size : 0;
}

std::string_view known_method(std::string_view method) {
    static constexpr std::array<std::string_view, 7> methods{"GET",   "HEAD",   "POST",   "PUT",
                                                             "PATCH", "DELETE", "OPTIONS"};
    const auto found = std::find(methods.begin(), methods.end(), method);
    return found == methods.end() ? std::string_view("other") : *found;
}

} // namespace

MHD_Result Request::head(MHD_Connection *connection, std::string_view method, std::string_view version) {
    method_ = known_method(method);
    is_head_ = method_ == "HEAD";

    std::vector<HeaderField> fields;
    fields.reserve(16);
    MHD_get_connection_values_n(
        connection, MHD_HEADER_KIND,
        [](void *cls, MHD_ValueKind, const char *name, std::size_t name_size, const char *value,
           std::size_t value_size) {
            static_cast<std::vector<HeaderField> *>(cls)->push_back(
                {{name, name_size}, {value ? value : "", value ? value_size : 0}});
            return MHD_YES;
        },
        &fields);
    const auto size = head_size(connection);
    const RawHead raw{method, raw_target_, version, fields, is_layout_known() ? size : 0};
    const auto check = check_head(raw);
    request_id_ = check.facts.request_id.empty() ? worker_.new_request_id() : std::string(check.facts.request_id);
    origin_ = check.facts.origin;
    judge(method, raw, check);
    if (client_ && client_->proxy && !check.refusal)
        find_client(raw);
    // What is done must be answered; a refusal can be written past the library.
    const bool is_too_large = !refusal_ && route_ && memory_taken(raw, size) + kAnswerRoom > Worker::kConnectionMemory;
    if (is_too_large)
        refuse(kHeadTooLarge);
    if (worker_.is_stopping())
        close_ = true;
    has_body_ = check.facts.has_body();
    // The library takes LF where the framing of chunks asks for CR LF, and what it read is gone before we are called:
    // where such a body ends is no place to trust, so nothing behind it is read as a request.
    if (check.facts.is_chunked)
        close_ = true;
    if (check.refusal || is_too_large) {
        // What follows on this connection cannot be trusted to begin where the client thinks it does.
        close_ = true;
        return answer_now(connection);
    }
    if (!has_body_) {
        phase_ = Phase::reading; // an answer in this very call would end the connection
        return MHD_YES;
    }
    if (refusal_ || own_answer_ || is_preflight_) {
        const bool is_small = check.facts.content_length && *check.facts.content_length <= kSmallBody;
        if (!is_small || check.facts.expects_continue || (refusal_ && refusal_->status == 413)) {
            close_ = true; // the answer instead of "100 Continue": no byte of the body is asked for
            return answer_now(connection);
        }
        phase_ = Phase::discarding;
    } else {
        phase_ = Phase::reading;
    }
    if (client_)
        client_->deadline_ms = worker_.now_ms() + worker_.config().request_timeout_ms;
    return MHD_YES;
}

// The order is api.md's: syntax, route, method, token, size, type.
void Request::judge(std::string_view method, const RawHead &raw, const HeadCheck &check) {
    if (check.refusal)
        return refuse(*check.refusal);
    if (!is_known_method(method))
        return refuse({501, "method_unknown", "the method is not implemented"});
    if (method_ == "OPTIONS" && raw.target == "*") {
        allow_ = "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS";
        is_preflight_ = true;
        return;
    }
    if (const auto refusal = check_path(target_.path))
        return refuse(*refusal);
    if (own_route(method))
        return;
    if (worker_.is_stopping())
        return refuse(kStopping);
    catalogue_ = worker_.catalogue();
    if (!catalogue_)
        return refuse(kDatabaseAway);
    const auto match = catalogue_->routes->match(method == "OPTIONS" ? "*" : method, target_.path);
    if (match.kind == core::RouteMatch::Kind::no_such_path)
        return refuse({404, "route_unknown", "there is no such route"});
    if (match.kind == core::RouteMatch::Kind::no_such_method) {
        allow_ = std::string(match.allow) + ", OPTIONS";
        if (method_ == "OPTIONS") {
            is_preflight_ = true;
            return;
        }
        return refuse({405, "method_not_allowed", "the route does not have this method"});
    }
    route_ = &catalogue_->routes->at(match.route);
    route_name_ = route_->pattern;
    if (!route_->is_public) {
        authenticate(check.facts);
        if (refusal_)
            return;
    }
    const auto &facts = check.facts;
    body_limit_ = route_->body_limit;
    if (facts.content_length.value_or(0) > body_limit_)
        return refuse({413, "body_too_large", "the body is larger than this route takes"});
    if (facts.has_body() && takes_body())
        if (const auto refusal = check_body_type(facts))
            return refuse(*refusal);
    std::vector<std::string_view> headers;
    for (const auto &[name, value] : {std::pair<std::string_view, std::string_view>{"content-type", facts.content_type},
                                      {"idempotency-key", facts.idempotency_key},
                                      {"if-none-match", facts.if_none_match}})
        if (value.data()) {
            // The database stores UTF-8; a key cut or changed on the way would be another key.
            if (std::any_of(value.begin(), value.end(), [](unsigned char c) { return c >= 0x7f; }))
                return refuse({400, "bad_header", "a header holds characters beyond ASCII"});
            headers.insert(headers.end(), {name, value});
        }
    headers_ = text_array(headers);
}

void Request::find_client(const RawHead &raw) {
    const auto client = client_behind(worker_.config().trusted_proxies, *client_->proxy, raw.fields);
    if (client)
        forwarded_for_ = print_address(*client);
    else if (!refusal_)
        refuse({400, "bad_header", "X-Forwarded-For holds what is no address"});
}

bool Request::own_route(std::string_view method) {
    const auto path = target_.path;
    const bool is_jwks = path == "/.well-known/jwks.json";
    if (!is_jwks && path != "/health" && path != "/ready" && path != "/live")
        return false;
    route_name_ = is_jwks             ? "/.well-known/jwks.json"
                  : path == "/health" ? "/health"
                  : path == "/ready"  ? "/ready"
                                      : "/live";
    if (method == "OPTIONS") {
        allow_ = "GET, HEAD, OPTIONS";
        is_preflight_ = true;
    } else if (method != "GET" && method != "HEAD") {
        allow_ = "GET, HEAD, OPTIONS";
        refuse({405, "method_not_allowed", "the route does not have this method"});
    } else if (is_jwks) {
        if (const auto &catalogue = worker_.catalogue())
            own_answer_ = {200, catalogue->jwks};
        else
            refuse(kDatabaseAway);
    } else {
        auto answer = path == "/live"    ? live_answer()
                      : path == "/ready" ? ready_answer(worker_.is_ready())
                                         : health_answer(worker_.config(), worker_.keeper().state());
        own_answer_ = {answer.status, std::move(answer.body)};
    }
    return true;
}

void Request::authenticate(const HeadFacts &facts) {
    if (!facts.authorization.data()) {
        challenge_ = R"(Bearer realm="relygate")"; // RFC 6750, 3.1: no error word where no token came
        return refuse({401, "token_missing", "a token is needed: Authorization: Bearer <token>"});
    }
    const auto token = bearer_token(facts.authorization);
    TokenVerdict verdict;
    if (token)
        verdict = worker_.tokens().check(*token, wall_clock_s());
    else
        verdict.reason = "format";
    if (verdict.is_unknown_key)
        worker_.keeper().ask_for_keys();
    if (!verdict.identity) {
        challenge_ = std::string(R"(Bearer realm="relygate", error="invalid_token", error_description=")") +
                     verdict.reason + '"';
        core::Refusal refusal{401, "token_invalid", "the token is not valid"};
        return refuse(refusal.with_detail(verdict.reason));
    }
    identity_ = std::move(verdict.identity);
}

} // namespace relygate::shim
