"""Who works for which tenant: attacks 1 to 9 and 11 of docs/isolation.md, cases rls-003, rls-005, rls-006."""
import psycopg2
import pytest

from attackers import FORBIDDEN, NO_CONTEXT, SECOND_TENANT, WRONG_CONTEXT, defended_by, ground  # noqa: F401: a fixture
from conftest import wait_until
from pipeline import Pipeline

VISITS = "SELECT count(*) FROM relygate.visits"


def choose(tenant, local=False):
    return f"SELECT set_config('app.tenant_id', '{tenant}', {str(local).lower()})"


# Attack 1: without a context nothing is read or written, by nobody. Defence: an error, never NULL.

COMMANDS = {
    "SELECT": "SELECT count(*) FROM {0}", "INSERT": "INSERT INTO {0} DEFAULT VALUES", "UPDATE": "UPDATE {0} SET {1} = {1}",
    "DELETE": "DELETE FROM {0}"}


@pytest.mark.parametrize("who", ["chooser", "owner", "relygate_shim"])
@defended_by("no-context-error", "stable")
def test_attack_1_no_context(ground, who):
    asked = 0
    with ground.session(getattr(ground, who, who)) as session:
        for table in ground.tables:
            column = "id" if table == "relygate.tenants" else "tenant_id"
            for command, sql in COMMANDS.items():
                if session.value("SELECT has_table_privilege(%s, %s)", table, command):
                    state = session.refused(sql.format(table, column))
                    # tenants has no default that asks for the context: NOT NULL may come first.
                    assert state == NO_CONTEXT or (table, command, state) == ("relygate.tenants", "INSERT", "23502"), (table, command)
                    asked += 1
                else:
                    assert session.refused(sql.format(table, column)) == FORBIDDEN, (table, command)
    assert asked > 20


@defended_by("no-context-error", "security-invoker")
def test_attack_1_reporting_login_that_is_not_bound(ground):
    ground.database.run(f"GRANT relygate_reporting TO {ground.stranger}")
    try:
        with ground.session(ground.stranger) as session:
            for view in ("visits", "visitors", "occupancy", "audit"):
                assert session.refused(f"SELECT count(*) FROM relygate_report.{view}") == NO_CONTEXT
    finally:
        ground.database.run(f"REVOKE relygate_reporting FROM {ground.stranger}")


@pytest.mark.parametrize("statement", [
    "SELECT * FROM relygate.visitors", "INSERT INTO relygate.purposes (kind, name) VALUES ('visit', 'X')",
    "COPY (SELECT * FROM relygate.visitors) TO STDOUT", "COPY relygate.visitors TO STDOUT", "EXPLAIN ANALYZE SELECT * FROM relygate.visitors"])
@defended_by("no-context-error")
def test_rls_005_no_context(ground, statement):
    with ground.session(ground.chooser) as session:
        error = session.error(statement)
        assert error.pgcode == NO_CONTEXT
        assert "app.tenant_id" in error.diag.message_hint


@defended_by("postgresql")
def test_rls_005_where_false(ground):
    """No row can be there, so the context need not be asked for."""
    with ground.session(ground.chooser) as session:
        try:
            assert session.run("SELECT * FROM relygate.visitors WHERE false") == []
        except psycopg2.Error as error:
            assert error.pgcode == NO_CONTEXT


@defended_by("no-context-error")
def test_rls_005_empty_and_malformed_values(ground):
    with ground.session(ground.chooser) as session:
        session.run(choose(""))
        assert session.refused(VISITS) == NO_CONTEXT
        for text in ("north", "*", f"{ground.north} ", f"{{{ground.north}}}", ground.north.replace("-", ""), "0"):
            assert session.refused("SELECT set_config('app.tenant_id', %s, false)", text) == "22P02"
        assert session.refused(VISITS) == NO_CONTEXT


# Attack 2: a bound login chooses another tenant. Defence: PGC_SUSET (wall 1), the session's user must hold SET (wall 2).

