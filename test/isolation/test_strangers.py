"""What a bound login may try beside SQL on tables: other sessions, the server's files, dumps, snapshots, prepared plans, code of its own.

Numbers and ids as in docs/isolation.md; most of it PostgreSQL's defaults hold, so the defence taken out is the right that nobody was given.
"""
import select
import subprocess

import psycopg2
import pytest

from attackers import FORBIDDEN, NO_CONTEXT, defended_by, ground  # noqa: F401: a fixture

VISITS = "SELECT count(*) FROM relygate_report.visits"


def ways(*statements, by):
    return [pytest.param(statement, marks=by) for statement in statements]


REACHING = [
    *ways("COPY (SELECT 1) TO PROGRAM 'true'", "COPY (SELECT 1) TO '/tmp/relygate'", "SELECT pg_read_file('PG_VERSION')",
          "SELECT pg_ls_dir('.')", "SELECT lo_import('PG_VERSION')", by=defended_by("no-server-roles")),
    *ways("SELECT pg_create_logical_replication_slot('leak', 'test_decoding')", "SET SESSION AUTHORIZATION postgres", "CREATE EVENT TRIGGER t ON ddl_command_end EXECUTE FUNCTION relygate.guard_ddl()",
          "CREATE FUNCTION own_{0}.f(text) RETURNS boolean LANGUAGE sql LEAKPROOF AS 'SELECT true'", "CREATE EXTENSION dblink",
          "ALTER FUNCTION relygate.current_tenant() OWNER TO CURRENT_USER",
          # Who is a member of that role could, and no such login can be bound.
          "ALTER DEFAULT PRIVILEGES FOR ROLE relygate_owner GRANT SELECT ON TABLES TO PUBLIC", "SELECT pg_read_binary_file('global/pg_control')",
          by=defended_by("postgresql")),
    *ways("CREATE STATISTICS own_{0}.s ON state, visitor_id FROM relygate.visits",
          "ALTER TABLE relygate.visits ALTER state SET STATISTICS 100", by=defended_by("ownership", "ownership-and-guard")),
]


@pytest.mark.parametrize("way", REACHING)
def test_no_way_out_of_the_database(ground, way):
    with ground.session(ground.reader) as session:
        assert session.refused(way.format(ground.reader)) == FORBIDDEN


@defended_by("row-level-security-of-visits")
def test_a_dump_by_a_bound_login_is_refused_or_its_own(ground):
    """pg_dump turns row security off, which then is an error and not all rows."""
    with ground.session(ground.reader) as session:
        session.run("SET row_security = off")
        assert session.refused("SELECT count(*) FROM relygate.visits") == FORBIDDEN
    done = subprocess.run(["pg_dump", "--data-only", "-t", "relygate.visits", ground.database.url(ground.reader)], capture_output=True, text=True, check=False)
    assert done.returncode != 0 and "relygate.visits" in done.stderr and ground.south not in done.stdout


@defended_by("statements-of-others-hidden")
def test_statements_of_other_sessions_are_not_shown(ground):
    with ground.session("relygate_shim") as other:
        other.run("SELECT 'Layla Omar'")
        with ground.session(ground.reader) as session:
            seen = session.run("SELECT query FROM pg_stat_activity WHERE usename = 'relygate_shim' AND datname = current_database()")
    assert seen == [("<insufficient privilege>",)]


@defended_by("row-level-security-of-visits")
@pytest.mark.parametrize("statement", [
    "SELECT DISTINCT tenant_id FROM relygate.visits TABLESAMPLE SYSTEM (100)", "SELECT DISTINCT tenant_id FROM ONLY relygate.visits",
    "WITH v AS MATERIALIZED (SELECT tenant_id FROM relygate.visits) SELECT DISTINCT tenant_id FROM v",
    "SELECT DISTINCT x.tenant_id FROM relygate.visits v RIGHT JOIN relygate.visits x ON x.id = v.id",
    "SELECT DISTINCT (SELECT min(tenant_id::text) FROM relygate.visits w WHERE w.id = v.id)::uuid FROM relygate.visits v",
    "SELECT DISTINCT unnest(xpath('//tenant_id/text()', query_to_xml('SELECT tenant_id FROM relygate.visits', true, false, '')))::text::uuid"])
def test_every_kind_of_query_sees_the_own_rows(ground, statement):
    with ground.session(ground.reader) as session:
        assert session.run(statement) == [(ground.north,)]


