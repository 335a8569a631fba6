"""What is in a database, in a form that can be compared with what is in another: rows of tables, facts of the catalog, the audit.

A table's checksum is a sum of 64-bit hashes of its rows, so it does not depend on their order and needs no sort. It finds accidents
and forgotten rows; that a file was not exchanged is said by its SHA-256.
"""
import json
import pathlib
import re

from database import literal
from program import Failure, say

# Facts that stand outside of the database, under its name.
OF_THE_DATABASE = ("database", "settings", "bindings")
OF_THE_CLUSTER = ("roles", "role settings", "memberships", "parameter grants")

# Each type here is hashed by its bytes; all others by their text, as json has no hash and that of an enum is its OID's. The text is what
# the type's output function says, which only a superuser can make: a cast to text may be the type's owner's own, and would run here
# with the rights of a backup or of a superuser. For the types whose casts say something else than that the difference is made up.
_TABLES = """
SELECT c.oid::regclass::text AS name, jsonb_agg(a.attname ORDER BY a.attname) AS columns,
       string_agg(CASE WHEN coalesce(nullif(t.typbasetype, 0), t.oid) = ANY ('{uuid,text,timestamptz,date,bool,bytea,int2,int4,int8}'::regtype[])
                       THEN quote_ident(a.attname)
                       ELSE format('CASE WHEN num_nulls(%1$I) = 0 THEN '
                                   || CASE coalesce(nullif(t.typbasetype, 0), t.oid)
                                           WHEN 'bpchar'::regtype THEN 'rtrim(format(''%%s'', %1$I), '' '')'
                                           WHEN 'inet'::regtype THEN 'regexp_replace(regexp_replace(format(''%%s'', %1$I), ''^[^/:]+$'', ''\\&/32''), ''^[^/]+$'', ''\\&/128'')'
                                           ELSE 'format(''%%s'', %1$I)' END || ' END', a.attname)
                  END, ', ' ORDER BY a.attname) AS hashed
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
  JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped JOIN pg_type t ON t.oid = a.atttypid
 WHERE CONDITION AND c.relpersistence <> 't'
   AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'e')
 GROUP BY c.oid ORDER BY c.oid::regclass::text COLLATE "C"
"""


def tables(session):
    """All tables with rows of their own, those of partitions one by one. None may be a view when it is read, as pg_dump sees to, too:
    whoever owns a table could put a view of functions in its place meanwhile. Older servers have no such setting."""
    session.execute("SELECT set_config(name, 'view, foreign-table', false) FROM pg_settings WHERE name = 'restrict_nonsystem_relation_kind'")
    return session.rows(_TABLES.replace("CONDITION", "c.relkind = 'r' AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'"))


def tenant_tables(session):
    """Tables of tenants, in order of their foreign keys: {name, columns, hashed, key}. The mark of a protected table names its key."""
    found = session.rows(_TABLES.replace("CONDITION", "c.oid IN (SELECT t.tgrelid FROM pg_trigger t WHERE t.tgname = 'relygate_no_truncate')"))
    keys = {row["name"]: row["key"] for row in session.rows(
        r"SELECT tgrelid::regclass::text AS name, rtrim(encode(tgargs, 'escape'), '\000') AS key FROM pg_trigger WHERE tgname = 'relygate_no_truncate'")}
    references = session.rows("SELECT DISTINCT conrelid::regclass::text AS child, confrelid::regclass::text AS parent FROM pg_constraint "
                              "WHERE contype = 'f' AND conrelid <> confrelid")
    waiting = {table["name"]: {**table, "key": keys[table["name"]]} for table in found}
    ordered = []
    while waiting:
        free = [name for name in waiting if not any(r["child"] == name and r["parent"] in waiting for r in references)]
        ordered += [waiting.pop(name) for name in free or list(waiting)]    # a circle has no order, and needs none
    return ordered


def measure(session, table, condition="true"):
    """Number and checksum of the rows of a table."""
    return session.row(f"SELECT count(*) AS rows, coalesce(sum(hash_record_extended(ROW({table['hashed']}), 0)), 0)::text AS checksum "
                       f"FROM {table['name']} WHERE {condition}")


def facts(session, database, roles):
    text = (pathlib.Path(__file__).parent / "catalog.sql").read_text(encoding="utf-8")
    text = text.replace(":'database'", literal(database)).replace(":'roles'", literal(json.dumps(sorted(roles))))
    return [": ".join(json.loads(line)) for line in session.execute(text)]


