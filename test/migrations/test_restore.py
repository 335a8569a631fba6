"""A database rebuilt from its dump is the same one: tables, policies, grants, settings, triggers, rows; the audit not doubled.

Cases extension-001 to extension-003. pg_dump -C holds the database with its bindings, pg_dumpall -g the roles and who may set what.
"""
import psycopg2
import pytest

from conftest import Cluster, copy_of_template
from migrating import migrate, picture, run

LOGIN = "report_restored"


def fill(database, tenants):
    """Rows in every table, visits in every state that a transition leads to."""
    connection = database.connect(autocommit=False)
    cursor = connection.cursor()
    for tenant, mobile in ((tenants.north, "9845012367"), (tenants.south, "0501234567")):
        cursor.execute("SELECT set_config('app.tenant_id', %s, true), set_config('app.request_id', 'fill', true)", (tenant,))
        cursor.execute("""
            SET LOCAL ROLE relygate_api;
            INSERT INTO relygate.tenant_settings (key, value) VALUES ('retention_days', '{"days": 30}');
            INSERT INTO relygate.roles (name) VALUES ('Night shift');
            INSERT INTO relygate.role_permissions (role_id, permission) SELECT id, 'visits.read' FROM relygate.roles WHERE name = 'Night shift';
            INSERT INTO relygate.sessions (user_id, refresh_hash, expires_at) SELECT id, sha256('x'), now() + interval '1 day' FROM relygate.users LIMIT 1;
            INSERT INTO relygate.idempotency_keys (user_id, key, request_digest, status) SELECT id, 'k', sha256('x'), 201 FROM relygate.users LIMIT 1;
            INSERT INTO relygate.locations (site_id, kind, name) SELECT id, 'building', 'Block "A"' FROM relygate.sites;
            INSERT INTO relygate.locations (site_id, parent_id, kind, name) SELECT site_id, id, 'floor', 'Étage 1' FROM relygate.locations;
            INSERT INTO relygate.gates (site_id, name) SELECT id, 'Front' FROM relygate.sites;
            INSERT INTO relygate.hosts (kind, first_name, location_id, user_id) SELECT 'employee', 'Meera', l.id, u.id
              FROM (SELECT id FROM relygate.locations LIMIT 1) l, (SELECT id FROM relygate.users LIMIT 1) u;
            INSERT INTO relygate.visitors (visitor_type, first_name, mobile, registration_no, document_type, document_masked, document_hash)
            VALUES ('registered', 'Åsa', %s, 'V-1', 'passport', 'XXXX1234', sha256('x'));
            INSERT INTO relygate.visitors (first_name) SELECT 'Visitor ' || chr(64 + n) FROM generate_series(1, 5) n;
            INSERT INTO relygate.visits (site_id, visitor_id, state, group_size)
            SELECT s.id, v.id, 'pending', 2 FROM relygate.sites s, relygate.visitors v;
            UPDATE relygate.visits SET state = 'checked_in' WHERE visitor_id IN (SELECT id FROM relygate.visitors WHERE first_name < 'Visitor D');
            UPDATE relygate.visits SET state = 'checked_out' WHERE visitor_id IN (SELECT id FROM relygate.visitors WHERE first_name = 'Visitor B');
            UPDATE relygate.visits SET state = 'refused' WHERE visitor_id IN (SELECT id FROM relygate.visitors WHERE first_name = 'Visitor D');
            UPDATE relygate.visits SET state = 'cancelled' WHERE visitor_id IN (SELECT id FROM relygate.visitors WHERE first_name = 'Visitor E');
            DELETE FROM relygate.tenant_settings;
            INSERT INTO relygate.tenant_settings (key, value) VALUES ('retention_days', '30');
            RESET ROLE""", (mobile,))
        connection.commit()
    cursor.execute("INSERT INTO relygate_global.routes (method, pattern, function, permission, answer, status, message, read_only, lane) "
                   "VALUES ('GET', '/api/own', 'own_tenant', 'signed_in', 'object', 200, 'Own', true, 'read')")
    cursor.execute("SELECT relygate.count_login_attempt('NORTH', 'nobody')")
    cursor.execute(f"DROP ROLE IF EXISTS {LOGIN}; CREATE ROLE {LOGIN} LOGIN")
    cursor.execute("SELECT relygate.bind_role(%s, %s)", (LOGIN, tenants.north))
    connection.commit()
    cursor.execute("SELECT relygate.seal_audit()")
    connection.commit()
    connection.close()


@pytest.fixture(scope="module")
def source(database, tenants):
    fill(database, tenants)
    database.picture = picture(database)
    empty = [name for name, (count, _) in database.picture["rows"].items()
             if count == 0 and not name.startswith(("sqitch.", "relygate.audit_log_"))]
    assert empty == [], "tables without a row prove nothing"
    yield database
    database.run(f"SELECT relygate.unbind_role('{LOGIN}'); DROP ROLE {LOGIN}")