FORGERIES = [
    pytest.param(statement, marks=by) for by, statements in (
        (defended_by("suset", "suset-and-entitlement", "preload"), (
            "SET app.tenant_id = '{south}'", "SET LOCAL app.tenant_id = '{south}'",
            "SET SESSION CHARACTERISTICS AS TRANSACTION READ ONLY; SET app.tenant_id = '{south}'",
            "SELECT set_config('app.tenant_id', '{south}', false)", "SELECT set_config('app.tenant_id', '{south}', true)",
            "UPDATE pg_settings SET setting = '{south}' WHERE name = 'app.tenant_id'")),
        (defended_by("suset", "suset-and-entitlement"), (
            "ALTER ROLE CURRENT_USER SET app.tenant_id = '{south}'",
            "CREATE FUNCTION own_{reader}.forge() RETURNS bigint LANGUAGE sql SET app.tenant_id = '{south}' AS 'SELECT 1'")),
        (defended_by("suset-and-entitlement"), ("ALTER DATABASE {database} SET app.tenant_id = '{south}'",)),
        (defended_by("lifetime-suset", "preload"), ("SET relygate.context_lifetime = 'transaction'",)),
        (defended_by("user-suset", "preload"), ("SELECT set_config('app.user_id', '{south}', false)",)),
        (defended_by("record-suset", "preload"), ("SET app.user_role = 'tenant_admin'", "SET app.request_id = 'x'", "SET app.client_address = '192.0.2.1'")))
    for statement in statements]


@pytest.mark.parametrize("statement", FORGERIES)
def test_attack_2_rls_006_bound_login_cannot_choose(ground, statement):
    text = statement.format(south=ground.south, reader=ground.reader, database=ground.database.name)
    # Fresh: the library must be there before the first statement. What would be another database's setting for all is not kept.
    with ground.session(ground.reader, autocommit=not text.startswith("ALTER DATABASE")) as session:
        assert session.refused(text) == FORBIDDEN
    with ground.session(ground.reader) as session:   # the role's own setting was not changed either
        assert session.value("SELECT relygate.current_tenant()") == ground.north


@defended_by("suset", "suset-and-entitlement")
def test_attack_2_rls_006_choice_and_use_in_one_statement(ground):
    with ground.session(ground.reader) as session:
        assert session.refused(f"SELECT set_config('app.tenant_id', '{ground.south}', true), count(*) FROM relygate_report.visits") == FORBIDDEN


@defended_by("suset-and-entitlement", "no-context-error")
@pytest.mark.parametrize("options", ["-c app.tenant_id={0}", "-c local_preload_libraries= -c app.tenant_id={0}"])
def test_attack_2_rls_006_connection_option(ground, options):
    """The forbidden value takes the place of the role's own and is thrown away when the library comes: then there is none."""
    with ground.session(ground.reader, options.format(ground.south)) as session:
        assert session.refused(VISITS) in (NO_CONTEXT, FORBIDDEN)


@defended_by("preload-not-settable")
def test_attack_2_a_login_cannot_leave_the_library_out(ground):
    with pytest.raises(psycopg2.OperationalError, match="permission denied to set parameter"):
        ground.session(ground.reader, f"-c app.tenant_id={ground.south} -c session_preload_libraries=")


@defended_by("lifetime-stricter", "lifetime-suset", "transaction-beside-value")
def test_attack_8_connection_option_does_not_take_the_lifetime_away(ground):
    """As with the tenant: the option takes the place of the role's setting. What is left must be the stricter lifetime."""
    with ground.session("relygate_shim", "-c relygate.context_lifetime=session") as session:
        session.run(choose(ground.north))
        assert session.refused(VISITS) == WRONG_CONTEXT
    with ground.session("postgres", "-c relygate.context_lifetime=session") as session:
        assert session.value("SHOW relygate.context_lifetime") == "session"      # who may, may


# Attack 3: the way back from a value leads to the own tenant. Defence: the id lives in the setting's `extra` alone.

WAYS_BACK = ["RESET ALL", "DISCARD ALL", "RESET app.tenant_id", "SET app.tenant_id TO DEFAULT"]


@pytest.mark.parametrize("way", WAYS_BACK + ["SET ROLE relygate_reporting", "RESET SESSION AUTHORIZATION"])
@defended_by("postgresql")
def test_attack_3_bound_login_keeps_its_tenant(ground, way):
    with ground.session(ground.reader) as session:
        try:
            session.run(way)
        except psycopg2.Error as error:
            assert error.pgcode == FORBIDDEN
        assert session.tenants_seen() == [ground.north]


