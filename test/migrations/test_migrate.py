"""scripts/migrate: up, down and up again; what it refuses; and that each verify fails when something is missing."""
import re
import secrets
import shutil
import subprocess
import urllib.parse

import psycopg2
import pytest

from conftest import RELEASE, ROOT, copy_of_template
from migrating import migrate, new_database, run, schema, stranger

PLAN = [line.split()[0] for line in (ROOT / "migrations/sqitch.plan").read_text().splitlines() if re.match(r"[a-z]", line)]


@pytest.fixture(scope="module")
def copied(tmp_path_factory):
    """The scripts and migrations somewhere else, where they may be edited."""
    root = tmp_path_factory.mktemp("project")
    shutil.copytree(ROOT / "scripts", root / "scripts")
    shutil.copytree(ROOT / "migrations", root / "migrations")
    return root


def deployed(database):
    return [change for (change,) in database.run("SELECT change FROM sqitch.changes ORDER BY committed_at, planned_at")]


def test_up_down_and_up_again(cluster):
    database = new_database(cluster)
    try:
        empty = schema(database)
        out = migrate("up", "--url", database.url()).stdout
        assert deployed(database) == PLAN
        full = schema(database)
        assert len(full) > len(empty) + 200
        migrate("verify", url=database.url())
        assert "would deploy" not in migrate("dry-run", url=database.url()).stdout
        assert "Nothing to deploy" in (again := migrate("up", url=database.url())).stdout + again.stderr, out
        assert schema(database) == full, "a second run changes nothing"

        migrate("rollback", "--all", url=database.url())
        assert deployed(database) == []
        assert schema(database) == empty, "what a revert leaves behind"
        assert migrate("dry-run", url=database.url()).stdout.split() == [word for name in PLAN for word in ("would", "deploy:", name)]
        migrate("up", url=database.url())
        assert schema(database) == full
        assert database.run("SELECT * FROM relygate.validate_schema()") == []
    finally:
        cluster.run(f'DROP DATABASE "{database.name}" WITH (FORCE)')


def test_functions_of_others_in_public_are_not_run(cluster):
    database = new_database(cluster)
    try:
        with stranger(database) as caught:
            migrate("up", "--extension", url=database.url())
            migrate("verify", url=database.url())
            migrate("rollback", "--all", url=database.url())
            assert caught() == []
    finally:
        cluster.run(f'DROP DATABASE "{database.name}" WITH (FORCE)')


@pytest.mark.parametrize("schema", ["relygate", "sqitch"])
def test_a_schema_that_somebody_made_beforehand(cluster, schema):
    name = f"before_{secrets.token_hex(6)}"
    cluster.run(f"CREATE ROLE {name}")
    cluster.run(f"CREATE DATABASE {name}")
    try:
        cluster.run(f"CREATE SCHEMA {schema} AUTHORIZATION {name}", name)
        done = run(ROOT / "scripts/deploy", cluster.url(name), check=1)
        assert f"somebody else's: {schema} of {name}" in done.stderr
        assert cluster.run("SELECT 1 FROM pg_extension WHERE extname = 'relygate'", name) == []
    finally:
        cluster.run(f"DROP DATABASE {name} WITH (FORCE)")
        cluster.run(f"DROP ROLE {name}")


def test_a_name_that_must_be_quoted(cluster):
    name = f"o'b \\ {secrets.token_hex(6)}"
    cluster.run(f'CREATE DATABASE "{name}"')
    try:
        url = cluster.url(urllib.parse.quote(name))
        run(ROOT / "scripts/deploy", url, check=0)
        migrate("verify", url=url)
        assert cluster.run("SELECT * FROM relygate.validate_schema()", urllib.parse.quote(name)) == []
    finally:
        cluster.run(f'DROP DATABASE "{name}" WITH (FORCE)')


def test_an_edited_script_is_refused(database, copied):
    script = copied / "migrations/deploy/visits.sql"
    text = script.read_text()
    script.write_text(text + "-- one more line\n")
    try:
        for command in ("up", "dry-run", "verify", "rollback", "status"):
            done = migrate(command, url=database.url(), check=1, root=copied)
            assert "must not be edited" in done.stderr and "deploy/visits.sql" in done.stderr and "gates" not in done.stderr, done
        assert deployed(database) == PLAN, "nothing was taken back"
    finally:
        script.write_text(text)
    migrate("verify", url=database.url(), root=copied)


