// What a protected table must have, asked by the guard's event triggers and by validate_schema(). One query over the
// catalogs, run with the caller's rights: whoever alters a table of his own, in whatever schema, fires the guard, and
// he may have no right on anything of ours, not even to look a name up in our schema. The functions' search_path is
// pg_catalog, so the deparsed policies name every other schema.
#include "pg/boundary.hpp"

extern "C" {
#include <commands/event_trigger.h>
}

namespace {

// Tables to look at: what a command has touched (with its children and parents: ATTACH PARTITION names the parent, a
// command on a partition does not), or one table ($1).
constexpr const char *kTouchedByCommand = R"(
SELECT coalesce(p.polrelid, t.tgrelid, r.ev_class, i.indrelid, c.objid)
  FROM pg_event_trigger_ddl_commands() c
  LEFT JOIN pg_policy p ON c.classid = 'pg_policy'::regclass AND p.oid = c.objid
  LEFT JOIN pg_trigger t ON c.classid = 'pg_trigger'::regclass AND t.oid = c.objid
  LEFT JOIN pg_rewrite r ON c.classid = 'pg_rewrite'::regclass AND r.oid = c.objid
  LEFT JOIN pg_index i ON c.classid = 'pg_class'::regclass AND i.indexrelid = c.objid
 WHERE c.classid IN ('pg_class'::regclass, 'pg_policy'::regclass, 'pg_trigger'::regclass, 'pg_rewrite'::regclass)
UNION SELECT unnest(ARRAY[i.inhrelid, i.inhparent])
  FROM pg_event_trigger_ddl_commands() c JOIN pg_inherits i ON c.objid IN (i.inhparent, i.inhrelid)
 WHERE c.classid = 'pg_class'::regclass)";
constexpr const char *kTouchedByDrop = R"(
SELECT c.oid FROM pg_event_trigger_dropped_objects() d
  JOIN pg_namespace n ON n.nspname = d.address_names[1]
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = d.address_names[2]
 WHERE d.object_type IN ('policy', 'trigger', 'table constraint'))";
constexpr const char *kOneTable = "SELECT $1";

// The triggers that protect are known by their names when they are dropped, so each name stays with its function: under
// another name one could be dropped, and CREATE OR REPLACE TRIGGER would put another function in its place. The same
// for what it fires at (tgtype), and for WHEN and UPDATE OF.
constexpr const char *kForgedTrigger = R"(
SELECT g.tgrelid::regclass, format('trigger %s is not what protects a table', g.tgname)
  FROM touched JOIN pg_trigger g ON g.tgrelid = touched.oid AND NOT g.tgisinternal
  JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_proc f ON f.oid = g.tgfoid JOIN pg_namespace m ON m.oid = f.pronamespace
  JOIN (VALUES ('relygate_no_truncate', 'refuse_truncate', 34), ('audit', 'audit_row', 29),
               ('append_only', 'refuse_audit_change', 27), ('append_only_truncate', 'refuse_audit_change', 34))
       AS w (name, function, type) ON (n.nspname = 'relygate' OR w.name = 'relygate_no_truncate') AND (g.tgname = w.name
       OR m.nspname = 'relygate' AND f.proname = w.function AND g.tgtype = w.type)
 WHERE (g.tgname, f.proname, m.nspname, g.tgtype::int, g.tgqual IS NULL, g.tgattr::text, g.tgdeferrable)
       IS DISTINCT FROM (w.name::name, w.function::name, 'relygate'::name, w.type, true, '', false))";

// The product's tables whose changes are on record. A table that a DBA adds is audited or not as he likes; where it has
// the trigger, it must be the right one.
constexpr const char *kNoAudit = R"(
SELECT c.oid::regclass, 'trigger audit is missing'
  FROM touched JOIN pg_class c ON c.oid = touched.oid JOIN pg_namespace n ON n.oid = c.relnamespace
 WHERE n.nspname = 'relygate'
   AND c.relname IN ('gates', 'hosts', 'locations', 'purposes', 'role_permissions', 'roles', 'sites', 'tenant_settings',
                     'tenants', 'users', 'visitor_categories', 'visitors', 'visits')
   AND NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = c.oid AND g.tgname = 'audit' AND NOT g.tgisinternal))";