@pytest.mark.parametrize("way", WAYS_BACK)
@defended_by("id-beside-value")
def test_attack_3_way_back_from_a_chosen_tenant(ground, way):
    """A login with a tenant by its role setting that may choose as well, so that there are two values to mix up."""
    name = ground.database.name
    ground.database.run(f"ALTER ROLE {ground.chooser} IN DATABASE {name} SET app.tenant_id = '{ground.north}'")
    try:
        with ground.session(ground.chooser) as session:
            session.run(choose(ground.south))
            assert session.tenants_seen() == [ground.south]
            session.run(way)
            assert session.tenants_seen() == [ground.north]
    finally:
        ground.database.run(f"ALTER ROLE {ground.chooser} IN DATABASE {name} RESET app.tenant_id")


# Attack 4: a value set before the library is there counts as set in the transaction that loads it. Defence: it has no transaction.

@defended_by("preload", "suset", "suset-and-entitlement")
def test_attack_4_library_is_there_first(ground):
    with ground.session(ground.reader) as session:
        assert session.refused(choose(ground.south)) == FORBIDDEN


@defended_by("no-transaction-before-load", "transaction-lifetime", "transaction-beside-value")
def test_attack_4_value_before_the_library(ground):
    name = ground.database.name
    ground.database.run(f"ALTER DATABASE {name} RESET session_preload_libraries")
    try:
        with ground.session("relygate_shim", autocommit=False) as session:
            session.run(f"SET LOCAL app.tenant_id = '{ground.north}'")
            assert session.refused(VISITS) == WRONG_CONTEXT
            session.connection.rollback()
            session.run(choose(ground.north, local=True))   # now it is there
            assert session.tenants_seen() == [ground.north]
    finally:
        ground.database.run(f"ALTER DATABASE {name} SET session_preload_libraries = 'relygate'")


@defended_by("transaction-beside-value", "transaction-lifetime")
def test_attack_4_connection_option_of_the_shim(ground):
    with ground.session("relygate_shim", f"-c app.tenant_id={ground.north}") as session:
        assert session.refused(VISITS) == WRONG_CONTEXT


# Attack 5: the tenant comes by configuration. Defence: the source of the value.

@defended_by("source-of-value")
def test_attack_5_database_setting(ground):
    name = ground.database.name
    ground.database.run(f"ALTER DATABASE {name} SET app.tenant_id = '{ground.north}'")
    try:
        for who in (ground.chooser, ground.owner, "relygate_shim"):
            with ground.session(who) as session:
                assert session.refused(VISITS) == WRONG_CONTEXT
                session.connection.autocommit = False
                session.run(choose(ground.north, local=True))   # a choice of one's own goes over it
                assert session.tenants_seen() == [ground.north]
    finally:
        ground.database.run(f"ALTER DATABASE {name} RESET app.tenant_id")


@defended_by("source-of-value")
def test_attack_5_setting_of_all_roles(ground):
    ground.database.run(f"ALTER ROLE ALL SET app.tenant_id = '{ground.north}'")
    try:
        with ground.session(ground.chooser) as session:
            assert session.refused(VISITS) == WRONG_CONTEXT
    finally:
        ground.database.run("ALTER ROLE ALL RESET app.tenant_id")


@defended_by("source-of-value")
def test_attack_5_configuration_file(ground):
    ground.database.run(f"ALTER SYSTEM SET app.tenant_id = '{ground.north}'")
    try:
        ground.database.run("SELECT pg_reload_conf()")

        def configured():
            with ground.session(ground.chooser) as session:
                return session.value("SELECT current_setting('app.tenant_id', true)") == ground.north
        wait_until(configured, message="the configuration was not read")
        with ground.session(ground.chooser) as session:
            assert session.refused(VISITS) == WRONG_CONTEXT
    finally:
        ground.database.run("ALTER SYSTEM RESET app.tenant_id")
        ground.database.run("SELECT pg_reload_conf()")


# Attack 6: a rolled back choice stays. Defence: as 3.

