"""relygate.prove_isolation(): every attack holds, it leaves nothing behind, disturbs nobody, and fails exactly where a weakness is planted."""
import psycopg2
import pytest

from attackers import FORBIDDEN, PROTECTED, defended_by, ground  # noqa: F401: a fixture

NOT_HELD = "SELECT attack, tried, held FROM relygate.prove_isolation() WHERE held IS NOT TRUE"
# A table of a DBA: values that count must not be taken from its sequences.
OWN_TABLE = """CREATE TABLE public.parcels (tenant_id uuid NOT NULL DEFAULT relygate.current_tenant(), id int GENERATED ALWAYS AS IDENTITY,
                   number serial, label text NOT NULL CHECK (label ~ '^[A-Z]+$'), PRIMARY KEY (tenant_id, id));
               GRANT SELECT, INSERT, UPDATE, DELETE ON public.parcels TO relygate_api;
               SELECT relygate.protect_table('public.parcels')"""


@pytest.fixture
def session(ground):
    """What is planted is rolled back."""
    with ground.session("postgres", autocommit=False) as session:
        yield session


def plant(session, sql):
    guards = [row[0] for row in session.run("SELECT evtname FROM pg_event_trigger WHERE evtname LIKE 'relygate%' AND evtenabled <> 'D'")]
    session.run("".join(f"ALTER EVENT TRIGGER {name} DISABLE;" for name in guards))
    session.run(sql)
    session.run("".join(f"ALTER EVENT TRIGGER {name} ENABLE;" for name in guards))


@defended_by("whole")
def test_every_attack_holds_on_every_table(ground, session):
    session.run(OWN_TABLE)
    rows = session.run("SELECT attack, tried, held, detail FROM relygate.prove_isolation()")
    assert [row for row in rows if row[2] is not True] == []
    tried = {attack: " ".join(what for name, what, *_ in rows if name == attack) + " " for attack, *_ in rows}
    for table in [*ground.tables, "public.parcels"]:
        for attack in ("protection", "read", "no tenant"):
            assert f" {table} " in tried[attack].replace(" of ", " "), (attack, table)
    assert set(tried) >= {"write", "move", "change", "delete", "same key", "leaking condition", "view", "forged context", "two tenants", "kept plan",
                          "guard", "append only", "login"}
    assert len(rows) > 300


@defended_by("proof-rolled-back", "proof-spares-sequences")
def test_it_leaves_nothing_behind(ground, session):
    ground.database.run(OWN_TABLE)
    try:
        def picture():
            tables = [row[0] for row in ground.database.run(
                "SELECT oid::regclass::text FROM pg_class WHERE relkind = 'r' AND NOT relisshared AND relnamespace::regnamespace::text IN ('relygate', 'relygate_global', 'public', 'pg_catalog')"
                " AND oid <> 'pg_statistic'::regclass")]
            counts = {table: ground.database.value(f"SELECT count(*) FROM {table}") for table in tables}
            return counts, ground.database.run("SELECT sequencename, last_value FROM pg_sequences ORDER BY 1")
        before = picture()
        with ground.session("postgres") as other:
            context = "SELECT current_user, current_setting('app.tenant_id'), current_setting('relygate.context_lifetime'), current_setting('session_replication_role'), " \
                      "(SELECT count(*) FROM pg_prepared_statements), (SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid())"
            was = other.run(context)
            assert other.run(NOT_HELD) == []
            assert other.run(context) == was
        assert picture() == before
    finally:
        ground.database.run("DROP TABLE public.parcels")


@defended_by("proof-without-locks")
def test_it_waits_for_nobody(ground, session):
    """Beside a dump (ACCESS SHARE) and a transaction that writes to every table."""
    for table in ground.tables:
        session.run(f"LOCK TABLE {table} IN ROW EXCLUSIVE MODE; LOCK TABLE {table} IN ACCESS SHARE MODE")
    with ground.session("postgres", "-c lock_timeout=2s") as other:
        assert other.run(NOT_HELD) == []


WITHOUT = "DROP POLICY {1} ON {0}"
TABLES = ["relygate.visitors", "relygate.tenants", "relygate.idempotency_keys", "relygate.sessions"]


@defended_by("proof-verdict")
@pytest.mark.parametrize("table", TABLES)
def test_a_dropped_policy_fails_on_its_table_alone(session, table):
    plant(session, WITHOUT.format(table, "tenant"))
    failed = session.run(NOT_HELD)
    assert {attack for attack, *_ in failed} >= {"protection", "read", "change", "leaking condition"}
    # ... and in the view that shows it.
    assert [tried for _, tried, _ in failed if f" {table}" not in tried and f" {table.replace('.', '_report.')} " not in tried] == []


