"""The ground of the tests of backup and restore: a database with rows in every table, backups of it, a cluster to restore into."""
import hashlib
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import subprocess
import tempfile

import pytest

from conftest import ROOT, Cluster, Database, wait_until
from migrating import run, schema

LOGIN = "report_" + secrets.token_hex(6)    # roles belong to the cluster, where other files of tests work, too


def script(name, *words, check=0, **environment):
    done = run(ROOT / "scripts" / name, *words, check=None, **environment)
    assert done.returncode == check, f"scripts/{name} {words} ended with {done.returncode}:\n{done.stdout}\n{done.stderr}"
    return done


def fill(database, tenants):
    """Rows in every table, visits in every state that a transition leads to, history in a month that a younger schema lacks."""
    connection = database.connect(autocommit=False)
    cursor = connection.cursor()
    for tenant, mobile, marker in ((tenants.north, "9845012367", "Northmark"), (tenants.south, "0501234567", "Southmark")):
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
            INSERT INTO relygate.visitors (visitor_type, first_name, last_name, mobile, registration_no, document_type, document_masked, document_hash)
            VALUES ('registered', 'Åsa', %s, %s, 'V-1', 'passport', 'XXXX1234', sha256('x'));
            INSERT INTO relygate.visitors (first_name) SELECT 'Visitor ' || chr(64 + n) FROM generate_series(1, 5) n;
            INSERT INTO relygate.visits (site_id, visitor_id, state, group_size, remark)
            SELECT s.id, v.id, 'pending', 2, E'a\\\\b\\tc\\r\\nd' FROM relygate.sites s, relygate.visitors v;
            UPDATE relygate.visits SET state = 'checked_in' WHERE visitor_id IN (SELECT id FROM relygate.visitors WHERE first_name < 'Visitor D');
            UPDATE relygate.visits SET group_size = 1 WHERE state = 'checked_in';
            UPDATE relygate.visits SET state = 'checked_out' WHERE visitor_id IN (SELECT id FROM relygate.visitors WHERE first_name = 'Visitor B');
            UPDATE relygate.visits SET state = 'refused' WHERE visitor_id IN (SELECT id FROM relygate.visitors WHERE first_name = 'Visitor D');
            UPDATE relygate.visits SET state = 'cancelled' WHERE visitor_id IN (SELECT id FROM relygate.visitors WHERE first_name = 'Visitor E');
            DELETE FROM relygate.tenant_settings;
            INSERT INTO relygate.tenant_settings (key, value) VALUES ('retention_days', '30');
            RESET ROLE""", (marker, mobile))
        connection.commit()
    cursor.execute("INSERT INTO relygate_global.routes (method, pattern, function, permission, answer, status, message, read_only, lane) "
                   "VALUES ('GET', '/api/own', 'own_tenant', 'signed_in', 'object', 200, 'Own', true, 'read')")
    cursor.execute("SELECT relygate.count_login_attempt('NORTH', 'nobody')")
    cursor.execute("SELECT relygate.make_audit_partitions(-2)")
    cursor.execute("INSERT INTO relygate.audit_log (tenant_id, occurred_at, database_role, table_name, row_id, action, changes, salt, changes_digest, cluster) "
                   "SELECT tenant_id, date_trunc('month', now()) - interval '2 months', database_role, table_name, row_id, action, changes, salt, changes_digest, cluster FROM relygate.audit_log LIMIT 1")
    cursor.execute(f"CREATE ROLE {LOGIN} LOGIN PASSWORD 'Gate-keeper-7431'")
    cursor.execute("SELECT relygate.bind_role(%s, %s)", (LOGIN, tenants.north))
    connection.commit()
    connection.close()
    database.seal()


def digests(database, tables):
    """{name: (number, digest)} of the rows of tables, or of a part of each (name: condition), computed otherwise than by the scripts."""
    return {name: (count, digest) for name, count, digest in database.run(" UNION ALL ".join(
        f"SELECT '{name}', count(*), md5(string_agg(t::text, E'\\n' ORDER BY t::text)) FROM {name} t WHERE {condition}" for name, condition in tables.items()))}


def rows(database, but=("sqitch.",)):
    """Of each table that has some."""
    names = database.run("SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
                         "WHERE n.nspname ~ '^(relygate|sqitch)' AND c.relkind = 'r' ORDER BY 1")
    found = digests(database, {name: "true" for name, in names if not name.startswith(but)})
    return {name: fact for name, fact in found.items() if fact[0]}


def picture(database):
    """All that PostgreSQL's own programs say of a database and its roles, and its rows."""
    roles = run("pg_dumpall", "--globals-only", "--dbname", database.url(), check=0).stdout.splitlines()
    name = '"' + database.name.replace('"', '""') + '"'
    return {"schema": sorted(line.replace(f"DATABASE {name} ", "DATABASE x ").replace(f"DATABASE {database.name} ", "DATABASE x ")
                             for line in schema(database)),
            "roles": sorted(line for line in roles if LOGIN in line or re.search("(ROLE|TO) relygate_", line)), "rows": rows(database, but=())}