// Keys are checked without policies. Only those that this transaction has made are refused (age() is then 0, or below
// in a subtransaction): a table with an older one could not be altered any more.
constexpr const char *kOpenKeys = R"(
SELECT g.tgrelid::regclass, format('key %s does not begin with %s', i.indexrelid::regclass, a.attname)
  FROM touched JOIN marks g ON g.tgrelid = touched.oid AND g.column_name <> 'id'
  JOIN pg_attribute a ON a.attrelid = g.tgrelid AND a.attname = g.column_name
  JOIN pg_index i ON i.indrelid = g.tgrelid AND (i.indisunique OR i.indisexclusion) AND i.indkey[0] <> a.attnum
 WHERE age(i.xmin) <= 0
UNION ALL
SELECT g.tgrelid::regclass, format('foreign key %s does not carry %s', k.conname, g.column_name)
  FROM touched JOIN marks g ON g.tgrelid = touched.oid AND g.column_name <> 'id'
  JOIN pg_constraint k ON k.conrelid = g.tgrelid AND k.contype = 'f' AND k.conparentid = 0
  JOIN marks f ON f.tgrelid = k.confrelid
 WHERE age(k.xmin) <= 0 AND NOT EXISTS (
       SELECT FROM unnest(k.conkey, k.confkey) AS n (own, others)
         JOIN pg_attribute a ON a.attrelid = k.conrelid AND a.attnum = n.own AND a.attname = g.column_name
         JOIN pg_attribute b ON b.attrelid = k.confrelid AND b.attnum = n.others AND b.attname = f.column_name))";

// In another schema its triggers would not be known as those that protect.
constexpr const char *kMoved = R"(
SELECT g.tgrelid::regclass, 'it is in another schema' FROM touched JOIN marks g ON g.tgrelid = touched.oid)";

// The audit hears of rows and knows columns by their names: a new type rewrites all rows of all tenants unheard, under
// the name of a secret a change is not written down, and what a dropped column had may come back with another value.
// A superuser's migrations do so.
constexpr const char *kColumnsChanged = R"(
SELECT g.tgrelid::regclass, 'a column has another name or type or is gone, of which the audit knows nothing'
  FROM touched JOIN marks g ON g.tgrelid = touched.oid
 WHERE NOT (SELECT u.rolsuper FROM pg_roles u WHERE u.rolname = current_user))";

// Without a key of its own a tenant's row can be there twice, and nothing can refer to it.
constexpr const char *kNoKeyLeft = R"(
SELECT g.tgrelid::regclass, format('no key begins with %s', g.column_name)
  FROM touched JOIN marks g ON g.tgrelid = touched.oid
  JOIN pg_attribute a ON a.attrelid = g.tgrelid AND a.attname = g.column_name
 WHERE EXISTS (SELECT FROM pg_event_trigger_dropped_objects() d JOIN pg_class c ON c.oid = g.tgrelid
                 JOIN pg_namespace n ON n.oid = c.relnamespace
                WHERE d.object_type = 'table constraint' AND d.address_names[1:2] = ARRAY[n.nspname, c.relname]::text[])
   AND NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = g.tgrelid AND i.indisunique AND i.indpred IS NULL
                     AND i.indkey[0] = a.attnum))";

// A drop may take the mark of protection itself: then the table that stays behind is no longer known as protected.
constexpr const char *kLostMark = R"(
SELECT c.oid::regclass, format('trigger %s is missing', d.address_names[3]) FROM pg_event_trigger_dropped_objects() d
  JOIN pg_namespace n ON n.nspname = d.address_names[1]
  JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = d.address_names[2]
 WHERE d.object_type = 'trigger' AND d.original
   AND (d.address_names[3] = 'relygate_no_truncate'
        OR n.nspname = 'relygate' AND d.address_names[3] IN ('audit', 'append_only', 'append_only_truncate')))";

