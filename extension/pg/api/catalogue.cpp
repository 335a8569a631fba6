// See catalogue.hpp.
#include "pg/api/catalogue.hpp"

#include "core/route/member_name.hpp"
#include "pg/api/call.hpp"
#include "pg/boundary.hpp"

extern "C" {
#include <catalog/namespace.h>
#include <catalog/pg_proc.h>
#include <commands/async.h>
#include <utils/catcache.h>
#include <utils/fmgrprotos.h>
}

namespace relygate::pg {
namespace {

struct Catalogue {
    MemoryContext context = nullptr;
    Route *routes = nullptr;
    int count = 0;
    core::RouteTable table;
};

Catalogue catalogue;
bool is_valid = false;
Oid watched[3]; // the two tables and the view

void relation_changed(Datum, Oid relation) {
    if (!OidIsValid(relation) || std::find(std::begin(watched), std::end(watched), relation) != std::end(watched))
        is_valid = false;
}

void function_changed(Datum, int, uint32) {
    is_valid = false;
}

void listen_for_changes() {
    static bool is_listening = false;
    if (is_listening)
        return;
    CacheRegisterRelcacheCallback(relation_changed, 0);
    CacheRegisterSyscacheCallback(PROCOID, function_changed, 0);
    is_listening = true;
}

// The enclosing transaction may still use what is dropped here, so it dies with the transaction.
void drop_catalogue() {
    if (catalogue.context == nullptr)
        return;
    for (int i = 0; i < catalogue.count; ++i)
        if (const Signature *signature = catalogue.routes[i].signature; signature && signature->plan)
            SPI_freeplan(signature->plan);
    MemoryContextSetParent(catalogue.context, TopTransactionContext);
    catalogue = Catalogue{};
}

const char *text_or_null(HeapTuple row, TupleDesc shape, const char *column) {
    bool is_null;
    const Datum value = SPI_getbinval(row, shape, SPI_fnumber(shape, column), &is_null);
    return is_null ? nullptr : TextDatumGetCString(value);
}

bool flag(HeapTuple row, TupleDesc shape, const char *column) {
    bool is_null;
    return DatumGetBool(SPI_getbinval(row, shape, SPI_fnumber(shape, column), &is_null)) && !is_null;
}

const std::string_view *texts(HeapTuple row, TupleDesc shape, const char *column, int &count) {
    bool is_null;
    const Datum value = SPI_getbinval(row, shape, SPI_fnumber(shape, column), &is_null);
    count = 0;
    if (is_null)
        return nullptr;
    Datum *elements;
    bool *nulls;
    deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &elements, &nulls, &count);
    auto *result = static_cast<std::string_view *>(palloc0(sizeof(std::string_view) * (count + 1)));
    for (int i = 0; i < count; ++i)
        result[i] = nulls[i] ? std::string_view() : std::string_view(TextDatumGetCString(elements[i]));
    return result;
}

AnswerKind answer_kind(std::string_view word) {
    if (word == "object")
        return AnswerKind::object;
    if (word == "list")
        return AnswerKind::list;
    if (word == "none")
        return AnswerKind::none;
    return AnswerKind::answer;
}

std::string_view path_of(std::string_view sql_name) {
    return run_rule([&] {
        ContextMemory memory;
        return core::member_path(sql_name, memory);
    });
}

core::Alternatives parse_alternatives(std::string_view row) {
    const std::size_t count = static_cast<std::size_t>(std::count(row.begin(), row.end(), '|')) + 1;
    auto *members = static_cast<std::string_view *>(palloc0(sizeof(std::string_view) * count));
    for (std::size_t i = 0; i < count; ++i) {
        const std::size_t end = std::min(row.find('|'), row.size());
        members[i] = path_of(row.substr(0, end));
        row.remove_prefix(std::min(end + 1, row.size()));
    }
    return {members, count};
}

Route read_route(HeapTuple row, TupleDesc shape) {
    Route route{};
    route.method = text_or_null(row, shape, "method");
    route.pattern = text_or_null(row, shape, "pattern");
    route.function = text_or_null(row, shape, "function");
    route.permission = text_or_null(row, shape, "permission");
    route.location = text_or_null(row, shape, "location");
    route.message = text_or_null(row, shape, "message");
    route.tenant_argument = text_or_null(row, shape, "tenant_argument");
    route.answer = answer_kind(text_or_null(row, shape, "answer"));
    bool is_null;
    route.status = DatumGetInt32(SPI_getbinval(row, shape, SPI_fnumber(shape, "status"), &is_null));
    route.is_public = std::string_view(route.permission) == "public";
    route.is_read_only = flag(row, shape, "read_only");
    route.is_product = flag(row, shape, "is_product");
    route.is_while_suspended = flag(row, shape, "while_suspended");
    route.required = texts(row, shape, "required", route.required_count);
    const std::string_view *one_of = texts(row, shape, "one_of", route.one_of_count);
    auto *alternatives =
        static_cast<core::Alternatives *>(palloc0(sizeof(core::Alternatives) * (route.one_of_count + 1)));
    for (int i = 0; i < route.one_of_count; ++i)
        alternatives[i] = parse_alternatives(one_of[i]);
    route.one_of = alternatives;
    return route;
}

void read_catalogue() {
    listen_for_changes();
    is_valid = true; // before reading: what changes meanwhile makes it invalid again
    const Oid schema = get_namespace_oid("relygate", false);
    const Oid global = get_namespace_oid("relygate_global", true);
    watched[0] = get_relname_relid("product_routes", schema);
    watched[1] = OidIsValid(global) ? get_relname_relid("routes", global) : InvalidOid;
    watched[2] = get_relname_relid("routes", schema);
    if (SPI_execute(
            "SELECT method, pattern, function, permission, answer, status, location, message, required, one_of, "
            "read_only, while_suspended, tenant_argument, is_product FROM relygate.routes ORDER BY method, pattern",
            true, 0) != SPI_OK_SELECT)
        elog(ERROR, "could not read the routes");
    SPITupleTable *rows = SPI_tuptable;
    const int count = static_cast<int>(SPI_processed);

    const MemoryContext fresh = AllocSetContextCreate(CurrentMemoryContext, "relygate routes", ALLOCSET_DEFAULT_SIZES);
    const MemoryContext before = MemoryContextSwitchTo(fresh);
    auto *routes = static_cast<Route *>(palloc0(sizeof(Route) * (count + 1)));
    auto *patterns = static_cast<core::RoutePattern *>(palloc0(sizeof(core::RoutePattern) * (count + 1)));
    for (int i = 0; i < count; ++i) {
        routes[i] = read_route(rows->vals[i], rows->tupdesc);
        patterns[i] = {routes[i].method, routes[i].pattern};
    }
    const core::RouteTable table = run_rule([&] {
        ContextMemory memory(fresh);
        return core::RouteTable::make({patterns, static_cast<std::size_t>(count)}, memory);
    });
    MemoryContextSwitchTo(before);
    SPI_freetuptable(rows);

    drop_catalogue();
    MemoryContextSetParent(fresh, CacheMemoryContext);
    catalogue = Catalogue{fresh, routes, count, table};
}

// The function of a route, by its name alone: one name, one function.
Oid function_of(const Route &route) {
    const Oid schema = get_namespace_oid("relygate", false);
    CatCList *list = SearchSysCacheList1(PROCNAMEARGSNSP, CStringGetDatum(route.function));
    Oid found = InvalidOid;
    int count = 0;
    for (int i = 0; i < list->n_members; ++i) {
        const auto *procedure = reinterpret_cast<Form_pg_proc>(GETSTRUCT(&list->members[i]->tuple));
        if (procedure->pronamespace == schema) {
            found = procedure->oid;
            ++count;
        }
    }
    ReleaseSysCacheList(list);
    if (count != 1)
        ereport(ERROR, errcode(ERRCODE_UNDEFINED_FUNCTION),
                errmsg(count == 0 ? "function relygate.%s of a route does not exist"
                                  : "function relygate.%s of a route is not unique",
                       route.function),
                errdetail("The route is %s %s.", route.method.data(), route.pattern.data()));
    return found;
}

core::ValueKind kind_of(Oid type, const Route &route, const char *name) {
    switch (type) {
    case TEXTOID:
    case VARCHAROID:
        return core::ValueKind::text;
    case INT4OID:
        return core::ValueKind::int4;
    case INT8OID:
        return core::ValueKind::int8;
    case BOOLOID:
        return core::ValueKind::boolean;
    case UUIDOID:
        return core::ValueKind::uuid;
    case DATEOID:
        return core::ValueKind::date;
    case TIMESTAMPTZOID:
        return core::ValueKind::timestamptz;
    case TEXTARRAYOID:
        return core::ValueKind::text_array;
    case UUIDARRAYOID:
        return core::ValueKind::uuid_array;
    }
    ereport(ERROR, errcode(ERRCODE_DATATYPE_MISMATCH),
            errmsg("parameter \"%s\" of the route's function relygate.%s has a type that no member has", name,
                   route.function),
            errdetail("Its type is %s.", format_type_be(type)));
    pg_unreachable();
}

const core::InputRule *rule_of(Oid declared, Oid base) {
    if (declared == base)
        return nullptr;
    HeapTuple tuple = SearchSysCache1(TYPEOID, ObjectIdGetDatum(declared));
    if (!HeapTupleIsValid(tuple))
        return nullptr;
    const std::string_view name = NameStr(reinterpret_cast<Form_pg_type>(GETSTRUCT(tuple))->typname);
    const core::InputRule *rule = run_rule([&] { return core::find_input_rule(name); });
    ReleaseSysCache(tuple);
    return rule;
}

bool is_named(const std::string_view *names, int count, std::string_view name) {
    return std::find(names, names + count, name) != names + count;
}

// What the dispatcher fills itself is no member of a request.
int *position_of(Signature &signature, std::string_view name, bool &is_filled) {
    is_filled = true;
    if (name == "page_limit")
        return &signature.page_limit;
    if (name == "page_offset")
        return &signature.page_offset;
    if (name == "after")
        return &signature.after;
    if (name == "counting")
        return &signature.counting;
    if (name == "given")
        return &signature.given;
    is_filled = false;
    if (name == "sort")
        return &signature.sort;
    if (name == "tenant_id")
        return &signature.tenant_id;
    return nullptr;
}

// A parameter as pg_proc has it.
struct Declared {
    Oid type;
    int position; // among all arguments, from 1 on
};

const char *default_of(Oid function, const Declared &declared) {
    return TextDatumGetCString(
        DirectFunctionCall2(pg_get_function_arg_default, ObjectIdGetDatum(function), Int32GetDatum(declared.position)));
}

// The DEFAULT of a text parameter as a value. SPI's memory goes with the request, the catalogue's stays.
std::string_view default_text(Oid function, const Declared &declared) {
    const MemoryContext memory = CurrentMemoryContext;
    const char *sql = psprintf("SELECT (%s)::pg_catalog.text", default_of(function, declared));
    if (SPI_execute(sql, true, 1) != SPI_OK_SELECT || SPI_processed != 1)
        elog(ERROR, "could not read the DEFAULT of a parameter");
    const char *text = SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 1);
    const char *kept = text ? MemoryContextStrdup(memory, text) : "";
    SPI_freetuptable(SPI_tuptable);
    MemoryContextSwitchTo(memory); // SPI leaves its own
    return kept;
}

