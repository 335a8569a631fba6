// relygate.audit_row(): AFTER INSERT OR UPDATE OR DELETE FOR EACH ROW. Writes one row of relygate.audit_log with what
// changed.
//
// Nobody but relygate_audit may insert there, so the function becomes that role around its INSERT (audit_log.cpp), and
// only there; it stays under the policies, which ask for the tenant of the transaction. Argument: the tenant's column,
// where it is not tenant_id.
#include "core/audit/row_diff.hpp"
#include "pg/audit/audit_log.hpp"
#include "pg/boundary.hpp"
#include "pg/tenancy/context.hpp"

extern "C" {
#include <access/xlog.h>
#include <utils/datetime.h>
#include <utils/datum.h>
#include <utils/fmgrprotos.h>
#include <utils/json.h>
}

namespace relygate::pg {
namespace {

using core::AuditValue;
using core::ColumnChange;
using core::ColumnKind;
using core::RowAction;

AuditValue value_of(Datum value, const Form_pg_attribute column) {
    const Oid type = getBaseType(column->atttypid);
    switch (type) {
    case TEXTOID:
    case VARCHAROID:
        return {AuditValue::Kind::text, text_view(DatumGetTextPP(value))};
    case BOOLOID:
        return {AuditValue::Kind::raw, DatumGetBool(value) ? "true" : "false"};
    case DATEOID:
    case TIMESTAMPOID:
    case TIMESTAMPTZOID: {
        // ISO 8601 and UTC, whatever the session's style and zone.
        const int utc = 0;
        auto *text = static_cast<char *>(palloc(MAXDATELEN + 1));
        return {AuditValue::Kind::text, JsonEncodeDateTime(text, value, type, type == TIMESTAMPTZOID ? &utc : nullptr)};
    }
    }
    Oid output;
    bool is_varlena;
    getTypeOutputInfo(type, &output, &is_varlena);
    const bool is_json = type == INT2OID || type == INT4OID || type == INT8OID || type == JSONOID || type == JSONBOID;
    return {is_json ? AuditValue::Kind::raw : AuditValue::Kind::text, OidOutputFunctionCall(output, value)};
}

// What of a row changed; with is_change false nothing that the audit log is to hear of.
struct Changes {
    std::span<const ColumnChange> columns;
    bool is_change;
};

// An insert has no row before it, a delete none after it.
Changes changes_between(TupleDesc shape, RowAction action, HeapTuple before, HeapTuple after) {
    auto *found = static_cast<ColumnChange *>(palloc0(sizeof(ColumnChange) * (shape->natts + 1)));
    std::size_t count = 0;
    bool is_change = action != RowAction::update_row;
    for (int i = 0; i < shape->natts; ++i) {
        const Form_pg_attribute column = TupleDescAttr(shape, i);
        const ColumnKind kind =
            column->attisdropped ? ColumnKind::bookkeeping : core::column_kind(NameStr(column->attname));
        if (kind == ColumnKind::bookkeeping)
            continue;
        bool was_null = true, is_null = true;
        const Datum old_value =
            action == RowAction::insert_row ? Datum{0} : heap_getattr(before, i + 1, shape, &was_null);
        const Datum new_value =
            action == RowAction::delete_row ? Datum{0} : heap_getattr(after, i + 1, shape, &is_null);
        if (was_null && is_null)
            continue;
        if (!was_null && !is_null && datum_image_eq(old_value, new_value, column->attbyval, column->attlen))
            continue;
        is_change = true;
        if (kind == ColumnKind::secret)
            continue;
        found[count++] = {NameStr(column->attname), was_null ? AuditValue{} : value_of(old_value, column),
                          is_null ? AuditValue{} : value_of(new_value, column)};
    }
    return {{found, count}, is_change};
}

Datum uuid_column(Relation relation, HeapTuple row, const char *name) {
    const TupleDesc shape = RelationGetDescr(relation);
    const int number = SPI_fnumber(shape, name);
    if (number <= 0 || SPI_gettypeid(shape, number) != UUIDOID)
        ereport(
            ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
            errmsg("table \"%s\" has no column \"%s\" of type uuid to audit", RelationGetRelationName(relation), name));
    bool is_null;
    const Datum value = heap_getattr(row, number, shape, &is_null);
    if (is_null)
        ereport(ERROR, errcode(ERRCODE_NOT_NULL_VIOLATION),
                errmsg("column \"%s\" of table \"%s\" must not be null", name, RelationGetRelationName(relation)));
    return value;
}

// The log knows a row by its tenant and its id: under another one its history would end, and begin nowhere.
void refuse_another_identity(Relation relation, const TriggerData *trigger, const char *tenant_column) {
    for (const char *name : {tenant_column, "id"})
        if (std::memcmp(DatumGetUUIDP(uuid_column(relation, trigger->tg_trigtuple, name)),
                        DatumGetUUIDP(uuid_column(relation, trigger->tg_newtuple, name)), UUID_LEN) != 0)
            ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                    errmsg("\"%s\" of a row of table \"%s\" cannot change", name, RelationGetRelationName(relation)),
                    errdetail("The audit log knows the row by it."),
                    errhint("Insert another row, and delete this one."));
}

Datum text_datum(std::string_view value) {
    return PointerGetDatum(make_text(value));
}

Datum bytes_datum(std::span<const std::uint8_t> bytes) {
    return PointerGetDatum(
        cstring_to_text_with_len(reinterpret_cast<const char *>(bytes.data()), static_cast<int>(bytes.size())));
}

// The address of the request; of a DBA's session that of its connection, null by a socket.
NullableDatum address(const char *of_request) {
    if (*of_request)
        return {DirectFunctionCall1(inet_in, CStringGetDatum(of_request)), false};
    LOCAL_FCINFO(call, 0);
    InitFunctionCallInfoData(*call, nullptr, 0, InvalidOid, nullptr, nullptr);
    const Datum value = inet_client_addr(call);
    return {value, call->isnull};
}

RowAction action_of(TriggerEvent event) {
    if (TRIGGER_FIRED_BY_INSERT(event))
        return RowAction::insert_row;
    return TRIGGER_FIRED_BY_UPDATE(event) ? RowAction::update_row : RowAction::delete_row;
}

} // namespace