// The policies' expressions are compared as text: ALTER POLICY ... USING (true) leaves WITH CHECK and all dependencies.
// A superuser may disable all triggers of a table at once, as pg_restore --disable-triggers does, but not one of them.
constexpr const char *kDefects = R"(
SELECT r.oid::regclass, d.defect
  FROM (SELECT c.oid, c.relrowsecurity, c.relforcerowsecurity, t.column_name = 'id' AS is_tenants,
               '( SELECT relygate.current_tenant() AS current_tenant)' AS asked, quote_ident(t.column_name) AS tenant_column
          FROM marks t JOIN pg_class c ON c.oid = t.tgrelid WHERE c.oid IN (SELECT touched.oid FROM touched)) r
 CROSS JOIN LATERAL (
       SELECT format('(%s IS NOT NULL)', r.asked) AS base, format('(%s = %s)', r.tenant_column, r.asked) AS tenant,
              '((CURRENT_USER = ''relygate_platform''::name) OR %s)' AS or_platform) w
 CROSS JOIN LATERAL (
       SELECT CASE WHEN r.is_tenants THEN format(w.or_platform, w.base) ELSE w.base END AS base,
              CASE WHEN r.is_tenants THEN format(w.or_platform, w.tenant) ELSE w.tenant END AS tenant) e
 CROSS JOIN LATERAL (
       SELECT 'row-level security is not enabled' WHERE NOT r.relrowsecurity
       UNION ALL SELECT 'row-level security is not forced' WHERE NOT r.relforcerowsecurity
       UNION ALL SELECT 'policy base is missing or changed' WHERE NOT EXISTS (
              SELECT FROM pg_policy p WHERE p.polrelid = r.oid AND p.polname = 'base' AND p.polpermissive AND p.polcmd = '*'
                 AND p.polroles = '{0}' AND pg_get_expr(p.polqual, r.oid) = e.base AND p.polwithcheck IS NULL)
       UNION ALL SELECT 'policy tenant is missing or changed' WHERE NOT EXISTS (
              SELECT FROM pg_policy p WHERE p.polrelid = r.oid AND p.polname = 'tenant' AND NOT p.polpermissive AND p.polcmd = '*'
                 AND p.polroles = '{0}' AND pg_get_expr(p.polqual, r.oid) = e.tenant
                 AND pg_get_expr(p.polwithcheck, r.oid) = e.tenant)
       UNION ALL SELECT format('column %s may be NULL', r.tenant_column) FROM pg_attribute a
        WHERE a.attrelid = r.oid AND quote_ident(a.attname) = r.tenant_column AND NOT a.attnotnull
       UNION ALL SELECT format('rule %s rewrites it', w.rulename) FROM pg_rewrite w WHERE w.ev_class = r.oid
       UNION ALL SELECT 'it is a member of an extension, so no dump has its rows' FROM pg_depend d
        WHERE d.classid = 'pg_class'::regclass AND d.objid = r.oid AND d.deptype = 'e'
       UNION ALL SELECT format('partition %s can be read past its policies', i.inhrelid::regclass)
         FROM pg_inherits i JOIN pg_class p ON p.oid = i.inhrelid
        WHERE i.inhparent = r.oid AND NOT (p.relrowsecurity AND p.relforcerowsecurity)
       -- Asked for its parent's rows, a table's own policies do not count.
       UNION ALL SELECT format('it is a child of %s', i.inhparent::regclass) FROM pg_inherits i WHERE i.inhrelid = r.oid
       UNION ALL SELECT format('trigger %s is disabled', string_agg(g.tgname, ', ' ORDER BY g.tgname))
         FROM pg_trigger g WHERE g.tgrelid = r.oid AND g.tgenabled NOT IN ('O', 'A')
       HAVING count(*) > 0 AND NOT (
              excused AND NOT EXISTS (SELECT FROM pg_trigger g WHERE g.tgrelid = r.oid AND g.tgenabled <> 'D'))) d (defect))";

// The marks of protected tables, with the name of the tenant's column.
constexpr const char *kMarks = R"(
SELECT g.tgrelid, replace(encode(g.tgargs, 'escape'), '\000', '') AS column_name
  FROM pg_trigger g JOIN pg_proc f ON f.oid = g.tgfoid JOIN pg_namespace n ON n.oid = f.pronamespace
 WHERE f.proname = 'refuse_truncate' AND n.nspname = 'relygate' AND NOT g.tgisinternal)";

// The query over these tables; `excused`: whether a superuser's restore is let through.
const char *defects_of(const char *touched, std::initializer_list<const char *> also, bool excused) {
    StringInfoData query;
    initStringInfo(&query);
    appendStringInfoString(&query, "WITH touched (oid) AS (");
    appendStringInfoString(&query, touched);
    appendStringInfoString(&query, "), marks AS (");
    appendStringInfoString(&query, kMarks);
    appendStringInfoString(&query, "), settings AS (SELECT ");
    appendStringInfoString(&query,
                           excused ? "(SELECT u.rolsuper FROM pg_roles u WHERE u.rolname = current_user)" : "false");
    appendStringInfoString(&query, " AS excused) SELECT f.\"table\"::text, string_agg(f.defect, '; ') FROM (");
    appendStringInfoString(&query, "SELECT x.* FROM settings CROSS JOIN LATERAL (");
    appendStringInfoString(&query, kDefects);
    appendStringInfoString(&query, ") x ");
    for (const char *more : also) {
        appendStringInfoString(&query, " UNION ALL ");
        appendStringInfoString(&query, more);
    }
    appendStringInfoString(&query, ") f (\"table\", defect) GROUP BY 1 ORDER BY 1 LIMIT 1");
    return query.data;
}