@defended_by("row-level-security-of-visits")
def test_prepared_statements_cursors_and_blocks_keep_to_the_own_rows(ground):
    with ground.session(ground.reader, autocommit=False) as session:
        session.run("PREPARE kept AS SELECT DISTINCT tenant_id FROM relygate.visits")
        for role in ("relygate_reporting", "NONE"):
            session.run(f"SET ROLE {role}")
            assert session.run("EXECUTE kept") == [(ground.north,)]
        session.run("DECLARE held CURSOR WITH HOLD FOR SELECT DISTINCT tenant_id FROM relygate.visits")
        session.connection.commit()
        assert session.run("FETCH ALL FROM held") == [(ground.north,)]
        session.run("DO $$ BEGIN ASSERT (SELECT count(DISTINCT tenant_id) FROM relygate.visits) = 1; END $$")


@defended_by("row-level-security-of-visits")
def test_a_snapshot_of_another_session_shows_the_own_rows(ground):
    with ground.session("postgres", autocommit=False) as other, ground.session(ground.reader, autocommit=False) as session:
        snapshot = other.value("SELECT pg_export_snapshot()")
        session.run("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        session.run("SET TRANSACTION SNAPSHOT %s", snapshot)
        assert session.tenants_seen() == [ground.north]


@defended_by("row-level-security-of-visits")
def test_code_of_its_own_meets_the_own_rows_alone(ground):
    """A cast, an operator and a domain's CHECK that tell what they are shown, as cheap as can be."""
    schema = f"own_{ground.reader}"
    with ground.session(ground.reader, autocommit=False) as session:
        session.run(f"CREATE FUNCTION {schema}.tell(uuid) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 AS "
                    "$$ BEGIN RAISE NOTICE 'told %', $1; RETURN true; END $$")
        session.run(f"CREATE OPERATOR {schema}.?? (FUNCTION = {schema}.tell, RIGHTARG = uuid)")
        session.run(f"CREATE DOMAIN {schema}.told AS uuid CHECK ({schema}.tell(VALUE))")
        session.run("SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off; SET LOCAL enable_indexonlyscan = off")
        for condition in (f"{schema}.tell(tenant_id)", f"OPERATOR({schema}.??) tenant_id", f"tenant_id::{schema}.told IS NOT NULL"):
            session.run(f"SELECT count(*) FROM relygate.visits WHERE {condition}")
        told = "".join(session.connection.notices)
    assert ground.north in told and ground.south not in told


@defended_by("notifications-without-data")
def test_notifications_carry_no_data(ground):
    with ground.session(ground.reader) as session:
        for channel in ("relygate_keys", "relygate_routes"):
            session.run(f"LISTEN {channel}")
        ground.database.run("UPDATE relygate_global.signing_keys SET published_until = published_until")
        connection = session.connection
        assert select.select([connection], [], [], 10)[0], "a key's change is told"
        connection.poll()
        assert {(note.channel, note.payload) for note in connection.notifies} == {("relygate_keys", "")}


@defended_by("no-statistics", "row-level-security")
def test_attack_17_statistics_tell_nothing(ground):
    """A value that south has often and one that nobody has: the same estimate, and no view of statistics shows a row."""
    database = ground.database
    connection = database.connect(autocommit=False)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (ground.south,))
        cursor.execute("SET LOCAL ROLE relygate_api")
        cursor.execute("INSERT INTO relygate.visitors (visitor_type, first_name, registration_no, vehicle_no) "
                       "SELECT 'registered', 'Frequent', 'F' || i, 'KA03MH4821' FROM generate_series(1, 2000) i")
    connection.close()
    database.run("ANALYZE relygate.visitors")
    with ground.session(ground.reader) as session:
        assert session.value("SELECT count(*) FROM pg_stats WHERE schemaname = 'relygate'") == 0
        assert session.value("SELECT count(*) FROM pg_stats_ext WHERE schemaname = 'relygate'") == 0
        assert session.refused("SELECT * FROM pg_statistic") == FORBIDDEN

        def estimate(column, value):
            plan = session.value(f"EXPLAIN (FORMAT json) SELECT FROM relygate.visitors WHERE {column} = %s", value)
            return plan[0]["Plan"]["Plan Rows"]
        for column, frequent, unknown in (("first_name", "Frequent", "Nobody"), ("vehicle_no", "KA03MH4821", "KA03MH4822")):
            assert estimate(column, frequent) == estimate(column, unknown), column


@defended_by("no-context-error", "row-level-security-of-visits")
def test_a_login_in_no_binding_gets_an_error_from_a_prepared_statement(ground):
    with ground.session(ground.chooser) as session:
        session.run("PREPARE p AS SELECT count(*) FROM relygate.visits")
        assert session.refused("EXECUTE p") == NO_CONTEXT
        with pytest.raises(psycopg2.Error):
            session.run("DECLARE c CURSOR WITH HOLD FOR SELECT * FROM relygate.visits")