@pytest.fixture(scope="module")
def source(database, tenants):
    fill(database, tenants)
    try:
        yield filled(database, tenants)
    finally:
        database.run(f"SELECT relygate.unbind_role('{LOGIN}'); DROP ROLE {LOGIN}")


def filled(database, tenants):
    database.tenants = tenants
    database.picture = picture(database)
    empty = [name for (name,) in database.run(
        "SELECT c.oid::regclass::text FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace "
        "WHERE n.nspname ~ '^relygate' AND c.relkind = 'r' AND c.relnatts > 0 AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.objid = c.oid AND d.deptype = 'e')")
             if name not in database.picture["rows"] and not name.startswith("relygate.audit_log_")]
    assert empty == [], f"tables without a row prove nothing: {empty}"
    return database


def backup_of(database, folder, *words, user="relygate_backup", **environment):
    command = [ROOT / "scripts/backup", database.url(user), folder, *words]
    # Other files of tests drop roles of the cluster meanwhile.
    done = wait_until(lambda: (lambda one: one if "Run it again" not in one.stderr else None)(run(*command, **environment)), 120)
    assert done.returncode == 0, done.stderr
    return pathlib.Path(done.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def backup(source, tmp_path_factory):
    return backup_of(source, tmp_path_factory.mktemp("backups") / "made")


@pytest.fixture(scope="module")
def target():
    """An empty cluster with the extension's files."""
    folder = tempfile.mkdtemp(prefix="relygate-test.")
    os.chmod(folder, 0o711)
    cluster = Cluster.create(f"{folder}/cluster")
    try:
        yield cluster
    finally:
        cluster.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


def touched(cluster):
    """What a refused restore must leave as it was."""
    return cluster.run("SELECT 'database', datname FROM pg_database UNION SELECT 'role', rolname FROM pg_roles ORDER BY 1, 2")


def copy_of(backup, folder, edit=None, seal=True):
    """A copy whose manifest was edited, with or without its own digest."""
    copy = folder / backup.name
    shutil.copytree(backup, copy)
    if edit:
        manifest = json.loads((copy / "manifest.json").read_text())
        edit(manifest)
        (copy / "manifest.json").write_text(json.dumps(manifest))
    if seal:
        (copy / "manifest.json.sha256").write_text(hashlib.sha256((copy / "manifest.json").read_bytes()).hexdigest() + "  manifest.json\n")
    return copy


def halting(folder, program, before="", options=""):
    """A PATH on which a program does its work and then hangs, so that whoever started it can be killed in the middle."""
    folder.mkdir(exist_ok=True)
    (folder / program).write_text(f"#!/bin/sh\n{before}\n{shutil.which(program)} \"$@\" {options}\ntouch {folder}/reached\nexec tail -f /dev/null\n")
    (folder / program).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


def killed(folder, number, *command, path):
    """Starts a program, kills it where it hangs, and waits until nothing that it started is left."""
    process = subprocess.Popen([str(word) for word in command], env={**os.environ, "PATH": path}, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    try:
        wait_until(lambda: (folder / "reached").exists() or process.poll() is not None, 60, "it did not get that far")
        assert process.poll() is None, process.stdout.read().decode()
        process.send_signal(number)
        process.stdout.read()    # until the last of its children has closed it
        assert process.wait(30) in (-signal.SIGKILL, 128 + number)
    finally:
        process.kill()
    return process.returncode


def database_of(cluster, name):
    return Database(cluster, name)