const Node *command_of(FunctionCallInfo fcinfo) {
    return reinterpret_cast<EventTriggerData *>(fcinfo->context)->parsetree;
}

bool is_move(FunctionCallInfo fcinfo) {
    return IsA(command_of(fcinfo), AlterObjectSchemaStmt);
}

bool changes_columns(FunctionCallInfo fcinfo) {
    const Node *command = command_of(fcinfo);
    if (IsA(command, RenameStmt))
        return reinterpret_cast<const RenameStmt *>(command)->renameType == OBJECT_COLUMN;
    if (!IsA(command, AlterTableStmt))
        return false;
    ListCell *cell;
    foreach (cell, reinterpret_cast<const AlterTableStmt *>(command)->cmds) {
        const AlterTableType what = lfirst_node(AlterTableCmd, cell)->subtype;
        if (what == AT_AlterColumnType || what == AT_DropColumn)
            return true;
    }
    return false;
}

void guard(const char *touched, std::initializer_list<const char *> also) {
    SPI_connect();
    // Not as read-only: that would look at the catalogs through the snapshot from before the command.
    if (SPI_execute(defects_of(touched, also, true), false, 1) != SPI_OK_SELECT)
        ereport(ERROR, errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not look at the protection of a table"));
    if (SPI_processed > 0) {
        const HeapTuple row = SPI_tuptable->vals[0];
        ereport(ERROR, errcode(ERRCODE_INSUFFICIENT_PRIVILEGE),
                errmsg("this would open the protected table %s", SPI_getvalue(row, SPI_tuptable->tupdesc, 1)),
                errdetail("Afterwards: %s.", SPI_getvalue(row, SPI_tuptable->tupdesc, 2)),
                errhint("A superuser can disable the event triggers relygate_guard_ddl and relygate_guard_drop."));
    }
    SPI_finish();
}

void require_event_trigger(FunctionCallInfo fcinfo) {
    if (!CALLED_AS_EVENT_TRIGGER(fcinfo))
        ereport(ERROR, errcode(ERRCODE_E_R_I_E_EVENT_TRIGGER_PROTOCOL_VIOLATED),
                errmsg("not called by an event trigger"));
}

} // namespace

RELYGATE_FUNCTION(relygate_guard_ddl) {
    require_event_trigger(fcinfo);
    if (is_move(fcinfo))
        guard(kTouchedByCommand, {kForgedTrigger, kMoved});
    else if (changes_columns(fcinfo))
        guard(kTouchedByCommand, {kForgedTrigger, kOpenKeys, kColumnsChanged});
    else
        guard(kTouchedByCommand, {kForgedTrigger, kOpenKeys});
    PG_RETURN_NULL();
}

RELYGATE_FUNCTION(relygate_guard_drop) {
    require_event_trigger(fcinfo);
    guard(kTouchedByDrop, {kLostMark, kNoKeyLeft});
    PG_RETURN_NULL();
}

RELYGATE_FUNCTION(relygate_protection_defects) {
    const MemoryContext caller = CurrentMemoryContext;
    Oid types[] = {OIDOID};
    Datum values[] = {PG_GETARG_DATUM(0)};
    SPI_connect();
    if (SPI_execute_with_args(defects_of(kOneTable, {kForgedTrigger, kNoAudit}, false), 1, types, values, nullptr, true,
                              1) != SPI_OK_SELECT)
        ereport(ERROR, errcode(ERRCODE_INTERNAL_ERROR), errmsg("could not look at the protection of a table"));
    text *defects = nullptr;
    if (SPI_processed > 0) {
        const MemoryContext own = MemoryContextSwitchTo(caller);
        defects = cstring_to_text(SPI_getvalue(SPI_tuptable->vals[0], SPI_tuptable->tupdesc, 2));
        MemoryContextSwitchTo(own);
    }
    SPI_finish();
    if (defects == nullptr)
        PG_RETURN_NULL();
    PG_RETURN_TEXT_P(defects);
}