@defended_by("id-beside-value", "no-context-error")
def test_attack_6_failed_transaction(ground):
    with ground.session(ground.chooser, autocommit=False) as session:
        session.run(choose(ground.south))
        assert session.tenants_seen() == [ground.south]
        assert session.refused("SELECT 1/0") == "22012"
        session.connection.rollback()
        assert session.refused(VISITS) == NO_CONTEXT    # there was none before
        session.connection.rollback()
        session.run(choose(ground.north))
        session.connection.commit()
        session.run(choose(ground.south))
        assert session.refused("SELECT 1/0") == "22012"
        session.connection.rollback()
        assert session.tenants_seen() == [ground.north]
        session.run("SAVEPOINT before")
        session.run(choose(ground.south))
        assert session.tenants_seen() == [ground.south]
        session.run("ROLLBACK TO before")
        assert session.tenants_seen() == [ground.north]


# Attack 7: a definer function of a role that may choose, called by one that may not. Defence: wall 2.

@defended_by("entitlement", "suset-and-entitlement")
def test_attack_7_definer_function_chooses(ground):
    schema = f"own_{ground.reader}"
    ground.database.run(f"CREATE FUNCTION {schema}.choose(tenant text) RETURNS text LANGUAGE sql SECURITY DEFINER "
                        "AS $$ SELECT set_config('app.tenant_id', tenant, false) $$")
    ground.database.run(f"ALTER FUNCTION {schema}.choose(text) OWNER TO relygate_owner")
    ground.database.run(f"GRANT EXECUTE ON FUNCTION {schema}.choose(text) TO {ground.reader}")
    with ground.session(ground.reader) as session:
        session.run(f"SELECT {schema}.choose(%s)", ground.south)
        error = session.error("SELECT count(*) FROM relygate_report.visits")
        assert error.pgcode == FORBIDDEN
        assert error.diag.message_primary == f'role "{ground.reader}" may not choose a tenant'
        assert session.refused(f"SELECT {schema}.choose('{ground.south}'), count(*) FROM relygate_report.visits") == FORBIDDEN


# Attack 8: what one request chose is there for the next. Defence: lifetime transaction, one transaction one tenant.

@defended_by("transaction-lifetime", "transaction-beside-value")
def test_attack_8_choice_outlives_its_transaction(ground):
    with ground.session("relygate_shim") as session:
        session.run(choose(ground.north))
        error = session.error(VISITS)
        assert error.pgcode == WRONG_CONTEXT and "was not set in this transaction" in error.diag.message_primary
        assert session.refused("SELECT relygate.current_tenant()") == WRONG_CONTEXT


@pytest.mark.parametrize("second", [
    "{choose}; {visits}",
    pytest.param("{visits} UNION ALL SELECT length(set_config('app.tenant_id', '{south}', true)) UNION ALL {visits}", marks=defended_by("stable"))])
@defended_by("one-tenant", "transaction-lifetime")
def test_attack_8_two_tenants_in_one_transaction(ground, second):
    with ground.session("relygate_shim", autocommit=False) as session:
        session.run(choose(ground.north, local=True))
        assert session.tenants_seen() == [ground.north]
        assert session.refused(second.format(choose=choose(ground.south, local=True), visits=VISITS, south=ground.south)) == SECOND_TENANT


@defended_by("one-tenant", "transaction-lifetime")
def test_attack_8_cursor_after_a_switch(ground):
    with ground.session("relygate_shim", autocommit=False) as session:
        session.run(choose(ground.north, local=True))
        session.run("DECLARE visits CURSOR FOR SELECT tenant_id FROM relygate.visits")
        assert session.run("FETCH 1 FROM visits") == [(ground.north,)]
        session.run(choose(ground.south, local=True))
        assert {row[0] for row in session.run("FETCH ALL FROM visits")} == {ground.north}
        assert session.refused(VISITS) == SECOND_TENANT