WEAKNESSES = {
    # A row is not moved where it could not be seen: USING is asked for that, too.
    "ALTER POLICY tenant ON relygate.purposes WITH CHECK (true)": {"protection": 1, "write": 2},
    "ALTER POLICY tenant ON relygate.purposes USING (true)": {"protection": 1, "read": 3, "change": 2, "delete": 2, "leaking condition": 3, "kept plan": 1},
    # The other policy asks for the context all the same.
    "ALTER POLICY base ON relygate.purposes USING (true)": {"protection": 1},
    # Then nobody sees or does anything, so nothing is proven.
    "DROP POLICY base ON relygate.purposes": {"protection": 1, "read": 3, "change": 2, "delete": 2, "leaking condition": 3, "kept plan": 1, "move": 2,
                                              "write": 2, "same key": 2, "no tenant": 9},
    "ALTER TABLE relygate.purposes NO FORCE ROW LEVEL SECURITY": {"protection": 1, "read": 1, "change": 1, "delete": 1, "leaking condition": 1,
                                                                 "write": 1, "move": 1, "no tenant": 4},
    "ALTER TABLE relygate.purposes DISABLE ROW LEVEL SECURITY": {"protection": 1, "read": 3, "change": 2, "delete": 2, "leaking condition": 3,
                                                                "write": 2, "move": 2, "no tenant": 9, "kept plan": 1},
    "DROP TRIGGER relygate_no_truncate ON relygate.purposes": {"protection": 1},
    "ALTER TABLE relygate.purposes DISABLE TRIGGER audit": {"protection": 1},
    "CREATE UNIQUE INDEX ON relygate.visitors (mobile)": {"same key": 2},
    "ALTER VIEW relygate_report.visitors SET (security_invoker = false); ALTER VIEW relygate_report.visitors OWNER TO postgres": {"view": 1},
    "ALTER TABLE relygate.audit_log DISABLE TRIGGER append_only": {"protection": 1, "append only": 2},
    "GRANT SET ON PARAMETER app.tenant_id TO relygate_reporting": {"forged context": 1, "login": 2},
}


@defended_by("proof-verdict")
@pytest.mark.parametrize("weakness, failing", [
    pytest.param(*item, id=item[0], marks=defended_by("proof-control") if item[0].startswith("DROP POLICY base") else ()) for item in WEAKNESSES.items()])
def test_a_weakness_fails_exactly_its_attacks(session, weakness, failing):
    plant(session, weakness)
    found = {}
    for attack, *_ in session.run(NOT_HELD):
        found[attack] = found.get(attack, 0) + 1
    assert found == failing


@defended_by("proof-verdict")
def test_a_plan_that_keeps_a_tenant_is_found(session):
    plant(session, "ALTER FUNCTION relygate.current_tenant() IMMUTABLE")
    assert "kept plan" in {attack for attack, *_ in session.run(NOT_HELD)}


@defended_by("proof-verdict")
def test_a_guard_that_sleeps_is_found(session):
    session.run("ALTER EVENT TRIGGER relygate_guard_drop DISABLE")
    assert {(attack, tried.split(" ")[0]) for attack, tried, _ in session.run(NOT_HELD)} == {("guard", "DROP")}


@defended_by("proof-verdict")
def test_a_table_that_nobody_protected_is_found(session):
    session.run("CREATE TABLE relygate.forgotten (tenant_id uuid NOT NULL, id uuid NOT NULL, PRIMARY KEY (tenant_id, id)); "
                "GRANT SELECT ON relygate.forgotten TO relygate_api")
    failed = session.run(NOT_HELD)
    assert {attack for attack, *_ in failed} == {"protection", "read", "leaking condition", "no tenant"}
    assert [tried for _, tried, _ in failed if " relygate.forgotten" not in tried] == []


@defended_by("proof-control", "proof-verdict")
def test_what_sees_not_even_its_own_row_proves_nothing(session):
    plant(session, "CREATE POLICY closed ON relygate.purposes AS RESTRICTIVE USING (false) WITH CHECK (true)")
    failed = {attack: held for attack, tried, held in session.run(NOT_HELD) if "purposes" in tried}
    assert failed["read"] is None and failed["delete"] is None


@defended_by("proof-honest")
def test_a_table_that_takes_no_row_is_said_to_be_untried(session):
    session.run("CREATE TABLE relygate.riddles (tenant_id uuid NOT NULL, id uuid NOT NULL, answer text NOT NULL CHECK (md5(answer) = 'x'), "
                "PRIMARY KEY (tenant_id, id)); SELECT relygate.protect_table('relygate.riddles')")
    assert session.run(NOT_HELD) == [("rows", "rows of scratch tenants in relygate.riddles", None)]


@defended_by("proof-superuser")
def test_only_a_superuser_may(ground):
    ground.database.run(f"GRANT USAGE ON SCHEMA relygate TO {ground.stranger}; GRANT EXECUTE ON FUNCTION relygate.prove_isolation() TO {ground.stranger}")
    with ground.session(ground.stranger) as session:
        error = session.error("SELECT * FROM relygate.prove_isolation()")
        assert error.pgcode == FORBIDDEN and "must be superuser" in error.diag.message_primary


@defended_by("proof-on-primary")
def test_not_where_nothing_can_be_written(session):
    session.run("SET TRANSACTION READ ONLY")
    with pytest.raises(psycopg2.errors.ReadOnlySqlTransaction, match="cannot be proven"):
        session.run("SELECT * FROM relygate.prove_isolation()")
