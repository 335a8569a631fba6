"""Attack 22: the audit is written, truncated, dropped, opened, read past its tenant, by every role and by a superuser. And what a restore
needs, which opens nothing."""
import psycopg2
import pytest

from ledger import add_visitors, rows, transaction, verify

ROLES = ["relygate_owner", "relygate_api", "relygate_shim", "relygate_reporting", "relygate_platform", "relygate_backup"]
TABLES = ["relygate.audit_log", "relygate.audit_log_MONTH", "relygate.audit_seals", "relygate.audit_seals_all", "relygate_global.audit_roots"]


@pytest.fixture(scope="module")
def sealed(database, tenants):
    add_visitors(database, tenants.north, 2)
    add_visitors(database, tenants.south, 2)
    database.seal()
    database.month = database.value("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY_MM')")
    return database


def attempt(database, tenant, role, sql):
    """The SQLSTATE with which it was refused; everything is rolled back. None: it went through."""
    connection = database.connect(autocommit=False)
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenant,))
            if role:
                cursor.execute(f"SET LOCAL ROLE {role}")
            cursor.execute(sql.replace("MONTH", database.month))
        return None
    except psycopg2.Error as error:
        return error.pgcode
    finally:
        connection.rollback()
        connection.close()


RIGHTS = "INSERT, UPDATE, DELETE, TRUNCATE, REFERENCES, TRIGGER"
WRITES = ["INSERT INTO {t} SELECT * FROM {t} LIMIT 1", "UPDATE {t} SET cluster = 1", "DELETE FROM {t}", "TRUNCATE {t}", "DROP TABLE {t} CASCADE",
          "ALTER TABLE {t} DISABLE TRIGGER ALL", "ALTER TABLE {t} NO FORCE ROW LEVEL SECURITY", "CREATE POLICY open ON {t} USING (true)",
          "ALTER TABLE {t} OWNER TO CURRENT_USER", "COPY {t} FROM PROGRAM 'true'"]


MEMBERS = [pytest.param(role, marks=pytest.mark.defence("audit-no-members")) if role in ("relygate_api", "relygate_shim") else role for role in ROLES]


@pytest.mark.defence("audit-no-writers")
@pytest.mark.parametrize("role", MEMBERS)
def test_no_role_writes_or_opens_it(role, sealed, tenants):
    passed = {sql.format(t=table): state for table in TABLES for sql in WRITES
              if (state := attempt(sealed, tenants.north, role, sql.format(t=table))) not in ("42501", "42P01")}
    # relygate_backup may read all and is held to read-only transactions only after a login.
    assert passed == {}
    for table in TABLES:
        assert not sealed.value("SELECT has_table_privilege(%s, %s, %s)", role, table.replace("MONTH", sealed.month), RIGHTS), table


@pytest.mark.defence("audit-partitions-closed")
@pytest.mark.parametrize("role", [role for role in MEMBERS if role != "relygate_backup"])
def test_no_role_reads_past_its_tenant(role, sealed, tenants):
    for table in ("relygate.audit_log_MONTH", "relygate.audit_seals_all", "relygate_global.audit_roots"):
        assert attempt(sealed, tenants.north, role, f"SELECT FROM {table}") == "42501", table
    for table in ("relygate.audit_log", "relygate.audit_seals"):
        with transaction(sealed) as cursor:
            cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenants.north,))
            if rows(cursor, "SELECT has_table_privilege(%s, %s, 'SELECT')", role, table)[0][0]:
                cursor.execute(f"SET LOCAL ROLE {role}")
                assert rows(cursor, f"SELECT DISTINCT tenant_id FROM {table}") == [(tenants.north,)], table


# What a superuser is refused until he disables the event triggers. {t}: each of the tables.
ROWS = ["UPDATE {t} SET cluster = 1", "DELETE FROM {t}", "TRUNCATE {t}", "SET LOCAL session_replication_role = replica; DELETE FROM {t}",
        "SET LOCAL session_replication_role = replica; TRUNCATE {t}"]