@pytest.fixture(scope="module")
def target(source, tmp_path_factory):
    """An empty cluster with the extension's files and the roles of the first one."""
    folder = tmp_path_factory.mktemp("restore")
    folder.chmod(0o711)
    for parent in list(folder.parents)[:2]:
        parent.chmod(0o711)
    cluster = Cluster.create(folder / "cluster")
    try:
        roles = run("pg_dumpall", "--globals-only", "--dbname", source.cluster.url(), check=0).stdout
        (folder / "roles.sql").write_text("".join(line for line in roles.splitlines(True) if line.strip() != "CREATE ROLE postgres;"))
        run("psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", cluster.url(), "-f", folder / "roles.sql", check=0)
        yield cluster
    finally:
        cluster.stop("immediate")


def restored(target, source):
    from conftest import Database
    return Database(target, source.name)


def compare(database, source):
    found = picture(database)
    assert found["rows"] == source.picture["rows"]
    missing = sorted(set(source.picture["facts"]) - set(found["facts"]))
    added = sorted(set(found["facts"]) - set(source.picture["facts"]))
    assert missing + added == [], f"missing: {missing[:20]}, added: {added[:20]}"


def test_plain_dump(source, target, tmp_path):
    run("pg_dump", "--create", "-f", tmp_path / "dump.sql", source.url(), check=0)
    run("psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", target.url(), "-f", tmp_path / "dump.sql", check=0)
    compare(restored(target, source), source)


def test_isolation_and_audit_hold_in_it(source, target, tenants):
    database = restored(target, source)
    assert database.value("SELECT count(*) FROM relygate_report.visits", user=LOGIN) == 6
    assert database.run("SELECT DISTINCT v.tenant_id FROM relygate.visits v", user=LOGIN) == [(tenants.north,)]
    with pytest.raises(psycopg2.Error) as refused:
        database.run("SELECT set_config('app.tenant_id', %s, false)", tenants.south, user=LOGIN)
    assert refused.value.pgcode == "42501"
    with pytest.raises(psycopg2.Error) as refused:
        database.run("SELECT * FROM relygate.visits", user="relygate_shim")
    assert refused.value.pgcode == "RG401"
    with pytest.raises(psycopg2.Error) as refused:
        database.run("DELETE FROM relygate.audit_log")
    assert refused.value.pgcode == "42501"
    with pytest.raises(psycopg2.Error) as refused:
        database.run("ALTER TABLE relygate.visits NO FORCE ROW LEVEL SECURITY")
    assert refused.value.pgcode == "42501"
    assert database.run("SELECT * FROM relygate.validate_schema()") == []
    connection = database.connect(autocommit=False)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenants.north,))
        cursor.execute("SET LOCAL ROLE relygate_api; UPDATE relygate.sites SET capacity = 500")
    connection.close()
    # Ids of transactions begin again in another cluster: the records tell which one they are of.
    assert database.value("SELECT count(DISTINCT cluster) FROM relygate.audit_log") == 2
    migrate("verify", url=database.url())


def test_custom_dump_in_parallel(source, target, tmp_path):
    target.run(f'DROP DATABASE IF EXISTS "{source.name}" WITH (FORCE)')
    run("pg_dump", "-Fc", "--create", "-f", tmp_path / "dump", source.url(), check=0)
    run("pg_restore", "--create", "--exit-on-error", "-j", "4", "-d", target.url(), tmp_path / "dump", check=0)
    compare(restored(target, source), source)


def test_a_backup_by_the_backup_role(source, tmp_path):
    run("pg_dump", "-Fc", "-f", tmp_path / "dump", source.url(user="relygate_backup"), check=0)
    refused = run("pg_dump", "-Fc", "-f", tmp_path / "other", source.url(user="relygate_shim"))
    assert refused.returncode != 0, "a role under the policies must not make half a dump"


def test_data_only(source, cluster, template, tmp_path):
    """Into the migrated schema: with --disable-triggers as it was, without an error and nothing at all."""
    run("pg_dump", "-Fc", "--data-only", "--exclude-schema", "sqitch", "-f", tmp_path / "dump", source.url(), check=0)
    database = copy_of_template(cluster, "test_data_only", template)
    try:
        database.run("DELETE FROM relygate_global.signing_keys")
        before = picture(database)["rows"]
        refused = run("pg_restore", "--single-transaction", "-d", database.url(), tmp_path / "dump")
        assert refused.returncode != 0
        assert picture(database)["rows"] == before, "half a database"

        run("pg_restore", "--single-transaction", "--disable-triggers", "-d", database.url(), tmp_path / "dump", check=0)
        rows = {name: facts for name, facts in picture(database)["rows"].items() if not name.startswith("sqitch.")}
        assert rows == {name: facts for name, facts in source.picture["rows"].items() if not name.startswith("sqitch.")}
        migrate("up", url=database.url())    # arms the triggers of the audit log again
        migrate("verify", url=database.url())
    finally:
        cluster.run(f'DROP DATABASE "{database.name}" WITH (FORCE)')
