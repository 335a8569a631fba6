// The digests of core/audit/seal.hpp as SQL functions. What is read, in which order and with whose rights stands in
// SQL: relygate.seal_audit() of the migrations and relygate.verify_audit() of the extension.
#include "core/audit/seal.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include <access/xlog.h>
#include <utils/fmgroids.h>
#include <utils/fmgrprotos.h>
#include <utils/xid8.h>
}

namespace {

using namespace relygate;
using namespace relygate::pg;

void require(FunctionCallInfo fcinfo, std::initializer_list<int> places) {
    for (const int place : places)
        if (PG_ARGISNULL(place))
            ereport(ERROR, errcode(ERRCODE_NULL_VALUE_NOT_ALLOWED),
                    errmsg("argument %d of %s must not be null", place + 1, get_func_name(fcinfo->flinfo->fn_oid)));
}

core::Uuid uuid_of(Datum value) {
    core::Uuid id;
    std::memcpy(id.data(), DatumGetUUIDP(value)->data, id.size());
    return id;
}

std::string_view view_of(Datum value) {
    return text_view(DatumGetTextPP(value)); // bytea looks the same
}

std::optional<std::string_view> text_argument(FunctionCallInfo fcinfo, int place) {
    if (PG_ARGISNULL(place))
        return std::nullopt;
    return view_of(PG_GETARG_DATUM(place));
}

Datum bytes_datum(std::span<const std::uint8_t> bytes) {
    return PointerGetDatum(
        cstring_to_text_with_len(reinterpret_cast<const char *>(bytes.data()), static_cast<int>(bytes.size())));
}

} // namespace

// (tenant_id, id, occurred_at, user_id, user_role, database_role, request_id, client_address, table_name, row_id,
// action, changes_digest, xact, cluster)
RELYGATE_FUNCTION(relygate_audit_entry) {
    require(fcinfo, {0, 1, 2, 9, 11, 12, 13});
    core::AuditRow row{};
    row.tenant_id = uuid_of(PG_GETARG_DATUM(0));
    row.id = uuid_of(PG_GETARG_DATUM(1));
    row.occurred_at = PG_GETARG_TIMESTAMPTZ(2);
    if (!PG_ARGISNULL(3))
        row.user_id = uuid_of(PG_GETARG_DATUM(3));
    row.user_role = text_argument(fcinfo, 4);
    row.database_role = text_argument(fcinfo, 5);
    row.request_id = text_argument(fcinfo, 6);
    if (!PG_ARGISNULL(7))
        row.client_address = OidOutputFunctionCall(F_INET_OUT, PG_GETARG_DATUM(7));
    row.table_name = text_argument(fcinfo, 8);
    row.row_id = uuid_of(PG_GETARG_DATUM(9));
    row.action = text_argument(fcinfo, 10);
    row.changes_digest = view_of(PG_GETARG_DATUM(11));
    row.xact = U64FromFullTransactionId(DatumGetFullTransactionId(PG_GETARG_DATUM(12)));
    row.cluster = PG_GETARG_INT64(13);
    PG_RETURN_DATUM(bytes_datum(value_or_raise(core::audit_entry(row))));
}

// (salt, changes)
RELYGATE_FUNCTION(relygate_audit_changes_digest) {
    const std::string_view salt = view_of(PG_GETARG_DATUM(0));
    const std::string_view changes = view_of(PG_GETARG_DATUM(1));
    core::Salt bytes{};
    if (salt.size() != bytes.size())
        PG_RETURN_NULL();
    std::memcpy(bytes.data(), salt.data(), bytes.size());
    PG_RETURN_DATUM(bytes_datum(value_or_raise(core::changes_digest(bytes, changes))));
}

// (tenant_id, number, sealed_at, cluster, last_xact, previous, manifest)
RELYGATE_FUNCTION(relygate_audit_seal_digest) {
    require(fcinfo, {0, 1, 2, 3, 4, 6});
    const core::Seal seal{uuid_of(PG_GETARG_DATUM(0)),
                          PG_GETARG_INT64(1),
                          PG_GETARG_TIMESTAMPTZ(2),
                          PG_GETARG_INT64(3),
                          U64FromFullTransactionId(DatumGetFullTransactionId(PG_GETARG_DATUM(4))),
                          text_argument(fcinfo, 5).value_or(std::string_view()),
                          view_of(PG_GETARG_DATUM(6))};
    PG_RETURN_DATUM(bytes_datum(value_or_raise(core::seal_digest(seal))));
}

// (number, kind, sealed_at, cluster, bound, next_xact, previous, leaves)
RELYGATE_FUNCTION(relygate_audit_root_digest) {
    require(fcinfo, {0, 1, 2, 3, 4, 5, 7});
    const core::Root root{PG_GETARG_INT64(0),
                          view_of(PG_GETARG_DATUM(1)),
                          PG_GETARG_TIMESTAMPTZ(2),
                          PG_GETARG_INT64(3),
                          U64FromFullTransactionId(DatumGetFullTransactionId(PG_GETARG_DATUM(4))),
                          U64FromFullTransactionId(DatumGetFullTransactionId(PG_GETARG_DATUM(5))),
                          text_argument(fcinfo, 6).value_or(std::string_view()),
                          view_of(PG_GETARG_DATUM(7))};
    PG_RETURN_DATUM(bytes_datum(value_or_raise(core::root_digest(root))));
}

// (manifest): a row an entry, one a call: a manifest may hold 100,000.
RELYGATE_FUNCTION(relygate_audit_manifest) {
    if (SRF_IS_FIRSTCALL()) {
        FuncCallContext *const state = SRF_FIRSTCALL_INIT();
        const MemoryContext caller = MemoryContextSwitchTo(state->multi_call_memory_ctx);
        state->user_fctx = DatumGetTextPCopy(PG_GETARG_DATUM(0));
        state->max_calls = VARSIZE_ANY_EXHDR(state->user_fctx) / core::kEntrySize;
        TupleDesc shape;
        if (get_call_result_type(fcinfo, nullptr, &shape) != TYPEFUNC_COMPOSITE)
            ereport(ERROR, errcode(ERRCODE_FEATURE_NOT_SUPPORTED), errmsg("audit_manifest returns a row type"));
        state->tuple_desc = BlessTupleDesc(shape);
        MemoryContextSwitchTo(caller);
    }
    FuncCallContext *const state = SRF_PERCALL_SETUP();
    if (state->call_cntr >= state->max_calls)
        SRF_RETURN_DONE(state);
    const core::ManifestEntry entry =
        core::manifest_entry(text_view(static_cast<const text *>(state->user_fctx)), state->call_cntr);
    auto *id = static_cast<pg_uuid_t *>(palloc(sizeof(pg_uuid_t)));
    std::memcpy(id->data, entry.id.data(), entry.id.size());
    // The number is the time of a row, or of a seal its number; not every number is a time.
    const bool is_time = IS_VALID_TIMESTAMP(entry.occurred_at);
    Datum values[] = {UUIDPGetDatum(id), Int64GetDatum(entry.occurred_at), TimestampTzGetDatum(entry.occurred_at),
                      PointerGetDatum(make_text(entry.bytes))};
    bool nulls[] = {false, false, !is_time, false};
    SRF_RETURN_NEXT(state, HeapTupleGetDatum(heap_form_tuple(state->tuple_desc, values, nulls)));
}

RELYGATE_FUNCTION(relygate_cluster_identifier) {
    PG_RETURN_INT64(static_cast<std::int64_t>(GetSystemIdentifier()));
}
