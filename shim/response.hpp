// From an outcome to HTTP: the only place that knows which headers go with which status. What the database answered is
// handed on in place; what never reached it, or was rethrown by it, gets the same envelope from here.
#pragma once

#include "core/base/outcome.hpp"
#include "shim/config.hpp"
#include "shim/question.hpp"
#include "shim/rate_limit.hpp"

#include <memory>
#include <microhttpd.h>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace relygate::shim {

// What every answer needs to know of its request.
struct AnswerContext {
    std::string_view request_id;
    std::string_view origin;
    bool close = false;
    bool has_token = false; // it was verified: a 401 of the database is about its session
    const RateLimit::Ticket *rate = nullptr;
};

using HeaderList = std::vector<std::pair<std::string_view, std::string_view>>;

class Responder {
  public:
    explicit Responder(const Config &config);

    // Each queues an answer; `status` of the database's row is handed back for log and metrics.
    MHD_Result text(MHD_Connection *connection, const AnswerContext &context, int status, const char *content_type,
                    std::string_view body, const HeaderList &headers = {}) const;
    MHD_Result refusal(MHD_Connection *connection, const AnswerContext &context, const core::Refusal &refusal,
                       const HeaderList &headers = {}) const;
    MHD_Result row(MHD_Connection *connection, const AnswerContext &context, Question &question, int &status) const;
    MHD_Result preflight(MHD_Connection *connection, const AnswerContext &context, const char *allow) const;

    // The same refusal as bytes, for where the library has no memory left to write its head.
    [[nodiscard]] std::string bytes(const AnswerContext &context, const core::Refusal &refusal) const;

    [[nodiscard]] bool is_allowed_origin(std::string_view origin) const;

  private:
    MHD_Result queue(MHD_Connection *connection, const AnswerContext &context, unsigned status,
                     MHD_Response *response) const;
    void common_headers(MHD_Response *response, const AnswerContext &context, unsigned status) const;

    const Config &config_;
};

// What the database's row says; 500 where it is not what it should be.
int row_status(const Question &question);

// The contract's last rows: what the dispatcher rethrew, or what kept the question from being answered.
core::Refusal refusal_of(Verdict verdict);

inline constexpr core::Refusal kTooBusy{503, "too_busy", "too many requests wait; try again in a moment"};
inline constexpr core::Refusal kStopping{503, "stopping", "the server is stopping; try again in a moment"};
inline constexpr core::Refusal kDatabaseAway{503, "database_unavailable",
                                             "the database cannot be reached; try again in a moment"};

} // namespace relygate::shim
