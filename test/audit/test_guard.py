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


WRITES = ["INSERT INTO {t} SELECT * FROM {t} LIMIT 1", "UPDATE {t} SET cluster = 1", "DELETE FROM {t}", "TRUNCATE {t}", "DROP TABLE {t} CASCADE",
          "ALTER TABLE {t} DISABLE TRIGGER ALL", "ALTER TABLE {t} NO FORCE ROW LEVEL SECURITY", "CREATE POLICY open ON {t} USING (true)",
          "ALTER TABLE {t} OWNER TO CURRENT_USER", "COPY {t} FROM PROGRAM 'true'"]


@pytest.mark.parametrize("role", ROLES)
def test_no_role_writes_or_opens_it(role, sealed, tenants):
    passed = {sql.format(t=table): state for table in TABLES for sql in WRITES
              if (state := attempt(sealed, tenants.north, role, sql.format(t=table))) not in ("42501", "42P01")}
    # relygate_backup may read all and is held to read-only transactions only after a login.
    assert passed == {}


@pytest.mark.parametrize("role", [role for role in ROLES if role != "relygate_backup"])
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
SUPERUSER = {
    "rows": ["UPDATE {t} SET cluster = 1", "DELETE FROM {t}", "TRUNCATE {t}", "SET LOCAL session_replication_role = replica; DELETE FROM {t}",
             "SET LOCAL session_replication_role = replica; TRUNCATE {t}"],
    "one trigger": ["ALTER TABLE {t} DISABLE TRIGGER append_only", "ALTER TABLE {t} ENABLE TRIGGER append_only_truncate",
                    "ALTER TABLE {t} ENABLE REPLICA TRIGGER append_only",
                    "SET LOCAL session_replication_role = replica; ALTER TABLE {t} DISABLE TRIGGER append_only"],
    "dropped trigger": ["DROP TRIGGER append_only_truncate ON {t}"],
    "another trigger": ["CREATE TRIGGER swallow BEFORE INSERT ON {t} FOR EACH ROW EXECUTE FUNCTION suppress_redundant_updates_trigger()"],
    "rule": ["CREATE RULE swallow AS ON INSERT TO {t} DO INSTEAD NOTHING"],
    "owner": ["ALTER TABLE {t} OWNER TO relygate_owner"],
    "grant": ["GRANT UPDATE ON {t} TO relygate_api", "GRANT ALL ON {t} TO PUBLIC"],
    "drop": ["DROP TABLE {t} CASCADE"],
    "all triggers, then rows": ["ALTER TABLE {t} DISABLE TRIGGER ALL; DELETE FROM {t}", "ALTER TABLE {t} DISABLE TRIGGER USER; TRUNCATE {t}",
                                "ALTER TABLE {t} ENABLE TRIGGER ALL; SET LOCAL session_replication_role = replica; DELETE FROM {t}"],
}
PARTITIONS = {
    "policy": ["CREATE POLICY open ON {t} USING (true)", "CREATE POLICY open ON {t} AS RESTRICTIVE FOR SELECT TO relygate_audit USING (false)",
               "ALTER POLICY sealing ON {t} TO PUBLIC", "ALTER POLICY sealing ON {t} USING (false)", "ALTER POLICY sealing ON {t} RENAME TO other"],
    "dropped policy": ["DROP POLICY sealing ON {t}"],
    "row security": ["ALTER TABLE {t} NO FORCE ROW LEVEL SECURITY", "ALTER TABLE {t} DISABLE ROW LEVEL SECURITY"],
    "grant to read": ["GRANT SELECT ON {t} TO relygate_api"],
}


def listed(table, words):
    return [sql.format(t=table) for word in words for sql in words[word]]


@pytest.mark.defence("audit-guard")
@pytest.mark.parametrize("table", TABLES)
def test_a_superuser_is_refused_until_he_disables_the_guard(table, sealed, tenants):
    partition = table in ("relygate.audit_log_MONTH", "relygate.audit_seals_all")
    commands = listed(table, SUPERUSER) + (listed(table, PARTITIONS) if partition else [])
    if partition:
        commands.append(f"ALTER TABLE {table.replace('_MONTH', '').replace('_all', '')} DETACH PARTITION {table}")
        # append_only of a partition is its parent's.
        commands = [sql for sql in commands if "DROP TRIGGER append_only " not in sql]
    passed = {sql: state for sql in commands if (state := attempt(sealed, tenants.north, None, sql)) != "42501"}
    assert passed == {}
    assert attempt(sealed, tenants.north, None, "DROP OWNED BY relygate_audit CASCADE") == "42501"


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


@pytest.mark.defence("audit-rearmed")
def test_a_data_only_restore_finds_the_log_armed(sealed, tenants):
    # What pg_restore --disable-triggers does with each table.
    with transaction(sealed) as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenants.north,))
        for table in (name.replace("MONTH", sealed.month) for name in TABLES):
            for word in ("DISABLE", "ENABLE"):
                cursor.execute(f"ALTER TABLE {table} {word} TRIGGER ALL")
                cursor.execute("SELECT tgname::text, tgenabled::text FROM pg_trigger WHERE tgrelid = %s::regclass AND NOT tgisinternal", (table,))
                assert {enabled for name, enabled in cursor.fetchall() if name.startswith("append_only")} == {"A"}, f"{word} {table}"
    assert sealed.run("SELECT * FROM relygate.validate_schema()") == []
    assert verify(sealed) == []


PLANTED = {
    "ALTER EVENT TRIGGER relygate_guard_audit_ddl DISABLE": "missing or disabled",
    "ALTER EVENT TRIGGER relygate_guard_audit_drop ENABLE": "missing or disabled",
    "DROP EVENT TRIGGER relygate_guard_audit_drop": "missing or disabled",
    "GRANT relygate_audit TO relygate_api": "a member of relygate_audit",
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
}


@pytest.mark.defence("audit-defects")
@pytest.mark.parametrize("sql", PLANTED)
def test_validate_schema_shows_what_was_done_without_the_guard(sql, sealed):
    assert sealed.run("SELECT * FROM relygate.validate_schema()") == []
    connection = sealed.connect(autocommit=False)
    try:
        with connection.cursor() as cursor:
            if "EVENT TRIGGER" not in sql:
                cursor.execute("DO $$ DECLARE g name; BEGIN FOR g IN SELECT evtname FROM pg_event_trigger WHERE evtname LIKE 'relygate_guard%' LOOP "
                               "EXECUTE format('ALTER EVENT TRIGGER %I DISABLE', g); END LOOP; END $$")
            cursor.execute(sql.replace("MONTH", sealed.month))
            assert PLANTED[sql] in [finding for finding, in rows(cursor, "SELECT finding FROM relygate.validate_schema()")]
    finally:
        connection.rollback()
        connection.close()