RELYGATE_FUNCTION(relygate_audit_row) {
    if (!CALLED_AS_TRIGGER(fcinfo))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("audit_row must be called as a trigger"));
    const auto *trigger = reinterpret_cast<TriggerData *>(fcinfo->context);
    const Relation relation = trigger->tg_relation;
    if (!TRIGGER_FIRED_AFTER(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("audit_row must be fired after and for each row"));
    // The log names tables without their schema: a table elsewhere could pass for one of ours.
    if (RelationGetNamespace(relation) != get_func_namespace(fcinfo->flinfo->fn_oid))
        ereport(ERROR, errcode(ERRCODE_OBJECT_NOT_IN_PREREQUISITE_STATE),
                errmsg("only tables of schema \"relygate\" are audited"));

    const RowAction action = action_of(trigger->tg_event);
    const HeapTuple row = action == RowAction::update_row ? trigger->tg_newtuple : trigger->tg_trigtuple;
    const char *tenant_column = trigger->tg_trigger->tgnargs > 0 ? trigger->tg_trigger->tgargs[0] : "tenant_id";
    if (action == RowAction::update_row)
        refuse_another_identity(relation, trigger, tenant_column);
    const Changes changes = changes_between(RelationGetDescr(relation), action, trigger->tg_trigtuple, row);
    if (!changes.is_change)
        PG_RETURN_POINTER(nullptr);
    const Datum tenant = uuid_column(relation, row, tenant_column);
    const Datum row_id = uuid_column(relation, row, "id");
    const pg_uuid_t *user_id = current_user_id_or_null();
    const char *user_role = current_user_role();
    const char *request_id = current_request_id();
    core::Salt salt;
    if (!pg_strong_random(salt.data(), salt.size()))
        ereport(ERROR, errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not get random bytes"));

    const std::string_view written = run_rule([&] {
        ContextMemory memory;
        return core::describe_changes(action, changes.columns, memory);
    });
    const core::Digest digest = value_or_raise(core::changes_digest(salt, written));

    const NullableDatum client = address(current_client_address());
    AuditRow entry{{tenant, UUIDPGetDatum(user_id), text_datum(user_role),
                    text_datum(GetUserNameFromId(GetSessionUserId(), false)), text_datum(request_id), client.value,
                    text_datum(RelationGetRelationName(relation)), row_id, text_datum(core::action_word(action)),
                    text_datum(written), bytes_datum(salt), bytes_datum(digest),
                    Int64GetDatum(static_cast<std::int64_t>(GetSystemIdentifier()))},
                   "             "};
    entry.nulls[1] = user_id ? ' ' : 'n';
    entry.nulls[2] = *user_role ? ' ' : 'n';
    entry.nulls[4] = *request_id ? ' ' : 'n';
    entry.nulls[5] = client.isnull ? 'n' : ' ';
    write_audit_row(entry);
    PG_RETURN_POINTER(nullptr);
}

} // namespace relygate::pg