def test_a_new_change(database, copied):
    migrate("create", "visits_add_colour", "Colour of the badge", root=copied)
    for kind in ("deploy", "revert", "verify"):
        assert "BEGIN;" in (copied / f"migrations/{kind}/visits_add_colour.sql").read_text()
    (copied / "migrations/deploy/visits_add_colour.sql").write_text("BEGIN; ALTER TABLE relygate.visits ADD COLUMN colour text; COMMIT;")
    (copied / "migrations/verify/visits_add_colour.sql").write_text("BEGIN; SELECT shade FROM relygate.visits WHERE false; ROLLBACK;")
    (copied / "migrations/revert/visits_add_colour.sql").write_text("BEGIN; ALTER TABLE relygate.visits DROP COLUMN colour; COMMIT;")
    assert migrate("dry-run", url=database.url(), root=copied).stdout == "would deploy: visits_add_colour\n"
    migrate("up", url=database.url(), check=None, root=copied)
    assert deployed(database) == PLAN, "a failing verify takes its change back"
    columns = "SELECT count(*) FROM pg_attribute WHERE attrelid = 'relygate.visits'::regclass AND attname = 'colour' AND NOT attisdropped"
    assert database.value(columns) == 0
    (copied / "migrations/verify/visits_add_colour.sql").write_text("BEGIN; SELECT colour FROM relygate.visits WHERE false; ROLLBACK;")
    migrate("up", url=database.url(), root=copied)
    assert database.value(columns) == 1
    migrate("rollback", url=database.url(), root=copied)
    assert deployed(database) == PLAN and database.value(columns) == 0
    for words in (["create"], ["create", "Bad Name"], ["create", "ab"]):
        assert migrate(*words, check=None, root=copied).returncode in (1, 2)


