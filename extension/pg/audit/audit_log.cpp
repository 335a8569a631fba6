// See audit_log.hpp.
//
// A statement through SPI opens a plan for every row, and parses all CHECKs of the partition again: three quarters of
// what the audit of a row took. So only the first row in a backend goes that way, and tells its partition. Those after
// it are put into that partition as an INSERT would put them: same locks, right to insert, DEFAULTs, NOT NULLs, CHECKs,
// bounds and indexes, all of them as expressions that are prepared once. What else may happen to an INSERT (triggers,
// rules, generated columns, policies beside the two of protect_table, another tenant than that of the transaction) is
// left to SPI. Each change of the table, the partition or a function ends what was learnt.
#include "pg/audit/audit_log.hpp"

#include "pg/boundary.hpp"
#include "pg/tenancy/context.hpp"

extern "C" {
#include <access/table.h>
#include <access/tableam.h>
#include <access/tupconvert.h>
#include <catalog/partition.h>
#include <executor/executor.h>
#include <nodes/makefuncs.h>
#include <optimizer/optimizer.h>
#include <rewrite/rewriteHandler.h>
#include <rewrite/rowsecurity.h>
#include <utils/partcache.h>
#include <utils/rls.h>
}

namespace relygate::pg {
namespace {

constexpr const char *kAuditRole = "relygate_audit";
constexpr const char *kInsert =
    "INSERT INTO relygate.audit_log (tenant_id, user_id, user_role, database_role, request_id, client_address, "
    "table_name, row_id, action, changes, salt, changes_digest, cluster)"
    " VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13) RETURNING tableoid";

// A partition that rows can be put into, and what is prepared for it.
struct Target {
    MemoryContext context = nullptr; // of all of it
    Oid table = InvalidOid, partition = InvalidOid;
    int columns[AuditRow::kColumns] = {}; // their attribute numbers
    ExprState **defaults = nullptr;       // by attribute; null: NULL, or given
    ExprState **checks = nullptr;
    ExprState *bounds = nullptr;
};

Target target;
bool is_valid = false;

void relation_changed(Datum, Oid relation) {
    if (!OidIsValid(relation) || relation == target.table || relation == target.partition)
        is_valid = false;
}

// The right to call what DEFAULTs and CHECKs call is asked for when they are prepared.
void function_changed(Datum, int, uint32) {
    is_valid = false;
}

void listen_for_changes() {
    static bool is_listening = false;
    if (is_listening)
        return;
    CacheRegisterRelcacheCallback(relation_changed, 0);
    CacheRegisterSyscacheCallback(PROCOID, function_changed, 0);
    CacheRegisterSyscacheCallback(AUTHOID, function_changed, 0);
    is_listening = true;
}

void forget_target() {
    is_valid = false;
    const MemoryContext context = target.context;
    target = Target{};
    if (context)
        MemoryContextDelete(context);
}

bool fires_at_insert(const TriggerDesc *triggers) {
    return triggers && (triggers->trig_insert_before_row || triggers->trig_insert_after_row ||
                        triggers->trig_insert_instead_row || triggers->trig_insert_before_statement ||
                        triggers->trig_insert_after_statement || triggers->trig_insert_new_table);
}

// The two of protect_table, whose words the guard keeps: together they ask for the tenant of the transaction.
bool has_our_policies_alone(Relation table) {
    if (!table->rd_rel->relrowsecurity || !table->rd_rel->relforcerowsecurity || table->rd_rsdesc == nullptr)
        return false;
    bool has_base = false, has_tenant = false;
    ListCell *cell;
    foreach (cell, table->rd_rsdesc->policies) {
        const std::string_view name = static_cast<const RowSecurityPolicy *>(lfirst(cell))->policy_name;
        has_base = has_base || name == "base";
        has_tenant = has_tenant || name == "tenant";
    }
    return has_base && has_tenant && list_length(table->rd_rsdesc->policies) == 2;
}

bool is_plain(Relation table, Relation partition) {
    const TupleConstr *constraints = RelationGetDescr(partition)->constr;
    return table->rd_rel->relkind == RELKIND_PARTITIONED_TABLE && partition->rd_rel->relkind == RELKIND_RELATION &&
           partition->rd_rel->relispartition &&
           get_partition_parent(RelationGetRelid(partition), false) == RelationGetRelid(table) &&
           table->rd_rules == nullptr && partition->rd_rules == nullptr && !fires_at_insert(table->trigdesc) &&
           !fires_at_insert(partition->trigdesc) && !(constraints && constraints->has_generated_stored) &&
           convert_tuples_by_name(RelationGetDescr(table), RelationGetDescr(partition)) == nullptr;
}

bool find_columns(Target &found, TupleDesc shape) {
    for (int i = 0; i < AuditRow::kColumns; ++i) {
        const int number = SPI_fnumber(shape, AuditRow::kNames[i]);
        if (number <= 0 || TupleDescAttr(shape, number - 1)->atttypid != AuditRow::kTypes[i])
            return false;
        found.columns[i] = number;
    }
    // A domain may refuse the NULL of a column that is not given.
    for (int i = 0; i < shape->natts; ++i)
        if (!TupleDescAttr(shape, i)->attisdropped && get_typtype(TupleDescAttr(shape, i)->atttypid) == TYPTYPE_DOMAIN)
            return false;
    return true;
}

// The DEFAULTs are the table's, the CHECKs the partition's, as an INSERT takes them.
void prepare_expressions(Target &found, Relation table, Relation partition, EState *state) {
    const TupleDesc shape = RelationGetDescr(partition);
    found.defaults = static_cast<ExprState **>(palloc0(sizeof(ExprState *) * (shape->natts + 1)));
    for (int i = 0; i < shape->natts; ++i) {
        const Form_pg_attribute column = TupleDescAttr(shape, i);
        const bool is_given = std::find(found.columns, std::end(found.columns), i + 1) != std::end(found.columns);
        if (is_given || column->attisdropped)
            continue;
        if (Node *expression = build_column_default(table, i + 1))
            found.defaults[i] = ExecPrepareExpr(reinterpret_cast<Expr *>(expression), state);
    }
    const TupleConstr *constraints = shape->constr;
    const int count = constraints ? constraints->num_check : 0;
    found.checks = static_cast<ExprState **>(palloc0(sizeof(ExprState *) * (count + 1)));
    for (int i = 0; i < count; ++i)
        found.checks[i] = ExecPrepareExpr(static_cast<Expr *>(stringToNode(constraints->check[i].ccbin)), state);
    found.bounds = ExecPrepareCheck(RelationGetPartitionQual(partition), state);
}

// As relygate_audit. What is changed while it looks is looked at again by the next row.
void learn_target(Oid partition_id) {
    forget_target();
    if (!OidIsValid(partition_id) || !get_rel_relispartition(partition_id))
        return;
    is_valid = true; // before looking
    Target found;
    found.partition = target.partition = partition_id;
    found.table = target.table = get_partition_parent(partition_id, false);
    Relation table = table_open(found.table, RowExclusiveLock);
    Relation partition = table_open(found.partition, RowExclusiveLock);
    EState *state = CreateExecutorState();
    const MemoryContext before = MemoryContextSwitchTo(state->es_query_cxt);
    const bool is_direct =
        has_our_policies_alone(table) && is_plain(table, partition) && find_columns(found, RelationGetDescr(partition));
    if (is_direct)
        prepare_expressions(found, table, partition, state);
    MemoryContextSwitchTo(before);
    table_close(partition, NoLock);
    table_close(table, NoLock);
    if (!is_direct) {
        FreeExecutorState(state);
        return; // nothing is learnt until something changes
    }
    found.context = state->es_query_cxt;
    MemoryContextSetParent(found.context, CacheMemoryContext);
    target = found;
}

void fill(TupleTableSlot *slot, const AuditRow &row, ExprContext *expressions) {
    const int count = slot->tts_tupleDescriptor->natts;
    for (int i = 0; i < count; ++i) {
        slot->tts_isnull[i] = true;
        if (target.defaults[i])
            slot->tts_values[i] = ExecEvalExprSwitchContext(target.defaults[i], expressions, &slot->tts_isnull[i]);
    }
    for (int i = 0; i < AuditRow::kColumns; ++i) {
        slot->tts_values[target.columns[i] - 1] = row.values[i];
        slot->tts_isnull[target.columns[i] - 1] = row.nulls[i] == 'n';
    }
    ExecStoreVirtualTuple(slot);
}

void insert(Relation partition, TupleTableSlot *slot, EState *state) {
    ResultRelInfo *result = makeNode(ResultRelInfo);
    InitResultRelInfo(result, partition, 0, nullptr, 0);
    result->ri_ConstraintExprs = target.checks;
    if (RelationGetDescr(partition)->constr)
        ExecConstraints(result, slot, state);
    ExecOpenIndices(result, false);
    table_tuple_insert(partition, slot, GetCurrentCommandId(true), 0, nullptr);
    if (result->ri_NumIndices > 0) {
#if PG_VERSION_NUM >= 160000
        ExecInsertIndexTuples(result, slot, state, false, false, nullptr, NIL, false);
#else
        ExecInsertIndexTuples(result, slot, state, false, false, nullptr, NIL);
#endif
    }
    ExecCloseIndices(result);
}

// As relygate_audit. False: nothing was done, it is a matter for SPI.
bool insert_into_target(const AuditRow &row) {
    if (!is_valid || target.context == nullptr || !row_security ||
        std::memcmp(DatumGetUUIDP(row.values[0]), current_tenant_or_raise(), UUID_LEN) != 0)
        return false;
    Relation table = table_open(target.table, RowExclusiveLock);
    Relation partition = table_open(target.partition, RowExclusiveLock);
    bool is_done = false;
    // A lock lets messages in, so only now it is certain that nothing was changed.
    if (is_valid && pg_class_aclcheck(target.table, GetUserId(), ACL_INSERT) == ACLCHECK_OK) {
        EState *state = CreateExecutorState();
        ExprContext *expressions = GetPerTupleExprContext(state);
        TupleTableSlot *slot = MakeSingleTupleTableSlot(RelationGetDescr(partition), table_slot_callbacks(partition));
        fill(slot, row, expressions);
        expressions->ecxt_scantuple = slot;
        is_done = ExecCheck(target.bounds, expressions);
        if (is_done)
            insert(partition, slot, state);
        ExecDropSingleTupleTableSlot(slot);
        FreeExecutorState(state);
    }
    table_close(partition, NoLock);
    table_close(table, NoLock);
    return is_done;
}

void insert_by_statement(const AuditRow &row) {
    static SPIPlanPtr plan = nullptr;
    SPI_connect();
    if (plan == nullptr) {
        const SPIPlanPtr made = SPI_prepare(kInsert, AuditRow::kColumns, const_cast<Oid *>(AuditRow::kTypes));
        if (made == nullptr)
            elog(ERROR, "could not prepare the INSERT of the audit: %s", SPI_result_code_string(SPI_result));
        SPI_keepplan(made);
        plan = made;
    }
    const int result = SPI_execute_plan(plan, const_cast<Datum *>(row.values), row.nulls, false, 0);
    if (result != SPI_OK_INSERT_RETURNING || SPI_processed != 1)
        elog(ERROR, "could not write the audit: %s", SPI_result_code_string(result));
    bool is_null;
    const Oid partition = DatumGetObjectId(SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1, &is_null));
    if (!is_valid || target.partition != partition)
        learn_target(partition);
    SPI_finish();
}

} // namespace

// When the INSERT fails, the abort of the (sub)transaction gives the user back, as PostgreSQL does for its own
// referential integrity triggers.
void write_audit_row(const AuditRow &row) {
    listen_for_changes();
    Oid user;
    int security;
    GetUserIdAndSecContext(&user, &security);
    SetUserIdAndSecContext(get_role_oid(kAuditRole, false), security | SECURITY_LOCAL_USERID_CHANGE);
    if (!insert_into_target(row))
        insert_by_statement(row);
    SetUserIdAndSecContext(user, security);
}

} // namespace relygate::pg