CHANGES = ["ALTER TABLE {t} DISABLE TRIGGER append_only", "ALTER TABLE {t} ENABLE TRIGGER append_only_truncate",
           "ALTER TABLE {t} ENABLE REPLICA TRIGGER append_only",
           "SET LOCAL session_replication_role = replica; ALTER TABLE {t} DISABLE TRIGGER append_only",
           # One that answers NULL keeps rows out.
           "CREATE TRIGGER swallow BEFORE INSERT ON {t} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()",
           "CREATE RULE swallow AS ON INSERT TO {t} DO INSTEAD NOTHING", "ALTER TABLE {t} OWNER TO relygate_owner",
           "GRANT UPDATE ON {t} TO relygate_api", "GRANT ALL ON {t} TO PUBLIC"]
# Of these the rest of the audit's tables tell nothing.
ALONE = [pytest.param(table, marks=pytest.mark.defence("audit-parts", "audit-guard-of-parts")) if table not in ("relygate.audit_log", "relygate.audit_seals") else table for table in TABLES]
DROPS = ["DROP TRIGGER append_only_truncate ON {t}", "DROP TABLE {t} CASCADE", "DROP OWNED BY relygate_audit CASCADE"]
TRIGGERS_THEN_ROWS = ["ALTER TABLE {t} DISABLE TRIGGER ALL; DELETE FROM {t}", "ALTER TABLE {t} DISABLE TRIGGER USER; TRUNCATE {t}",
                      "ALTER TABLE {t} ENABLE TRIGGER ALL; SET LOCAL session_replication_role = replica; DELETE FROM {t}"]
OF_PARTITIONS = ["CREATE POLICY open ON {t} USING (true)", "CREATE POLICY open ON {t} AS RESTRICTIVE FOR SELECT TO relygate_audit USING (false)",
                 "ALTER POLICY sealing ON {t} TO PUBLIC", "ALTER POLICY sealing ON {t} USING (false)", "ALTER POLICY sealing ON {t} RENAME TO other",
                 "ALTER TABLE {t} NO FORCE ROW LEVEL SECURITY", "ALTER TABLE {t} DISABLE ROW LEVEL SECURITY", "GRANT SELECT ON {t} TO relygate_api",
                 "ALTER TABLE {parent} DETACH PARTITION {t}"]
PARTITIONS = {"relygate.audit_log_MONTH": "relygate.audit_log", "relygate.audit_seals_all": "relygate.audit_seals"}


# A table of somebody else, with all that a partition must have but its name and owner.
ATTACHED = """CREATE TABLE public.pp (LIKE relygate.audit_log INCLUDING DEFAULTS INCLUDING CONSTRAINTS);
    ALTER TABLE public.pp ENABLE ROW LEVEL SECURITY, FORCE ROW LEVEL SECURITY; ALTER TABLE relygate.audit_log ATTACH PARTITION public.pp DEFAULT"""


def not_refused(database, tenant, commands, table):
    """Those of the commands that are not."""
    texts = [sql.format(t=table, parent=PARTITIONS.get(table)) for sql in commands]
    return {sql: state for sql in texts if (state := attempt(database, tenant, None, sql)) != "42501"}


@pytest.mark.defence("append-only")
@pytest.mark.parametrize("table", TABLES)
def test_a_superuser_changes_no_row(table, sealed, tenants):
    assert not_refused(sealed, tenants.north, ROWS, table) == {}


@pytest.mark.defence("append-only", "audit-guard-of-changes")
@pytest.mark.parametrize("table", TABLES)
def test_a_superuser_changes_no_row_by_disabling_triggers(table, sealed, tenants):
    assert not_refused(sealed, tenants.north, TRIGGERS_THEN_ROWS, table) == {}