@defended_by("no-context-error")
def test_rls_003_error_between_two_tenants(ground):
    """One connection: a request of A, one of B that fails, a public one."""
    with ground.session("relygate_shim", autocommit=False) as session:
        session.run(choose(ground.north, local=True))
        assert session.tenants_seen() == [ground.north]
        session.connection.commit()
        assert session.refused(VISITS) == NO_CONTEXT
        session.connection.rollback()
        for broken in ("SELEC 1", "INSERT INTO relygate.visitors (first_name) VALUES (NULL)"):
            session.run(choose(ground.south, local=True))
            assert session.tenants_seen() == [ground.south]
            session.error(broken)
            session.connection.rollback()
            assert session.refused(VISITS) == NO_CONTEXT
            session.connection.rollback()


# Attack 9: in a pipeline, an error, a COMMIT or a forgotten context. Defence: lifetime transaction.

@defended_by("transaction-lifetime", "transaction-beside-value", "no-context-error")
def test_attack_9_pipeline(ground):
    local, lasting = choose(ground.north, local=True), choose(ground.south)
    with Pipeline(ground.database.url("relygate_shim")) as pipeline:
        for batches, expected in [
                ([[local, VISITS], [VISITS]], [["", "3"], [NO_CONTEXT]]),                          # forgotten
                ([[local, "SELECT 1/0", VISITS], [VISITS]], [["", "22012", "aborted"], [NO_CONTEXT]]),
                ([[lasting, VISITS], [VISITS]], [["", "5"], [WRONG_CONTEXT]]),                     # for the session
                ([[local, "COMMIT", VISITS]], [["", "", WRONG_CONTEXT]]),                          # south's is still there
                ([["RESET app.tenant_id"], [local, "COMMIT", VISITS]], [[""], ["", "", NO_CONTEXT]])]:
            answers = pipeline.run(batches)
            seen = [["" if answer in (ground.north, ground.south) else answer for answer in batch] for batch in answers]
            assert seen == expected, batches


# Attack 11: parallel plans. Defence: the value travels with the settings; the leader answers (PARALLEL RESTRICTED).

FORCED = ("SET parallel_setup_cost = 0; SET parallel_tuple_cost = 0; SET min_parallel_table_scan_size = 0; "
          "SET max_parallel_workers_per_gather = 2; SET enable_indexscan = off; SET enable_bitmapscan = off; SET enable_indexonlyscan = off; ")


def forced(session):
    name = "debug_parallel_query" if session.connection.server_version >= 160000 else "force_parallel_mode"
    return f"{FORCED} SET {name} = on"


def test_attack_11_parallel_plan(ground):
    with ground.session(ground.chooser, autocommit=False) as session:
        session.run(forced(session))
        for tenant, visits in ((ground.north, 3), (ground.south, 5)):
            session.run(choose(tenant, local=True))
            plan = "\n".join(row[0] for row in session.run(f"EXPLAIN (ANALYZE) {VISITS}"))
            assert "Workers Launched: " in plan and "Workers Launched: 0" not in plan, plan
            assert session.value(VISITS) == visits
            assert session.value("SELECT relygate.current_tenant()") == tenant


@defended_by("worker-refuses", "value-for-workers", "transaction-lifetime", "stable")
def test_attack_11_worker_answers(ground):
    """Marked PARALLEL SAFE the bare call does run in a worker, which has the value from the leader's settings alone."""
    ground.database.run("ALTER FUNCTION relygate.current_tenant() PARALLEL SAFE")
    try:
        with ground.session(ground.chooser, autocommit=False) as session:
            session.run(forced(session))
            for tenant in (ground.north, ground.south):
                session.run(choose(tenant, local=True))
                plan = "\n".join(row[0] for row in session.run("EXPLAIN (ANALYZE, VERBOSE) SELECT relygate.current_tenant()"))
                assert "Workers Launched: 1" in plan, plan
                assert session.value("SELECT relygate.current_tenant()") == tenant
        with ground.session("relygate_shim", autocommit=False) as session:
            session.run(forced(session))
            session.run(choose(ground.north, local=True))
            assert session.refused("SELECT relygate.current_tenant()") == WRONG_CONTEXT   # a worker cannot tell, so it refuses
        with ground.session(ground.reader) as session:
            session.run(forced(session))
            assert session.value("SELECT relygate.current_tenant()") == ground.north
    finally:
        ground.database.run("ALTER FUNCTION relygate.current_tenant() PARALLEL RESTRICTED")
