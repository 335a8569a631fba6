#include "shim/request.hpp"

#include "shim/health.hpp"
#include "shim/log.hpp"
#include "shim/units.hpp"
#include "shim/worker.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <ctime>
#include <sys/socket.h>

namespace relygate::shim {

namespace {

constexpr const char *kJson = "application/json; charset=utf-8";
constexpr std::int64_t kSmallBody = 64 << 10; // read past a refusal rather than losing the connection
constexpr std::int64_t kKeepAliveMs = 75'000; // longer than proxies keep theirs, so that they close first

std::int64_t monotonic_us() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000 + now.tv_nsec / 1000;
}

// What is left of a connection's memory must hold the head of any ordinary answer; the library would close in silence.
constexpr std::size_t kAnswerRoom = 2 << 10;
constexpr std::size_t kMostArguments = 50;
constexpr core::Refusal kHeadTooLarge{431, "head_too_large", "the request line and the headers are too long together"};

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

Request::Request(Worker &worker, MHD_Connection *connection, std::string target, std::int64_t now_us)
    : worker_(worker), raw_target_(std::move(target)), target_(core::split_target(raw_target_)), begun_us_(now_us),
      connection_(connection) {
    question_.owner = this;
    const auto *info = MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT);
    client_ = info ? static_cast<Client *>(info->socket_context) : nullptr;
    if (client_)
        client_->request = this;
    // The library would run out of memory over it, and close without a word.
    if (raw_target_.size() + kAnswerRoom > Worker::kConnectionMemory || count_arguments(raw_target_) > kMostArguments)
        answer_past_library({414, "target_too_long", "the path or the query is too long"});
}

Request::~Request() {
    Worker::release(reserved_);
    if (client_)
        client_->request = nullptr;
}

Request &Request::of(Question &question) {
    return *static_cast<Request *>(question.owner);
}

MHD_Result Request::handle(MHD_Connection *connection, const char *method, const char *version, const char *upload,
                           std::size_t *upload_size) {
    switch (phase_) {
    case Phase::head:
        return head(connection, method, version);
    case Phase::reading:
    case Phase::discarding:
        if (*upload_size > 0)
            return body(upload, upload_size);
        return phase_ == Phase::discarding || refusal_ || own_answer_ || is_preflight_ ? answer_now(connection)
                                                                                       : ask(connection);
    case Phase::answered:
        return answer(connection);
    case Phase::over:
        return MHD_NO;
    default:
        return MHD_YES; // the library calls once more than needed now and then
    }
}

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

