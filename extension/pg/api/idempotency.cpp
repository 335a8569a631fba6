// See idempotency.hpp.
#include "pg/api/idempotency.hpp"

#include "pg/api/plan.hpp"
#include "pg/boundary.hpp"
#include "pg/identity/keyed_digest.hpp"

extern "C" {
#include <common/hashfn.h>
#include <storage/lock.h>
#include <utils/fmgrprotos.h>
}

namespace relygate::pg {
namespace {

constexpr const char *kFind =
    "SELECT k.request_digest IN ($3, $4), k.status, k.content_type, k.headers, k.body FROM relygate.idempotency_keys k"
    " WHERE k.tenant_id = relygate.current_tenant() AND k.user_id = $1 AND k.key = $2"
    "   AND k.expires_at > pg_catalog.statement_timestamp()";

// A few rows that are over go with each new one, so the table stays as large as a day's writes.
constexpr const char *kKeep =
    "WITH over AS (DELETE FROM relygate.idempotency_keys k WHERE k.tenant_id = relygate.current_tenant() AND k.id IN ("
    "    SELECT o.id FROM relygate.idempotency_keys o WHERE o.tenant_id = relygate.current_tenant()"
    "       AND o.expires_at <= pg_catalog.statement_timestamp() AND NOT (o.user_id = $1 AND o.key = $2)"
    "     ORDER BY o.expires_at LIMIT 4 FOR UPDATE SKIP LOCKED))"
    "INSERT INTO relygate.idempotency_keys AS k (user_id, key, request_digest, status, content_type, headers, body)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7)"
    " ON CONFLICT (tenant_id, user_id, key) DO UPDATE SET request_digest = excluded.request_digest, status = "
    "excluded.status,"
    "    content_type = excluded.content_type, headers = excluded.headers, body = excluded.body,"
    "    created_at = excluded.created_at, expires_at = excluded.expires_at";

bytea *bytes_of(std::string_view text) {
    return reinterpret_cast<bytea *>(make_text(text));
}

bool lock_key(std::string_view tenant, std::string_view user, std::string_view key) {
    StringInfoData name;
    initStringInfo(&name);
    for (const std::string_view part : {tenant, user, key}) {
        appendBinaryStringInfo(&name, part.data(), static_cast<int>(part.size()));
        appendStringInfoChar(&name, '\n');
    }
    const std::uint64_t hash =
        hash_bytes_extended(reinterpret_cast<const unsigned char *>(name.data), name.len, 0x72656c79);
    LOCKTAG tag; // the fourth field is 1 or 2 for the locks of SQL's functions
    SET_LOCKTAG_ADVISORY(tag, MyDatabaseId, static_cast<std::uint32_t>(hash >> 32), static_cast<std::uint32_t>(hash),
                         3);
    return LockAcquire(&tag, ExclusiveLock, false, true) != LOCKACQUIRE_NOT_AVAIL;
}

} // namespace

bool is_idempotency_key(std::string_view key) {
    return !key.empty() && key.size() <= 255 &&
           std::all_of(key.begin(), key.end(), [](char c) { return c >= ' ' && c <= '~'; });
}

IdempotencyKey idempotency_key(std::string_view key, Datum user, std::string_view tenant, std::string_view user_text,
                               const RequestText &request) {
    StringInfoData text;
    initStringInfo(&text);
    const auto append_line = [&](std::string_view part) {
        appendBinaryStringInfo(&text, part.data(), static_cast<int>(part.size()));
        appendStringInfoChar(&text, '\n');
    };
    append_line(tenant); // equal bodies of two tenants or users do not look alike
    append_line(user_text);
    const int own = text.len;
    // None of these holds a line end (the shim refuses it), so no two requests are written alike.
    append_line(request.method);
    append_line(request.path);
    append_line(request.query);
    appendBinaryStringInfo(&text, request.body.data(), static_cast<int>(request.body.size()));
    const std::string_view all(text.data, static_cast<std::size_t>(text.len));
    bytea *plain = DatumGetByteaPP(DirectFunctionCall1(sha256_bytea, PointerGetDatum(bytes_of(all.substr(own)))));
    bytea *keyed = idempotency_digest(all);
    return {key, user, keyed ? keyed : plain, plain};
}

Repetition begin_once(const IdempotencyKey &key, std::string_view tenant, std::string_view user, Answer &answer) {
    if (!lock_key(tenant, user, key.key))
        return Repetition::still_running;
    static SPIPlanPtr plan = nullptr;
    if (plan == nullptr)
        plan = keep_plan(kFind, {UUIDOID, TEXTOID, BYTEAOID, BYTEAOID});
    Datum values[] = {key.user, PointerGetDatum(make_text(key.key)), PointerGetDatum(key.digest),
                      PointerGetDatum(key.plain_digest)};
    // Not read-only: that takes a new snapshot, which sees what the holder before us has committed.
    if (SPI_execute_plan(plan, values, nullptr, false, 1) != SPI_OK_SELECT)
        elog(ERROR, "could not look up an idempotency key");
    if (SPI_processed == 0)
        return Repetition::first;
    const HeapTuple row = SPI_tuptable->vals[0];
    const TupleDesc shape = SPI_tuptable->tupdesc;
    bool is_null;
    if (!DatumGetBool(SPI_getbinval(row, shape, 1, &is_null)))
        return Repetition::other_request;
    answer = answer_from_row(row, shape, 2);
    return Repetition::again;
}

void keep_answer(const IdempotencyKey &key, const Answer &answer) {
    static SPIPlanPtr plan = nullptr;
    if (plan == nullptr)
        plan = keep_plan(kKeep, {UUIDOID, TEXTOID, BYTEAOID, INT4OID, TEXTOID, TEXTARRAYOID, BYTEAOID});
    Datum values[] = {key.user,
                      PointerGetDatum(make_text(key.key)),
                      PointerGetDatum(key.digest),
                      Int32GetDatum(answer.status),
                      answer.content_type ? CStringGetTextDatum(answer.content_type) : Datum{0},
                      PointerGetDatum(headers_of(answer)),
                      PointerGetDatum(bytes_of(answer.body))};
    const char nulls[] = {' ', ' ', ' ', ' ', answer.content_type ? ' ' : 'n', ' ', ' ', '\0'};
    if (SPI_execute_plan(plan, values, nulls, false, 0) != SPI_OK_INSERT)
        elog(ERROR, "could not keep the answer to an idempotency key");
}

} // namespace relygate::pg
