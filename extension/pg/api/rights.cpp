// See rights.hpp.
//
// What was looked up is kept in this backend under (tenant, user, session). A trigger on each table that it comes from
// (relygate.rights_changed) invalidates, with its transaction, the relcache entry of a table that holds nothing and
// that no plan reads; every backend's callback then counts a change, and what was kept before it is looked up again.
// The messages travel in WAL, so replicas hear them too, and a rollback sends none. They are sent after the change has
// become visible and read before a transaction takes its snapshot: a revoked right is refused from the next transaction
// on.
#include "pg/api/rights.hpp"

#include "pg/api/plan.hpp"
#include "pg/boundary.hpp"
#include "pg/tenancy/context.hpp"

extern "C" {
#include <catalog/namespace.h>
#include <utils/datum.h>
#include <utils/hsearch.h>
}

namespace relygate::pg {
namespace {

constexpr const char *kRights =
    "SELECT t.state::pg_catalog.text, t.country::pg_catalog.text, r.name::pg_catalog.text, t.is_operator,"
    "       CASE WHEN r.is_built_in THEN relygate.built_in_permissions(r.name)"
    "            ELSE ARRAY(SELECT p.permission FROM relygate.role_permissions p"
    "                        WHERE p.tenant_id = r.tenant_id AND p.role_id = r.id) END,"
    "       s.expires_at"
    "  FROM relygate.tenants t"
    "  JOIN relygate.users u ON u.tenant_id = t.id"
    "  JOIN relygate.roles r ON r.tenant_id = u.tenant_id AND r.id = u.role_id"
    "  LEFT JOIN relygate.sessions s ON s.tenant_id = u.tenant_id AND s.id = $2 AND s.user_id = u.id"
    "                               AND s.revoked_at IS NULL"
    " WHERE t.id = relygate.current_tenant() AND u.id = $1 AND u.is_active AND ($2 IS NULL OR s.id IS NOT NULL)";

constexpr const char *kTenant = "SELECT t.state::pg_catalog.text, t.country::pg_catalog.text FROM relygate.tenants t"
                                " WHERE t.id = relygate.current_tenant()";

constexpr long kMostKept = 4096; // then all are dropped; a backend serves a few tenants' users at a time

struct Key {
    pg_uuid_t tenant, user, session; // zeros: no session
};

struct Entry {
    Key key;
    const char *role, *country;
    bool is_suspended, is_operator;
    TimestampTz session_ends; // where the key has a session
    int permission_count;
    const std::string_view *permissions;
};

MemoryContext kept_context = nullptr;
HTAB *kept = nullptr;
std::uint64_t changes = 0, kept_at = 0; // what was kept at another count is stale
Oid watched = InvalidOid;

void relation_changed(Datum, Oid relation) {
    if (!OidIsValid(relation) || relation == watched)
        ++changes;
}

void function_changed(Datum, int, uint32) {
    ++changes; // the permissions of built-in roles stand in a function
}

// The table whose relcache entry stands for all rights; where migrations have not made it yet nothing is kept.
bool is_told_of_changes() {
    if (!OidIsValid(watched)) {
        const Oid schema = get_namespace_oid("relygate_global", true);
        watched = OidIsValid(schema) ? get_relname_relid("rights_changes", schema) : InvalidOid;
    }
    return OidIsValid(watched);
}

void listen_for_changes() {
    static bool is_listening = false;
    if (is_listening)
        return;
    CacheRegisterRelcacheCallback(relation_changed, 0);
    CacheRegisterSyscacheCallback(PROCOID, function_changed, 0);
    is_listening = true;
}

void drop_kept() {
    if (kept_context)
        MemoryContextDelete(kept_context);
    kept_context = nullptr; // memory may end in the next lines
    kept = nullptr;
    kept_context = AllocSetContextCreate(CacheMemoryContext, "relygate rights", ALLOCSET_DEFAULT_SIZES);
    HASHCTL shape{};
    shape.keysize = sizeof(Key);
    shape.entrysize = sizeof(Entry);
    shape.hcxt = kept_context;
    kept = hash_create("relygate rights", 64, &shape, HASH_ELEM | HASH_BLOBS | HASH_CONTEXT);
    kept_at = changes;
    watched = InvalidOid; // it may have been made anew
}

const char *column_text(int column) {
    return SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column);
}

Datum column_value(int column, bool &is_null) {
    return SPI_getbinval(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, column, &is_null);
}

void read_permissions(Entry &entry, int column) {
    bool is_null;
    const Datum value = column_value(column, is_null);
    entry.permission_count = 0;
    if (is_null)
        return;
    Datum *elements;
    deconstruct_array(DatumGetArrayTypeP(value), TEXTOID, -1, false, TYPALIGN_INT, &elements, nullptr,
                      &entry.permission_count);
    auto *permissions =
        static_cast<std::string_view *>(palloc(sizeof(std::string_view) * (entry.permission_count + 1)));
    for (int i = 0; i < entry.permission_count; ++i)
        permissions[i] = TextDatumGetCString(elements[i]);
    entry.permissions = permissions;
}

// False: no such active user with this live session in this tenant. A fresh snapshot, not the statement's: between that
// and this look-up a message may have come that nobody would see again.
bool look_up(Entry &entry, bool has_session) {
    static SPIPlanPtr plan = nullptr;
    if (plan == nullptr)
        plan = keep_plan(kRights, {UUIDOID, UUIDOID});
    Datum values[] = {UUIDPGetDatum(&entry.key.user), UUIDPGetDatum(&entry.key.session)};
    const char nulls[] = {' ', has_session ? ' ' : 'n', '\0'};
    if (SPI_execute_plan(plan, values, nulls, false, 1) != SPI_OK_SELECT)
        elog(ERROR, "could not look up the rights of a user");
    if (SPI_processed == 0)
        return false;
    entry.is_suspended = std::string_view(column_text(1)) == "suspended";
    entry.country = column_text(2);
    entry.role = column_text(3);
    bool is_null;
    entry.is_operator = DatumGetBool(column_value(4, is_null));
    read_permissions(entry, 5);
    const Datum ends = column_value(6, is_null);
    entry.session_ends = has_session ? DatumGetTimestampTz(ends) : 0;
    SPI_freetuptable(SPI_tuptable);
    return true;
}

void keep(const Entry &found) {
    if (hash_get_num_entries(kept) >= kMostKept)
        drop_kept();
    const MemoryContext before = MemoryContextSwitchTo(kept_context);
    Entry copy = found;
    copy.role = pstrdup(found.role);
    copy.country = pstrdup(found.country);
    auto *permissions =
        static_cast<std::string_view *>(palloc(sizeof(std::string_view) * (found.permission_count + 1)));
    for (int i = 0; i < found.permission_count; ++i)
        permissions[i] = {pstrdup(found.permissions[i].data()), found.permissions[i].size()};
    copy.permissions = permissions;
    *static_cast<Entry *>(hash_search(kept, &copy.key, HASH_ENTER, nullptr)) = copy;
    MemoryContextSwitchTo(before);
}

// platform.* exists in the operator's tenant alone, whatever a role there or elsewhere says.
bool is_allowed(const Entry &entry, std::string_view permission) {
    if (permission == "signed_in")
        return true;
    if (permission.starts_with("platform.") && !entry.is_operator)
        return false;
    return std::find(entry.permissions, entry.permissions + entry.permission_count, permission) !=
           entry.permissions + entry.permission_count;
}

// The strings are copied: what is kept may be dropped while the request still runs.
Rights rights_of(const Entry &entry, bool has_session, const char *permission) {
    Rights rights{};
    rights.role = pstrdup(entry.role);
    rights.country = pstrdup(entry.country);
    rights.is_suspended = entry.is_suspended;
    rights.is_known = !has_session || entry.session_ends > GetCurrentStatementStartTimestamp();
    rights.is_allowed = is_allowed(entry, permission);
    return rights;
}

// Where this transaction has written, it may see rights that nobody else will ever see; and an old snapshot sees old
// ones.
bool may_keep() {
    return !IsolationUsesXactSnapshot() && !TransactionIdIsValid(GetTopTransactionIdIfAny()) && is_told_of_changes();
}

} // namespace