SPIPlanPtr prepare_call(const Route &route, const Signature &signature, const Declared *declared, Oid function,
                        int defaults) {
    StringInfoData sql;
    initStringInfo(&sql);
    appendStringInfo(&sql, "SELECT * FROM relygate.%s(", quote_identifier(route.function));
    for (int i = 0; i < signature.count; ++i) {
        appendStringInfo(&sql, "%s%s => ", i ? ", " : "", quote_identifier(signature.parameters[i].name.data()));
        const char *type = format_type_extended(declared[i].type, -1, FORMAT_TYPE_FORCE_QUALIFY);
        if (i >= signature.count - defaults) { // null is as good as absent, so it takes the DEFAULT
            appendStringInfo(&sql, "COALESCE(($%d)::%s, (%s)::%s)", i + 1, type, default_of(function, declared[i]),
                             type);
        } else {
            appendStringInfo(&sql, "($%d)::%s", i + 1, type);
        }
    }
    appendStringInfoChar(&sql, ')');
    SPIPlanPtr plan =
        SPI_prepare_cursor(sql.data, signature.count, const_cast<Oid *>(signature.types), CURSOR_OPT_GENERIC_PLAN);
    if (plan == nullptr)
        elog(ERROR, "could not prepare a call of relygate.%s: %s", route.function, SPI_result_code_string(SPI_result));
    return plan;
}

