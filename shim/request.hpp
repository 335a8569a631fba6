// The life of one request: its head is judged at once, its body gathered, the database asked, the answer queued. Made
// when the request line arrived, freed in the library's completed callback and nowhere else: while it is suspended
// nobody says that the client left, and the lanes still point to it.
#pragma once

#include "core/base/outcome.hpp"
#include "core/route/target.hpp"
#include "shim/catalogue.hpp"
#include "shim/http_rules.hpp"
#include "shim/proxies.hpp"
#include "shim/question.hpp"
#include "shim/response.hpp"
#include "shim/token.hpp"

#include <cstdint>
#include <memory>
#include <microhttpd.h>
#include <optional>
#include <string>

namespace relygate::shim {

class Worker;

// A client's connection: who it is, and until when it must have moved on. The library's own time-out counts from the
// last byte, so that a byte each second would keep a connection for ever.
class Request;
struct Client {
    int descriptor = -1;
    std::string address;
    std::optional<Address> proxy; // its address if it is a trusted proxy's
    std::int64_t deadline_ms = 0; // 0: none, the lanes watch the time
    Request *request = nullptr;   // under way
    bool has_ended = false;       // seen at the last sweep
};

class Request {
  public:
    Request(Worker &worker, MHD_Connection *connection, std::string target, std::int64_t now_us);
    ~Request();
    Request(const Request &) = delete;
    Request &operator=(const Request &) = delete;

    // The library's handler, called again and again: head, body, end of body, and after the answer came.
    MHD_Result handle(MHD_Connection *connection, const char *method, const char *version, const char *upload,
                      std::size_t *upload_size);
    [[nodiscard]] bool is_incomplete() const {
        return phase_ == Phase::head || phase_ == Phase::reading || phase_ == Phase::discarding;
    }
    void answered();  // the lanes are done with the question
    void completed(); // the last byte went out, or the client left
    [[nodiscard]] Question &question() { return question_; }
    [[nodiscard]] const std::shared_ptr<const Catalogue> &catalogue() const { return catalogue_; }
    [[nodiscard]] const Route *route() const { return route_; }
    [[nodiscard]] static Request &of(Question &question);

  private:
    // head: nothing was seen; discarding: a small body is read past a refusal, so that the connection can be kept;
    // over: answered past the library, which has only to clean up.
    enum class Phase : std::uint8_t { head, reading, discarding, asked, answered, queued, over };

    static constexpr std::int64_t kSmallBody = 64 << 10; // read past a refusal rather than losing the connection
    // What is left of a connection's memory must hold the head of any ordinary answer; the library would close in
    // silence.
    static constexpr std::size_t kAnswerRoom = 2 << 10;
    static constexpr core::Refusal kHeadTooLarge{431, "head_too_large",
                                                 "the request line and the headers are too long together"};

    MHD_Result head(MHD_Connection *connection, std::string_view method, std::string_view version);
    void judge(std::string_view method, const RawHead &raw, const HeadCheck &check);
    bool own_route(std::string_view method);
    void authenticate(const HeadFacts &facts);
    void refuse(const core::Refusal &refusal) { refusal_ = refusal; }
    void find_client(const RawHead &raw);
    [[nodiscard]] std::string_view client_address() const;
    MHD_Result body(const char *upload, std::size_t *upload_size);
    MHD_Result ask(MHD_Connection *connection);
    MHD_Result answer(MHD_Connection *connection);
    MHD_Result answer_now(MHD_Connection *connection);
    void answer_past_library(const core::Refusal &refusal);
    [[nodiscard]] bool takes_body() const { return method_ != "GET" && method_ != "HEAD"; }
    [[nodiscard]] AnswerContext context() const {
        return {request_id_, origin_, close_, identity_ != nullptr, rate_ ? &*rate_ : nullptr};
    }
    bool is_within_limit();
    void settle_rate();

    Worker &worker_;
    std::string raw_target_;
    core::Target target_;
    std::int64_t begun_us_;
    Phase phase_ = Phase::head;
    MHD_Connection *connection_ = nullptr;
    Client *client_ = nullptr;
    std::shared_ptr<const Catalogue> catalogue_; // keeps `route_` alive over a reload
    const Route *route_ = nullptr;
    std::string_view route_name_ = "none"; // a pattern: the log's and the metrics' word for the path
    std::string_view method_;              // one of the known ones, static text
    std::string request_id_, origin_, allow_, challenge_, forwarded_for_;
    std::shared_ptr<const Identity> identity_;
    std::string body_, headers_;
    std::int64_t body_limit_ = 0;
    std::int64_t discarded_ = 0, reserved_ = 0;
    bool has_body_ = false, close_ = false, is_preflight_ = false, is_head_ = false;
    std::optional<RateLimit::Ticket> rate_, same_rate_; // of a request without a token that writes
    std::optional<core::Refusal> refusal_;
    std::optional<std::pair<int, std::string>> own_answer_; // of /health and its like
    Question question_;
    int status_ = 0;
    std::int64_t answered_us_ = 0;
};

} // namespace relygate::shim