@pytest.mark.defence("audit-guard-of-changes", "audit-defects")
@pytest.mark.parametrize("table", TABLES)
def test_a_superuser_opens_nothing_until_he_disables_the_guard(table, sealed, tenants):
    assert not_refused(sealed, tenants.north, CHANGES + (OF_PARTITIONS if table in PARTITIONS else []), table) == {}


@pytest.mark.defence("audit-guard-of-changes", "audit-defects")
@pytest.mark.parametrize("table", ALONE)
def test_a_superuser_gives_no_part_of_it_another_name(table, sealed, tenants):
    assert not_refused(sealed, tenants.north, ["ALTER TABLE {t} RENAME TO other", "ALTER TABLE {t} SET SCHEMA public"], table) == {}


@pytest.mark.defence("audit-guard-of-changes", "audit-defects", "audit-parts", "audit-guard-of-parts")
@pytest.mark.parametrize("owner", ["CURRENT_USER", "relygate_owner", "relygate_audit"])
def test_nothing_else_becomes_a_part_of_it(owner, sealed, tenants):
    assert attempt(sealed, tenants.north, None, ATTACHED.replace("; ALTER TABLE relygate", f"; ALTER TABLE public.pp OWNER TO {owner}; ALTER TABLE relygate")) == "42501"


@pytest.mark.defence("audit-guard-of-drops")
@pytest.mark.parametrize("table", TABLES)
def test_a_superuser_drops_nothing_until_he_disables_the_guard(table, sealed, tenants):
    assert not_refused(sealed, tenants.north, DROPS + (["DROP POLICY sealing ON {t}"] if table in PARTITIONS else []), table) == {}


@pytest.mark.defence("whole")
def test_what_opens_nothing_goes_through(sealed, tenants):
    for sql in ("ALTER TABLE relygate.audit_log ADD COLUMN note text", "ALTER TABLE relygate.audit_log ADD CONSTRAINT x CHECK (table_name <> 'x')",
                "SELECT relygate.make_audit_partitions(7)", "CREATE TABLE public.mine (a int); ALTER TABLE public.mine ADD b int; GRANT SELECT ON public.mine TO PUBLIC",
                "SELECT relygate.grant_functions()", "CREATE INDEX ON relygate.audit_log_MONTH (row_id)"):
        assert attempt(sealed, tenants.north, None, sql) is None, sql


def test_whoever_has_no_right_on_us_may_alter_his_own(sealed):
    sealed.run("DROP ROLE IF EXISTS stranger_of_audit; CREATE ROLE stranger_of_audit LOGIN; CREATE SCHEMA strange AUTHORIZATION stranger_of_audit")
    try:
        with transaction(sealed, "stranger_of_audit") as cursor:
            cursor.execute("CREATE TABLE strange.mine (a int); ALTER TABLE strange.mine ADD b int; GRANT SELECT ON strange.mine TO PUBLIC; DROP TABLE strange.mine")
    finally:
        sealed.run("DROP SCHEMA strange CASCADE; DROP ROLE stranger_of_audit")


@pytest.mark.defence("audit-rearmed", "audit-guard-of-changes")
def test_a_data_only_restore_finds_the_log_armed(sealed, tenants):
    # What pg_restore --disable-triggers does with each table.
    before = sealed.run("SELECT * FROM relygate.validate_schema()")
    with transaction(sealed) as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenants.north,))
        for table in (name.replace("MONTH", sealed.month) for name in TABLES):
            for word in ("DISABLE", "ENABLE"):
                cursor.execute(f"ALTER TABLE {table} {word} TRIGGER ALL")
                cursor.execute("SELECT tgname::text, tgenabled::text FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", (table,))
                assert {enabled for name, enabled in cursor.fetchall() if name.startswith("append_only")} == {"A"}, f"{word} {table}"
    assert sealed.run("SELECT * FROM relygate.validate_schema()") == before
    assert verify(sealed) == []