Signature *read_signature(const Route &route) {
    const Oid function = function_of(route);
    HeapTuple tuple = SearchSysCache1(PROCOID, ObjectIdGetDatum(function));
    if (!HeapTupleIsValid(tuple))
        elog(ERROR, "cache lookup failed for function %u", function);
    Oid *types;
    char **names, *modes;
    const int all = get_func_arg_info(tuple, &types, &names, &modes);
    const int defaults = reinterpret_cast<Form_pg_proc>(GETSTRUCT(tuple))->pronargdefaults;
    ReleaseSysCache(tuple);

    auto *signature = static_cast<Signature *>(palloc0(sizeof(Signature)));
    *signature = Signature{};
    auto *parameters = static_cast<core::Parameter *>(palloc0(sizeof(core::Parameter) * (all + 1)));
    auto *bases = static_cast<Oid *>(palloc0(sizeof(Oid) * (all + 1)));
    auto *declared = static_cast<Declared *>(palloc0(sizeof(Declared) * (all + 1)));
    for (int i = 0; i < all; ++i) {
        if (modes && modes[i] != PROARGMODE_IN && modes[i] != PROARGMODE_INOUT)
            continue;
        if (names == nullptr || names[i][0] == '\0')
            ereport(ERROR, errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
                    errmsg("function relygate.%s of a route has a parameter without a name", route.function));
        const int at = signature->count++;
        core::Parameter &parameter = parameters[at];
        declared[at] = {types[i], i + 1};
        bases[at] = getBaseType(types[i]);
        parameter.name = names[i];
        parameter.member = path_of(names[i]);
        parameter.kind = kind_of(bases[at], route, names[i]);
        parameter.rule = rule_of(types[i], bases[at]);
        if (int *position = position_of(*signature, names[i], parameter.is_filled))
            *position = at;
        if (route.tenant_argument && std::string_view(route.tenant_argument) == names[i])
            signature->tenant_argument = at;
    }
    for (int i = 0; i < signature->count; ++i) {
        parameters[i].has_default = i >= signature->count - defaults;
        parameters[i].is_required = is_named(route.required, route.required_count, parameters[i].name);
    }
    if (route.tenant_argument && signature->tenant_argument < 0)
        ereport(ERROR, errcode(ERRCODE_INVALID_FUNCTION_DEFINITION),
                errmsg("function relygate.%s has no parameter \"%s\" to take the tenant from", route.function,
                       route.tenant_argument));
    if (signature->sort >= signature->count - defaults)
        signature->default_sort = default_text(function, declared[signature->sort]);
    signature->parameters = parameters;
    signature->types = bases;
    auto *declared_types = static_cast<Oid *>(palloc0(sizeof(Oid) * (signature->count + 1)));
    for (int i = 0; i < signature->count; ++i)
        declared_types[i] = declared[i].type;
    signature->direct = prepare_direct_call(function, *signature, declared_types, defaults);
    signature->plan = prepare_call(route, *signature, declared, function, defaults); // last: SPI leaves its own memory
    return signature;
}

} // namespace