def kind_of(fact):
    return fact.partition(": ")[0]


def differences(wanted, found, what):
    """In words, what a list of facts has and another has not."""
    wanted, found = set(wanted), set(found)
    said = [f"missing {fact}" for fact in sorted(wanted - found)] + [f"unknown {fact}" for fact in sorted(found - wanted)]
    return [f"{what}: {line}" for line in said]


def table_differences(wanted, found):
    """Both: {table: {rows, checksum}}."""
    said = []
    for name in sorted({*wanted, *found}):
        before, after = wanted.get(name), found.get(name)
        if after is None:
            said.append(f"{name} is missing, it had {before['rows']} rows")
        elif before is None:
            said.append(f"{name} is unknown to the backup")
        elif before["rows"] != after["rows"]:
            said.append(f"{name} has {after['rows']} rows, the backup {before['rows']}")
        elif before["checksum"] != after["checksum"]:
            said.append(f"{name} has {after['rows']} rows as the backup, but with other content")
    return said


def fail_on(said, headline):
    if said:
        more = [f"... and {len(said) - 20} more"] if len(said) > 20 else []
        raise Failure("\n".join([headline, *("  " + line for line in said[:20]), *more]))


def versions(session):
    """Of the extension and of the migrations: two databases with the same have the same tables."""
    return {
        "extension": session.value("SELECT extversion FROM pg_extension WHERE extname = 'relygate'"),
        "migrations": [[row["change"], row["script_hash"]] for row in session.rows(
            "SELECT change, script_hash FROM sqitch.changes WHERE project = 'relygate' ORDER BY change COLLATE \"C\"")]
        if session.value("SELECT to_regclass('sqitch.changes') IS NOT NULL") else []}


def same_versions(session, wanted, made):
    """Refuses a database whose tables are of another version; made: what was made with the wanted one."""
    here = versions(session)
    if here["extension"] != wanted["extension"]:
        raise Failure(f"{made} was made with version {wanted['extension']} of the extension, this database has {here['extension'] or 'none'}\n"
                      "Bring both to the same version first: scripts/migrate up --extension")
    if here["migrations"] != wanted["migrations"]:
        names = sorted({change for change, _ in [*here["migrations"], *wanted["migrations"]]
                        if [h for c, h in here["migrations"] if c == change] != [h for c, h in wanted["migrations"] if c == change]})
        raise Failure(f"{made} was made with other migrations than this database has: {', '.join(names)}\n"
                      "Bring both to the same state first: scripts/migrate status, scripts/migrate up")


_MONTHS = 600    # of history that may be brought in: a partition each


def make_months_since(session, month):
    """Partitions of the audit log back to a month (YYYY-MM), for history that is older than this schema."""
    if not re.fullmatch(r"\d{4}-(0[1-9]|1[0-2])", month):
        raise Failure(f"{month} is no month")
    months = session.value(f"SELECT (12 * extract(year FROM age) + extract(month FROM age))::int FROM age(date_trunc('month', now()), {literal(month + '-01')}) age")
    if months > _MONTHS:
        raise Failure(f"the history begins in {month}, which is more than {_MONTHS // 12} years ago; nothing was touched")
    if months > 0:
        session.execute(f"SELECT relygate.make_audit_partitions({-months})")


def audit_head(session):
    """The newest root of the sealed audit, None where nothing is sealed or nothing seals."""
    if session.value("SELECT to_regprocedure('relygate.audit_head()') IS NULL"):
        return None
    return session.value("SELECT relygate.audit_head()")


def audit_findings(session, head):
    """What verify_audit() finds, None where it is not there. That a month was archived or a tenant imported is no defect."""
    if session.value("SELECT to_regprocedure('relygate.verify_audit(text, int)') IS NULL"):
        return None
    return [f"{row['finding']}: {row['detail']}" for row in session.rows(
        f"SELECT finding, detail FROM relygate.verify_audit({literal(head)}) WHERE finding NOT IN ('archived', 'imported')")]


def tell_of_keys(session):
    """Sealed keys need the key file of the server that they come from."""
    if session.value("SELECT to_regprocedure('relygate.key_findings()') IS NOT NULL"):
        for row in session.rows("SELECT object, finding, advice FROM relygate.key_findings()"):
            say(f"warning: {row['object']}: {row['finding']}. {row['advice'] or ''}")