Rights look_up_rights(Datum user, const Datum *session, const char *permission) {
    listen_for_changes();
    if (kept == nullptr || kept_at != changes)
        drop_kept();
    Key key{};
    key.tenant = *current_tenant_or_raise(); // also where nothing is read: the walls of the context stand
    key.user = *DatumGetUUIDP(user);
    if (session)
        key.session = *DatumGetUUIDP(*session);
    if (!IsolationUsesXactSnapshot())
        if (const auto *found = static_cast<const Entry *>(hash_search(kept, &key, HASH_FIND, nullptr)))
            return rights_of(*found, session != nullptr, permission);
    Entry entry{};
    entry.key = key;
    const bool keeps = may_keep();
    const auto changes_before = changes;
    if (!look_up(entry, session != nullptr))
        return {};
    if (keeps && changes_before == changes)
        keep(entry);
    return rights_of(entry, session != nullptr, permission);
}

void look_up_tenant(Rights &rights) {
    static SPIPlanPtr plan = nullptr;
    if (plan == nullptr)
        plan = keep_plan(kTenant, {});
    if (SPI_execute_plan(plan, nullptr, nullptr, true, 1) != SPI_OK_SELECT)
        elog(ERROR, "could not look up a tenant");
    if (SPI_processed == 0)
        return; // there is no such tenant: the function finds no row either
    rights.is_suspended = std::string_view(column_text(1)) == "suspended";
    rights.country = column_text(2);
    SPI_freetuptable(SPI_tuptable);
}

} // namespace relygate::pg