ANOTHER_NAME = "it is a part of the audit under another name, or of another kind"
PLANTED = {
    "ALTER EVENT TRIGGER relygate_guard_audit_ddl DISABLE": "missing or disabled",
    "ALTER EVENT TRIGGER relygate_guard_audit_drop ENABLE": "missing or disabled",
    "DROP EVENT TRIGGER relygate_guard_audit_drop": "missing or disabled",
    "ALTER TABLE relygate.audit_log DISABLE TRIGGER append_only": "trigger append_only is missing or not ENABLE ALWAYS",
    "ALTER TABLE relygate.audit_log_MONTH ENABLE TRIGGER append_only_truncate": "trigger append_only_truncate is missing or not ENABLE ALWAYS",
    "CREATE RULE swallow AS ON INSERT TO relygate.audit_log_MONTH DO INSTEAD NOTHING": "rule swallow has no business there",
    "CREATE TRIGGER swallow BEFORE INSERT ON relygate_global.audit_roots FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()":
        "trigger swallow has no business there",
    "ALTER TABLE relygate.audit_log DETACH PARTITION relygate.audit_log_MONTH": "it is not a partition of the audit",
    "DROP POLICY sealing ON relygate.audit_log_MONTH": "its policy must be sealing alone, for relygate_audit",
    "CREATE POLICY open ON relygate.audit_seals_all USING (true)": "its policy must be sealing alone, for relygate_audit",
    "ALTER TABLE relygate.audit_seals_all NO FORCE ROW LEVEL SECURITY": "row-level security is not enabled and forced",
    "ALTER TABLE relygate.audit_log_MONTH OWNER TO relygate_owner": "it does not belong to relygate_audit",
    "GRANT SELECT ON relygate_global.audit_roots TO relygate_api": "SELECT is granted to relygate_api",
    "GRANT INSERT ON relygate.audit_log TO relygate_api": "INSERT is granted to relygate_api",
    ATTACHED: ANOTHER_NAME,
    ATTACHED + "; ALTER TABLE public.pp OWNER TO relygate_owner": "it does not belong to relygate_audit",
    "CREATE TABLE public.more_roots () INHERITS (relygate_global.audit_roots)": ANOTHER_NAME,
    "ALTER TABLE relygate.audit_log_MONTH RENAME TO mine": ANOTHER_NAME,
    "ALTER TABLE relygate.audit_log_MONTH SET SCHEMA public": ANOTHER_NAME,
    "ALTER TABLE relygate.audit_log RENAME TO mine": ANOTHER_NAME,
    "ALTER TABLE relygate_global.audit_roots SET SCHEMA public": ANOTHER_NAME,
    "ALTER TABLE relygate.audit_seals RENAME TO mine": "it is not there",
    "DROP TABLE relygate_global.audit_roots": "it is not there",
}
PARTS = pytest.mark.defence("audit-parts")


@pytest.mark.defence("audit-defects")
@pytest.mark.parametrize("sql", [pytest.param(sql, marks=PARTS if said == ANOTHER_NAME or "public.pp" in sql else ()) for sql, said in PLANTED.items()])
def test_what_was_done_without_the_guard_is_shown(sql, sealed):
    found = sealed.run("SELECT object, finding FROM relygate.audit_defects()")
    connection = sealed.connect(autocommit=False)
    try:
        with connection.cursor() as cursor:
            if "EVENT TRIGGER" not in sql:
                cursor.execute("DO $$ DECLARE g name; BEGIN FOR g IN SELECT evtname FROM pg_event_trigger WHERE evtname LIKE 'relygate_guard%' LOOP "
                               "EXECUTE format('ALTER EVENT TRIGGER %I DISABLE', g); END LOOP; END $$")
            cursor.execute(sql.replace("MONTH", sealed.month))
            assert PLANTED[sql] in [finding for _, finding in set(rows(cursor, "SELECT object, finding FROM relygate.audit_defects()")) - set(found)]
    finally:
        connection.rollback()
        connection.close()
