// Step 5 of a request: a write with an Idempotency-Key runs once. Its first answer is kept for a day (table
// idempotency_keys, scope: tenant and user) and given again to a repetition; another request under the same key is 422.
// While the first still runs it holds a lock whose tag SQL cannot name, so nobody else can hold it up: it is tried,
// never waited for, and whoever finds it held gets a 409. Failures are not kept: they may be repeated.
#pragma once

#include "pg/api/answer.hpp"

namespace relygate::pg {

struct IdempotencyKey {
    std::string_view key; // empty: the request has none
    Datum user;
    // Of method, path, query and body. Keyed: the body may hold a password, and a dump must not let it be tried out.
    bytea *digest;
    bytea *plain_digest; // as 1.0.0 kept it: what was asked before the upgrade is known again after it
};

enum class Repetition { first, again, other_request, still_running };

[[nodiscard]] bool is_idempotency_key(std::string_view key);
struct RequestText {
    std::string_view method, path, query, body;
};
IdempotencyKey idempotency_key(std::string_view key, Datum user, std::string_view tenant, std::string_view user_text,
                               const RequestText &request);

// Takes the lock until the end of the transaction; `again` fills the answer that was given first.
Repetition begin_once(const IdempotencyKey &key, std::string_view tenant, std::string_view user, Answer &answer);
void keep_answer(const IdempotencyKey &key, const Answer &answer);

} // namespace relygate::pg
