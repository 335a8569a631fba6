// See call.hpp.
#include "pg/api/call.hpp"

#include "core/route/member_name.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include <catalog/objectaccess.h>
#include <catalog/pg_collation.h>
#include <catalog/pg_proc.h>
#include <commands/proclang.h>
#include <executor/executor.h>
#include <nodes/nodeFuncs.h>
#include <optimizer/optimizer.h>
#include <pgstat.h>
#include <utils/snapmgr.h>
#include <utils/tuplestore.h>
#include <utils/typcache.h>
}

namespace relygate::pg {

namespace {

// What domain_check keeps of each parameter's domain.
struct DomainChecks {
    MemoryContext context;
    void **kept;
    std::uint64_t changes; // at which all of that was made
};

} // namespace

struct DirectCall {
    MemoryContext context; // of all this, and of what the function keeps between its calls
    FmgrInfo function;
    Oid collation;
    Oid row_type;           // RECORDOID: RETURNS TABLE
    TupleDesc table_shape;  // of that
    std::uint64_t shape_id; // of the row type; ALTER TYPE gives it another
    RowShape shape;
    const Oid *domains; // of the parameters; InvalidOid: the type is none
    DomainChecks checks;
    struct Default {
        bool is_there, is_constant;
        NullableDatum value;
    } * defaults;
};

namespace {

std::uint64_t constraint_changes = 0;

void constraint_changed(Datum, int, uint32) {
    ++constraint_changes;
}

void listen_for_constraints() {
    static bool is_listening = false;
    if (!is_listening)
        CacheRegisterSyscacheCallback(CONSTROID, constraint_changed, 0);
    is_listening = true;
}

RowShape describe(TupleDesc tuple_shape) {
    const int count = tuple_shape->natts;
    auto *columns = static_cast<core::Column *>(palloc0(sizeof(core::Column) * (count + 1)));
    auto *types = static_cast<Oid *>(palloc(sizeof(Oid) * (count + 1)));
    auto *outputs = static_cast<Oid *>(palloc0(sizeof(Oid) * (count + 1)));
    RowShape shape{columns, types, outputs, {}, count, false};
    for (int i = 0; i < count; ++i) {
        const Form_pg_attribute attribute = TupleDescAttr(tuple_shape, i);
        if (attribute->attisdropped) {
            shape.has_dropped = true;
            continue;
        }
        const std::string_view name = pstrdup(NameStr(attribute->attname));
        columns[i] = run_rule([&] {
            ContextMemory memory;
            return core::column_of(name, memory);
        });
        types[i] = getBaseType(attribute->atttypid);
        bool is_varlena;
        getTypeOutputInfo(attribute->atttypid, &outputs[i], &is_varlena);
    }
    shape.layout = run_rule([&] {
        ContextMemory memory;
        return core::lay_out({columns, static_cast<std::size_t>(count)}, memory);
    });
    return shape;
}

// The DEFAULTs that are constants, for a parameter of a domain those of its base type (each call checks the
// constraints); `list` is what pg_proc has, of the last parameters.
void read_defaults(DirectCall &direct, HeapTuple function, const Signature &signature, int defaults) {
    direct.defaults = static_cast<DirectCall::Default *>(palloc0(sizeof(DirectCall::Default) * (signature.count + 1)));
    bool is_null;
    const Datum written = SysCacheGetAttr(PROCOID, function, Anum_pg_proc_proargdefaults, &is_null);
    if (is_null)
        return;
    const auto *list = static_cast<const List *>(stringToNode(TextDatumGetCString(written)));
    int at = signature.count - defaults;
    ListCell *cell;
    foreach (cell, list) {
        DirectCall::Default &given = direct.defaults[at++];
        given.is_there = true;
        const Node *value = eval_const_expressions(nullptr, static_cast<Node *>(lfirst(cell)));
        if (IsA(value, CoerceToDomain))
            value = reinterpret_cast<const Node *>(reinterpret_cast<const CoerceToDomain *>(value)->arg);
        if (!IsA(value, Const))
            continue;
        const auto *constant = reinterpret_cast<const Const *>(value);
        given.is_constant = true;
        given.value = {constant->constvalue, constant->constisnull};
    }
}

// The collation that a SELECT would give the call; false: a domain has one of its own, and the planner is to judge.
bool find_collation(DirectCall &direct, const Signature &signature, const Oid *declared) {
    direct.collation = InvalidOid;
    for (int i = 0; i < signature.count; ++i) {
        const Oid collation = get_typcollation(declared[i]);
        if (OidIsValid(collation))
            direct.collation = collation;
        if (OidIsValid(collation) && collation != DEFAULT_COLLATION_OID)
            return false;
    }
    return true;
}

// As varchar(5) has: a plan applies it to what is passed.
bool has_length(const Oid *declared, int count) {
    return std::any_of(declared, declared + count, [](Oid type) {
        int32 modifier = -1;
        getBaseTypeAndTypmod(type, &modifier);
        return modifier != -1;
    });
}

bool is_of_the_kind(HeapTuple function) {
    const auto *form = reinterpret_cast<const FormData_pg_proc *>(GETSTRUCT(function));
    return form->proretset && form->prokind == PROKIND_FUNCTION && !form->proisstrict &&
           !OidIsValid(form->provariadic) && form->prolang == get_language_oid("plpgsql", true);
}

void require_right(Oid function) {
#if PG_VERSION_NUM >= 160000
    const AclResult right = object_aclcheck(ProcedureRelationId, function, GetUserId(), ACL_EXECUTE);
#else
    const AclResult right = pg_proc_aclcheck(function, GetUserId(), ACL_EXECUTE);
#endif
    if (right != ACLCHECK_OK)
        aclcheck_error(right, OBJECT_FUNCTION, get_func_name(function));
    InvokeFunctionExecuteHook(function);
}

// Pinned, or InvalidOid's fixed one. Reads the shape anew when the type was altered.
TupleDesc expected_shape(DirectCall &direct) {
    if (direct.row_type == RECORDOID)
        return direct.table_shape;
    const TypeCacheEntry *type = lookup_type_cache(direct.row_type, TYPECACHE_TUPDESC);
    if (type->tupDesc == nullptr)
        elog(ERROR, "type %u is not composite", direct.row_type);
    if (direct.shape_id != type->tupDesc_identifier) {
        const MemoryContext before = MemoryContextSwitchTo(direct.context);
        direct.shape = describe(type->tupDesc);
        MemoryContextSwitchTo(before);
        direct.shape_id = type->tupDesc_identifier;
    }
    return type->tupDesc;
}

bool is_default(const Arguments &arguments, int position, const DirectCall &direct) {
    return arguments.nulls[position] == 'n' && direct.defaults[position].is_there;
}

// A plan computes DEFAULTs and leaves out dropped columns.
bool is_for_a_plan(const DirectCall &direct, const Arguments &arguments, int count) {
    for (int i = 0; i < count; ++i)
        if (is_default(arguments, i, direct) && !direct.defaults[i].is_constant)
            return true;
    return direct.shape.has_dropped;
}

Rows rows_of(const ReturnSetInfo &set, const RowShape &shape) {
    if (set.returnMode != SFRM_Materialize)
        elog(ERROR, "a function of a route did not return its rows in a store");
    if (set.setResult == nullptr)
        return {};
    const std::int64_t most = tuplestore_tuple_count(set.setResult);
    Rows rows{nullptr, 0, set.setDesc, &shape};
    rows.tuples =
        static_cast<HeapTuple *>(MemoryContextAllocHuge(CurrentMemoryContext, sizeof(HeapTuple) * (most + 1)));
    TupleTableSlot *slot = MakeSingleTupleTableSlot(set.setDesc, &TTSOpsMinimalTuple);
    while (static_cast<std::int64_t>(rows.count) < most && tuplestore_gettupleslot(set.setResult, true, false, slot))
        rows.tuples[rows.count++] = ExecCopySlotHeapTuple(slot);
    ExecDropSingleTupleTableSlot(slot);
    tuplestore_end(set.setResult);
    return rows;
}

// After any change of a constraint, be it of a temporary table of another session, PostgreSQL makes anew what a domain
// demands and leaves what was kept before it where it is.
void drop_outdated(DomainChecks &checks, int count) {
    if (checks.changes == constraint_changes)
        return;
    MemoryContextReset(checks.context);
    std::fill_n(checks.kept, count, nullptr);
    checks.changes = constraint_changes;
}

// As SPI runs a statement: one that only reads sees what its caller sees, another one takes a snapshot of its own.
Rows call_directly(DirectCall &direct, const Arguments &arguments, int count, bool is_read_only, TupleDesc expected) {
    require_right(direct.function.fn_oid);
    if (!is_read_only) {
        PushActiveSnapshot(GetTransactionSnapshot());
        CommandCounterIncrement();
        UpdateActiveSnapshotCommandId();
    }
    ReturnSetInfo set{};
    set.type = T_ReturnSetInfo;
    set.econtext = CreateStandaloneExprContext();
    set.expectedDesc = expected;
    set.allowedModes = SFRM_Materialize;
    set.returnMode = SFRM_ValuePerCall;
    auto *call = static_cast<FunctionCallInfo>(palloc0(SizeForFunctionCallInfo(count)));
    InitFunctionCallInfoData(*call, &direct.function, static_cast<short>(count), direct.collation, nullptr,
                             reinterpret_cast<Node *>(&set));
    drop_outdated(direct.checks, count);
    for (int i = 0; i < count; ++i) {
        const NullableDatum value = is_default(arguments, i, direct)
                                        ? direct.defaults[i].value
                                        : NullableDatum{arguments.values[i], arguments.nulls[i] == 'n'};
        if (OidIsValid(direct.domains[i]))
            domain_check(value.value, value.isnull, direct.domains[i], &direct.checks.kept[i], direct.checks.context);
        call->args[i] = value;
    }
    PgStat_FunctionCallUsage usage;
    pgstat_init_function_usage(call, &usage);
    FunctionCallInvoke(call);
    pgstat_end_function_usage(&usage, true);
    const Rows rows = rows_of(set, direct.shape);
    FreeExprContext(set.econtext, true);
    if (!is_read_only) {
        PopActiveSnapshot();
        CommandCounterIncrement();
    }
    return rows;
}

Rows call_by_plan(const Route &route, const Signature &signature, const Arguments &arguments) {
    const int result = SPI_execute_plan(signature.plan, arguments.values, arguments.nulls, route.is_read_only, 0);
    if (result != SPI_OK_SELECT)
        elog(ERROR, "could not call relygate.%s: %s", route.function, SPI_result_code_string(result));
    auto *shape = static_cast<RowShape *>(palloc(sizeof(RowShape)));
    *shape = describe(SPI_tuptable->tupdesc);
    return {SPI_tuptable->vals, SPI_processed, SPI_tuptable->tupdesc, shape};
}

} // namespace

DirectCall *prepare_direct_call(Oid function, const Signature &signature, const Oid *declared, int defaults) {
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for function %u", function);
    auto *direct = static_cast<DirectCall *>(palloc0(sizeof(DirectCall)));
    bool is_direct =
        is_of_the_kind(tuple) && !has_length(declared, signature.count) && find_collation(*direct, signature, declared);
    if (is_direct) {
        is_direct = get_func_result_type(function, &direct->row_type, &direct->table_shape) == TYPEFUNC_COMPOSITE;
        read_defaults(*direct, tuple, signature, defaults);
    }
    ReleaseSysCache(tuple);
    if (!is_direct)
        return nullptr;
    direct->context = CurrentMemoryContext;
    auto *domains = static_cast<Oid *>(palloc0(sizeof(Oid) * (signature.count + 1)));
    for (int i = 0; i < signature.count; ++i)
        domains[i] = declared[i] == signature.types[i] ? InvalidOid : declared[i];
    direct->domains = domains;
    listen_for_constraints();
    direct->checks = {AllocSetContextCreate(direct->context, "relygate domains", ALLOCSET_SMALL_SIZES),
                      static_cast<void **>(palloc0(sizeof(void *) * (signature.count + 1))), constraint_changes};
    if (direct->row_type == RECORDOID)
        direct->shape = describe(direct->table_shape);
    fmgr_info_cxt(function, &direct->function, direct->context);
    return direct;
}

Rows call_route(const Route &route, const Signature &signature, const Arguments &arguments) {
    if (signature.direct == nullptr)
        return call_by_plan(route, signature, arguments);
    DirectCall &direct = *signature.direct;
    TupleDesc expected = expected_shape(direct);
    if (is_for_a_plan(direct, arguments, signature.count))
        return call_by_plan(route, signature, arguments);
    PinTupleDesc(expected);
    const Rows rows = call_directly(direct, arguments, signature.count, route.is_read_only, expected);
    ReleaseTupleDesc(expected);
    return rows;
}

} // namespace relygate::pg