const Route *find_route(std::string_view method, std::string_view path, core::RouteMatch &match) {
    if (!is_valid)
        read_catalogue();
    match = catalogue.table.match(method, path);
    return match.kind == core::RouteMatch::Kind::found ? &catalogue.routes[match.route] : nullptr;
}

bool definitions_changed() {
    return !is_valid;
}

const Signature &signature_of(const Route &route) {
    if (route.signature)
        return *route.signature;
    // Built aside and kept when whole: a broken route must not leak at each request.
    const MemoryContext fresh = AllocSetContextCreate(CurrentMemoryContext, "relygate signature", ALLOCSET_SMALL_SIZES);
    const MemoryContext before = MemoryContextSwitchTo(fresh);
    Signature *signature = read_signature(route);
    MemoryContextSwitchTo(before);
    SPI_keepplan(signature->plan);
    MemoryContextSetParent(fresh, catalogue.context);
    const_cast<Route &>(route).signature = signature;
    return *signature;
}

} // namespace relygate::pg

using namespace relygate;

RELYGATE_FUNCTION(relygate_is_route_pattern) {
    PG_RETURN_BOOL(core::is_route_pattern(pg::text_view(PG_GETARG_TEXT_PP(0))));
}

// AFTER ... FOR EACH STATEMENT on both tables of routes.
RELYGATE_FUNCTION(relygate_routes_changed) {
    if (!CALLED_AS_TRIGGER(fcinfo))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("routes_changed is a trigger function"));
    const auto *trigger = reinterpret_cast<TriggerData *>(fcinfo->context);
    CacheInvalidateRelcache(trigger->tg_relation);
    Async_Notify("relygate_routes", "");
    PG_RETURN_POINTER(nullptr);
}
