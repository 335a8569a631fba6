#include "shim/request.hpp"

#include "shim/units.hpp"
#include "shim/worker.hpp"

#include <ctime>
#include <sys/socket.h>

namespace relygate::shim {

namespace {

constexpr const char *kJson = "application/json; charset=utf-8";
constexpr std::int64_t kKeepAliveMs = 75'000; // longer than proxies keep theirs, so that they close first
constexpr std::size_t kMostArguments = 50;

std::int64_t monotonic_us() {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1'000'000 + now.tv_nsec / 1000;
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

std::string_view Request::client_address() const {
    if (!forwarded_for_.empty())
        return forwarded_for_;
    return client_ ? std::string_view(client_->address) : std::string_view();
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
    worker_.submit(question_, worker_.lane_of(question_, *route_));
    return MHD_YES;
}

void Request::answered() {
    phase_ = Phase::answered;
    settle_rate();
    MHD_resume_connection(connection_);
    worker_.progressed();
}

// Whether the attempt of a stranger counts as failed; also where he does not wait for the answer.
void Request::settle_rate() {
    if (!rate_ || !worker_.config().rate_limit_failures_only)
        return;
    const int status = question_.verdict == Verdict::answer ? row_status(question_) : 500;
    const bool is_failure = status >= 400 && status < 500; // our own are not the client's
    if (!is_failure)
        worker_.rate_limits()->of_route.give_back(*rate_);
    else if (same_rate_)
        worker_.rate_limits()->of_request.count(*same_rate_);
}

MHD_Result Request::answer(MHD_Connection *connection) {
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
    if (status_ == 0 && question_.verdict == Verdict::answer) { // nobody waits for it any more, but it was done
        status_ = row_status(question_);
        answered_us_ = monotonic_us();
    }
    if (status_ == 0)
        return; // the client left before anything was done, or the library refused by itself
    worker_.report({request_id_, method_, route_name_,
                    identity_ ? std::string_view(identity_->tenant_id) : std::string_view(),
                    identity_ ? std::string_view(identity_->user_id) : std::string_view(), client_address(), status_,
                    answered_us_ - begun_us_},
                   method_);
}

} // namespace relygate::shim