def test_two_runners(cluster, template):
    database = copy_of_template(cluster, "test_two_runners", template)
    try:
        migrate("rollback", "--to", "platform_functions", url=database.url())
        missing = len(PLAN) - PLAN.index("platform_functions") - 1
        assert missing > 0 and len(deployed(database)) == len(PLAN) - missing

        # Another runner holds Sqitch's lock: the second says so and gives up after the time it was given.
        holder = database.connect()
        holder.cursor().execute("SELECT pg_advisory_lock(75474063)")
        done = migrate("up", url=database.url(), check=None, LOCK_TIMEOUT="1")
        assert done.returncode != 0 and "another instance of Sqitch" in done.stdout + done.stderr, done
        holder.close()

        both = [subprocess.Popen([ROOT / "scripts/migrate", "up", "--url", database.url()], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
                for _ in range(2)]
        outputs = [process.communicate(timeout=300)[0].decode() for process in both]
        assert [process.returncode for process in both] == [0, 0], outputs
        assert deployed(database) == PLAN
        assert sum(len(re.findall(r"\+ guard\b", output)) for output in outputs) == 1, outputs
    finally:
        cluster.run(f'DROP DATABASE "{database.name}" WITH (FORCE)')


def test_the_extension_must_be_there_and_new_enough(cluster, database):
    cluster.run("CREATE DATABASE test_no_extension")
    try:
        done = migrate("up", url=cluster.url("test_no_extension"), check=1)
        assert "CREATE EXTENSION relygate" in done.stderr
        assert cluster.run("SELECT to_regclass('sqitch.changes') IS NULL", "test_no_extension") == [(True,)]
    finally:
        cluster.run("DROP DATABASE test_no_extension")
    database.run("UPDATE pg_extension SET extversion = '0.9.12' WHERE extname = 'relygate'")
    try:
        done = migrate("up", url=database.url(), check=1)
        assert "0.9.12" in done.stderr and "ALTER EXTENSION relygate UPDATE" in done.stderr
    finally:
        database.run("UPDATE pg_extension SET extversion = %s WHERE extname = 'relygate'", RELEASE)


def test_no_password_is_printed(database):
    url = database.url().replace("postgres@", "postgres:p%40ss-w0rd@")
    for command in ("status", "up", "verify", "dry-run"):
        done = migrate(command, url=url)
        assert "w0rd" not in done.stdout + done.stderr


@pytest.mark.parametrize("words, code", [([], 2), (["nonsense"], 2), (["up", "--wrong"], 2), (["up", "--url"], 2), (["up", "more"], 2),
                                         (["--help"], 0), (["up", "--help"], 0), (["up", "--url", "dbname=x"], 1),
                                         (["up", "--url", "postgresql://localhost"], 1)])
def test_usage(words, code):
    done = migrate(*words, check=code, DATABASE_URL="")
    assert ("usage:" in done.stdout + done.stderr) == (code != 1) and (done.stderr if code else done.stdout)


def test_no_database_is_named():
    assert "DATABASE_URL" in migrate("up", check=1, DATABASE_URL="").stderr


def test_a_database_that_is_not_there(cluster):
    done = migrate("up", url=cluster.url("test_nowhere"), check=None)
    assert done.returncode != 0 and "does not exist" in done.stderr


BREAKS = [(name, f"DROP TABLE relygate.{name} CASCADE") for name in (
    "tenants", "sites", "tenant_settings", "users", "sessions", "locations", "gates", "hosts", "visitor_categories", "purposes", "visitors",
    "visits", "idempotency_keys")] + [
    ("roles", "REVOKE SET ON PARAMETER app.tenant_id FROM relygate_api"),
    ("schemas", "DROP SCHEMA relygate_report CASCADE"),
    ("search_extensions", "DROP EXTENSION pg_trgm CASCADE"),
    ("domains", "ALTER DOMAIN relygate.mobile DROP CONSTRAINT mobile_check"),
    ("domains", "DROP DOMAIN relygate.visit_state CASCADE"),
    ("audit_log", "ALTER TABLE relygate.audit_log ENABLE TRIGGER append_only"),
    ("audit_log", "GRANT INSERT ON relygate.audit_log TO relygate_api"),
    ("audit_log", "ALTER TABLE relygate.audit_log OWNER TO relygate_owner"),
    ("roles_permissions", "DROP TABLE relygate.role_permissions"),
    ("signing_keys", "DROP TABLE relygate_global.signing_keys CASCADE"),
    ("login_failures", "DROP TABLE relygate_global.login_failures CASCADE"),
    ("visits", "DROP INDEX relygate.visits_open"),
    ("visits", "DROP TRIGGER state ON relygate.visits"),
    ("visits", "ALTER TABLE relygate.visits DISABLE TRIGGER audit"),
    ("visits", "ALTER TABLE relygate.visits NO FORCE ROW LEVEL SECURITY"),
    ("visits", "DROP POLICY tenant ON relygate.visits"),
    ("visits", "ALTER TABLE relygate.visits DROP CONSTRAINT visits_order"),
    ("visits", "REVOKE UPDATE ON relygate.visits FROM relygate_api"),
    ("visitors", "ALTER TABLE relygate.visitors DROP COLUMN security_code"),
    ("routes", "DROP TRIGGER changed ON relygate_global.routes"),
    ("platform_functions", "DROP FUNCTION relygate.find_tenant(text)"),
    ("reporting", "ALTER VIEW relygate_report.visits RESET (security_invoker)"),
    ("reporting", "COMMENT ON COLUMN relygate_report.visits.state IS NULL"),
    ("reporting", "REVOKE SELECT ON relygate_report.audit FROM relygate_reporting"),
    ("grants", "GRANT EXECUTE ON FUNCTION relygate.current_tenant() TO PUBLIC"),
    ("guard", "DROP EVENT TRIGGER relygate_guard_drop"),
    ("keys_at_rest", "DROP TRIGGER keys_changed ON relygate_global.signing_keys"),
    ("keys_at_rest", "GRANT EXECUTE ON FUNCTION relygate.open_secret(bytea, text, text) TO relygate_api"),
    ("guard_wider", "DROP EVENT TRIGGER relygate_guard_ddl"),
    ("list_sorts", "DROP INDEX relygate.visitors_by_name"),
    ("rights_cache", "DROP TRIGGER rights ON relygate.users"),
    ("audit_seals", "ALTER TABLE relygate.audit_seals ENABLE TRIGGER append_only"),
    ("audit_seals", "GRANT INSERT ON relygate.audit_seals TO relygate_api"),
    ("audit_erasure", "GRANT EXECUTE ON FUNCTION relygate.erase_person(uuid, text) TO relygate_api"),
    ("audit_guard", "DROP EVENT TRIGGER relygate_guard_audit_drop"),
    ("audit_guard", "ALTER TABLE relygate.audit_log NO FORCE ROW LEVEL SECURITY"),
    ("audit_retention", "GRANT EXECUTE ON FUNCTION relygate.drop_audit_month(text) TO relygate_owner"),
    ("audit_imports", "REVOKE EXECUTE ON FUNCTION relygate.audit_erased(json) FROM relygate_backup"),
    ("audit_departures", "DROP TRIGGER departures ON relygate.visits"),
    ("large_tenants", "DROP INDEX relygate.visits_site_state"),
    ("reporting_people", "ALTER VIEW relygate_report.visits RENAME people TO persons"),
    ("reporting_people", "ALTER VIEW relygate_report.visits SET (security_invoker = false)"),
    ("reporting_people", "REVOKE SELECT ON relygate.visit_departures FROM relygate_reporting"),
]
GUARDS = ("ddl", "drop", "audit_ddl", "audit_drop")


@pytest.mark.parametrize("change, broken", BREAKS)
def test_verify_fails_when_something_is_missing(database, change, broken):
    script = (ROOT / f"migrations/verify/{change}.sql").read_text()
    script = re.sub(r"^(BEGIN|ROLLBACK);$", "", script, flags=re.M)
    connection = database.connect(autocommit=False)
    try:
        cursor = connection.cursor()
        cursor.execute(script)    # whole, it passes
        cursor.execute("; ".join(f"ALTER EVENT TRIGGER relygate_guard_{guard} DISABLE" for guard in GUARDS))
        cursor.execute(broken)
        # The guards stand again before verify looks, so that it is the break that it finds.
        cursor.execute("SELECT evtname FROM pg_event_trigger WHERE evtname LIKE 'relygate_guard%'")
        cursor.execute("; ".join(f"ALTER EVENT TRIGGER {name} ENABLE ALWAYS" for name, in cursor.fetchall()))
        with pytest.raises(psycopg2.Error):
            cursor.execute(script)
    finally:
        connection.rollback()
        connection.close()


def test_every_change_can_fail_its_verify():
    assert {change for change, _ in BREAKS} == set(PLAN)


def test_every_change_has_its_three_scripts():
    for kind in ("deploy", "revert", "verify"):
        assert {path.stem for path in (ROOT / "migrations" / kind).glob("*.sql")} == set(PLAN)


def test_scripts_are_clean():
    run("shellcheck", ROOT / "scripts/migrate", ROOT / "scripts/deploy", check=0)