std::string_view Request::client_address() const {
    if (!forwarded_for_.empty())
        return forwarded_for_;
    return client_ ? std::string_view(client_->address) : std::string_view();
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
        verdict = worker_.tokens().check(*token, std::time(nullptr));
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

MHD_Result Request::body(const char *upload, std::size_t *upload_size) {
    const auto size = static_cast<std::int64_t>(*upload_size);
    *upload_size = 0;
    if (phase_ == Phase::discarding || refusal_ || own_answer_ || is_preflight_) {
        discarded_ += size;
        return discarded_ > kSmallBody + body_limit_ ? MHD_NO
                                                     : MHD_YES; // enough: the connection ends without an answer
    }
    if (static_cast<std::int64_t>(body_.size()) + size > body_limit_) { // chunked: no length said so before
        refuse({413, "body_too_large", "the body is larger than this route takes"});
        close_ = true;
        discarded_ = static_cast<std::int64_t>(body_.size()) + size;
        return MHD_YES;
    }
    reserved_ += size;
    if (!Worker::reserve(size, worker_.config().body_limit))
        refuse(kTooBusy);
    else
        body_.append(upload, static_cast<std::size_t>(size));
    return MHD_YES;
}

// Who has no token and wants to write is a stranger: a login costs the database more than any other request.
bool Request::is_within_limit() {
    question_.without_token = route_->is_public && !route_->read_only;
    auto *limits = worker_.rate_limits();
    if (!question_.without_token || !limits)
        return true;
    const auto address = parse_address(client_address());
    if (!address)
        return true;
    const std::hash<std::string_view> hash;
    const std::uint64_t route = hash(route_->pattern);
    if (worker_.config().rate_limit_failures_only) {
        const std::uint64_t words = (hash(target_.path) * 31 + hash(target_.query)) * 31 + hash(body_);
        same_rate_ = limits->of_request.look(*address, route ^ words, worker_.now_ms());
        if (!same_rate_->is_allowed) {
            rate_ = std::exchange(same_rate_, std::nullopt);
            refuse({429, "rate_limited", "this very attempt failed too often; try again later"});
            return false;
        }
    }
    rate_ = limits->of_route.take(*address, route, worker_.now_ms());
    if (!rate_->is_allowed)
        refuse({429, "rate_limited", "too many failed attempts from this address; try again later"});
    return rate_->is_allowed;
}

MHD_Result Request::ask(MHD_Connection *connection) {
    if (!is_within_limit())
        return answer_now(connection);
    phase_ = Phase::asked;
    if (client_)
        client_->deadline_ms = 0;
    if (identity_) {
        question_.tenant_id = identity_->tenant_id;
        question_.user_id = identity_->user_id;
        question_.session_id = identity_->session_id;
        question_.token_expires_us = identity_->expires_us;
    }
    question_.request_id = request_id_;
    question_.client_address = client_address();
    question_.method = is_head_ ? std::string_view("GET") : method_;
    question_.path = target_.path;
    question_.query = target_.query;
    question_.headers = headers_;
    question_.body = body_;
    question_.has_body = has_body_ && takes_body(); // a GET takes its query alone
    question_.read_only = route_->read_only;
    MHD_suspend_connection(connection);
    worker_.submit(question_, worker_.lane_of(*route_));
    return MHD_YES;
}

void Request::answered() {
    phase_ = Phase::answered;
    MHD_resume_connection(connection_);
    worker_.progressed();
}

MHD_Result Request::answer(MHD_Connection *connection) {
    if (rate_ && worker_.config().rate_limit_failures_only) {
        const int status = question_.verdict == Verdict::answer ? row_status(question_) : 500;
        const bool is_failure = status >= 400 && status < 500; // our own are not the client's
        if (!is_failure)
            worker_.rate_limits()->of_route.give_back(*rate_);
        else if (same_rate_)
            worker_.rate_limits()->of_request.count(*same_rate_);
    }
    if (question_.verdict == Verdict::answer) {
        phase_ = Phase::queued;
        if (client_)
            client_->deadline_ms = worker_.now_ms() + 10 * worker_.config().request_timeout_ms;
        answered_us_ = monotonic_us();
        if (worker_.is_stopping())
            close_ = true;
        return worker_.responder().row(connection, context(), question_, status_);
    }
    if (!refusal_)
        refuse(refusal_of(question_.verdict));
    return answer_now(connection);
}

MHD_Result Request::answer_now(MHD_Connection *connection) {
    phase_ = Phase::queued;
    if (client_)
        client_->deadline_ms = worker_.now_ms() + worker_.config().request_timeout_ms;
    answered_us_ = monotonic_us();
    const auto &responder = worker_.responder();
    if (is_preflight_ && !refusal_) {
        status_ = 204;
        return responder.preflight(connection, context(), allow_.c_str());
    }
    if (own_answer_ && !refusal_) {
        status_ = own_answer_->first;
        const HeaderList headers = route_name_ == "/.well-known/jwks.json"
                                       ? HeaderList{{"Cache-Control", "public, max-age=300"}}
                                       : HeaderList{};
        return responder.text(connection, context(), status_, kJson, own_answer_->second, headers);
    }
    HeaderList headers;
    if (!allow_.empty())
        headers.emplace_back("Allow", allow_);
    if (!challenge_.empty())
        headers.emplace_back("WWW-Authenticate", challenge_);
    if (refusal_->status == 415)
        headers.emplace_back("Accept-Encoding", "identity"); // RFC 9110, 15.5.16
    status_ = refusal_->status;
    return responder.refusal(connection, context(), *refusal_, headers);
}

// Writes to the socket what the library cannot: it has no memory left on this connection. Nothing of another answer can
// be under way, requests are answered one after the other; what the socket does not take at once is lost.
void Request::answer_past_library(const core::Refusal &refusal) {
    phase_ = Phase::over;
    close_ = true;
    if (request_id_.empty())
        request_id_ = worker_.new_request_id();
    status_ = refusal.status;
    answered_us_ = monotonic_us();
    if (!client_)
        return;
    const auto text = worker_.responder().bytes(context(), refusal);
    (void)send(client_->descriptor, text.data(), text.size(), MSG_DONTWAIT | MSG_NOSIGNAL);
    shutdown(client_->descriptor, SHUT_WR);
}

void Request::completed() {
    if (worker_.had_no_room() && phase_ != Phase::over)
        answer_past_library(question_.verdict == Verdict::answer ? refusal_of(Verdict::failed)
                                                                 : refusal_.value_or(kHeadTooLarge));
    if (client_)
        client_->deadline_ms = worker_.now_ms() + kKeepAliveMs;
    if (status_ == 0)
        return; // the client left before there was an answer, or the library refused by itself
    worker_.report({request_id_, method_, route_name_,
                    identity_ ? std::string_view(identity_->tenant_id) : std::string_view(),
                    identity_ ? std::string_view(identity_->user_id) : std::string_view(), client_address(), status_,
                    answered_us_ - begun_us_},
                   method_);
}

} // namespace relygate::shim
