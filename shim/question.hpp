// One call of relygate.handle_request: what is asked, and what came of it. Whoever asks owns it and keeps it until it
// is answered; the lanes only point to it.
#pragma once

#include <cstdint>
#include <libpq-fe.h>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

namespace relygate::shim {

enum class Verdict : std::uint8_t {
    none,
    answer,      // `result` holds the row
    unavailable, // the database is away, full or stopping; or what became of a write is not known
    crowded,     // it waited too long, or too many waited already
    slow,        // it took too long for the read lane, and may be asked again in the slow one
    timeout,     // the statement took too long
    failed,      // anything else: `sqlstate` and `error` are for the log alone
};

struct Question {
    void *owner = nullptr; // whoever asks finds itself again

    // What is asked; texts may be views of what lives as long as the question.
    std::string_view tenant_id, user_id, session_id; // empty: NULL
    std::int64_t token_expires_us = 0;               // since 1970; 0: NULL
    std::string_view request_id, client_address, method, path, query;
    std::string_view headers; // a text[] in PostgreSQL's binary form
    std::string_view body;
    bool has_body = false;
    bool without_token = false; // and writes: a stranger, who gets a part of the write lane only
    bool read_only = false;     // may be asked again when a connection is lost

    bool asks_alone = false; // shares no Sync with others

    void ask_again() {
        verdict = Verdict::none;
        result.reset();
        sqlstate[0] = '\0';
        was_not_run = false;
    }

    // Kept by the lanes.
    int tries = 0;
    std::int64_t submitted_ms = 0, waiting_since_ms = 0;

    // What came of it.
    static constexpr std::int64_t kUnknown = -1;
    std::int64_t took_ms = 0; // in the database, without what stood before it; at most, or unknown, in a slow batch
    Verdict verdict = Verdict::none;
    std::unique_ptr<PGresult, decltype(&PQclear)> result{nullptr, PQclear};
    char sqlstate[6] = "";
    bool was_not_run = false; // another one of its batch, or of one before it, failed
    std::string error;
};

// Who is told that a question was answered.
class Asker {
  public:
    virtual void answered(Question &question) = 0;

  protected:
    ~Asker() = default;
};

// name, value, name, value ... as the binary form of a text[] (array_recv): dimensions, no nulls, type text, lower
// bound 1.
std::string text_array(const std::vector<std::string_view> &texts);

} // namespace relygate::shim