using namespace relygate;

// AFTER UPDATE OR DELETE (where a new row adds a right: INSERT too) FOR EACH ROW. Arguments: the columns that rights
// come from; an UPDATE of others (the time of the last login) disturbs nobody. Without arguments every change counts.
RELYGATE_FUNCTION(relygate_rights_changed) {
    if (!CALLED_AS_TRIGGER(fcinfo))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("rights_changed is a trigger function"));
    const auto *trigger = reinterpret_cast<TriggerData *>(fcinfo->context);
    if (!TRIGGER_FIRED_AFTER(trigger->tg_event) || !TRIGGER_FIRED_FOR_ROW(trigger->tg_event))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("rights_changed must be fired after and for each row"));
    bool is_change = !TRIGGER_FIRED_BY_UPDATE(trigger->tg_event) || trigger->tg_trigger->tgnargs == 0;
    const TupleDesc shape = RelationGetDescr(trigger->tg_relation);
    for (int i = 0; i < trigger->tg_trigger->tgnargs && !is_change; ++i) {
        const int column = SPI_fnumber(shape, trigger->tg_trigger->tgargs[i]);
        if (column <= 0)
            ereport(ERROR, errcode(ERRCODE_UNDEFINED_COLUMN),
                    errmsg("table \"%s\" has no column \"%s\"", RelationGetRelationName(trigger->tg_relation),
                           trigger->tg_trigger->tgargs[i]));
        bool was_null, is_null;
        const Datum before = heap_getattr(trigger->tg_trigtuple, column, shape, &was_null);
        const Datum after = heap_getattr(trigger->tg_newtuple, column, shape, &is_null);
        const Form_pg_attribute attribute = TupleDescAttr(shape, column - 1);
        is_change =
            was_null != is_null || (!is_null && !datum_image_eq(before, after, attribute->attbyval, attribute->attlen));
    }
    if (is_change) {
        const Oid schema = get_namespace_oid("relygate_global", true);
        const Oid told = OidIsValid(schema) ? get_relname_relid("rights_changes", schema) : InvalidOid;
        if (OidIsValid(told))
            CacheInvalidateRelcacheByRelid(told);
    }
    PG_RETURN_POINTER(nullptr);
}
