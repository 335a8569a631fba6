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
    bytea *digest; // of method, path, query and body
};

enum class Repetition { first, again, other_request, still_running };

[[nodiscard]] bool is_idempotency_key(std::string_view key);
bytea *digest_of_request(std::string_view method, std::string_view path, std::string_view query, std::string_view body);

// Takes the lock until the end of the transaction; `again` fills the answer that was given first.
Repetition begin_once(const IdempotencyKey &key, std::string_view tenant, std::string_view user, Answer &answer);
void keep_answer(const IdempotencyKey &key, const Answer &answer);

} // namespace relygate::pg
