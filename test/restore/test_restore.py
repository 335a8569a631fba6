"""scripts/restore: what comes out is what went in (cases extension-001 to 003, attack 24), and it is all there or not there."""
import os
import shutil
import signal

import psycopg2
import pytest

from conftest import ROOT, copy_of_template
from migrating import migrate, run
from rehearsal import (LOGIN, backup, backup_of, copy_of, database_of, halting, killed, picture, rows, script, source, target,  # noqa: F401
                       touched)


def compare(database, source):
    found = picture(database)
    for part, wanted in source.picture.items():
        if isinstance(wanted, list):
            missing, added = [line for line in wanted if line not in found[part]], [line for line in found[part] if line not in wanted]
            assert missing + added == [], f"{part}: missing {missing[:9]}, added {added[:9]}"
        assert found[part] == wanted


def test_plain(source, backup, target):
    script("restore", backup, target.url("plain"))
    compare(database_of(target, "plain"), source)
    assert "exists and is not empty" in script("restore", backup, target.url("plain"), check=1).stderr


def test_isolation_and_audit_hold_in_it(source, target):
    """Attack 24: what isolates is a matter of roles, settings and event triggers, which a dump of the tables has not."""
    database = database_of(target, "plain")
    assert database.value("SELECT count(*) FROM relygate_report.visits", user=LOGIN) == 6
    assert database.run("SELECT DISTINCT v.tenant_id FROM relygate.visits v", user=LOGIN) == [(source.tenants.north,)]
    for user, sql, state in [
            (LOGIN, f"SELECT set_config('app.tenant_id', '{source.tenants.south}', false)", "42501"),
            ("relygate_shim", "SELECT * FROM relygate.visits", "RG401"),
            ("postgres", "DELETE FROM relygate.audit_log", "42501"),
            ("postgres", "ALTER TABLE relygate.visits NO FORCE ROW LEVEL SECURITY", "42501")]:
        with pytest.raises(psycopg2.Error) as refused:
            database.run(sql, user=user)
        assert refused.value.pgcode == state, sql
    assert database.run("SELECT * FROM relygate.validate_schema()") == []
    connection = database.connect(autocommit=False)
    with connection, connection.cursor() as cursor:
        cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (source.tenants.north,))
        cursor.execute("SET LOCAL ROLE relygate_api; UPDATE relygate.sites SET capacity = 500")
    connection.close()
    # Ids of transactions begin again in another cluster: the records tell which one they are of.
    assert database.value("SELECT count(DISTINCT cluster) FROM relygate.audit_log") == 2
    migrate("verify", url=database.url())


def test_the_doctor_warns_of_a_standbys_login(target):
    """Here, where no other test looks at the roles of the cluster at the same time."""
    target.run("CREATE ROLE standby LOGIN REPLICATION")
    done = run(ROOT / "scripts/doctor", target.url("plain"))
    target.run("DROP ROLE standby")
    assert "  warn  role standby: with REPLICATION it may copy the whole cluster" in done.stdout
    assert done.returncode == 0 and done.stdout.splitlines()[-1] == "Nothing is wrong. There is a warning."


def test_four_connections_into_an_empty_database(source, target, tmp_path):
    made = backup_of(source, tmp_path, "-j", "2")
    assert (made / "database").is_dir()
    target.run('CREATE DATABASE "in ""four"""')
    script("restore", made, target.url("in%20%22four%22"), "-j", "4")
    compare(database_of(target, 'in "four"'), source)


def test_data_only(source, backup, cluster, template):
    """Into the migrated schema, which is younger than the history in the backup; the audit is not doubled."""
    database = copy_of_template(cluster, "test_data_only", template)
    try:
        script("restore", backup, database.url(), "--data-only")
        assert rows(database) == {name: fact for name, fact in source.picture["rows"].items() if not name.startswith("sqitch.")}
        assert database.run("SELECT * FROM relygate.validate_schema()") == []
        assert database.run("SELECT tgrelid::regclass, tgname FROM pg_trigger WHERE tgname LIKE 'append_only%' AND tgenabled <> 'A'") == []
        assert "rows already" in script("restore", backup, database.url(), "--data-only", check=1).stderr
        assert "one connection" in script("restore", backup, database.url(), "--data-only", "-j", "2", check=1).stderr
    finally:
        cluster.run(f'DROP DATABASE "{database.name}" WITH (FORCE)')


def test_data_only_keeps_nothing_of_a_failure(backup, cluster, template, tmp_path):
    def forget(manifest):
        manifest["tables"]["relygate.visits"]["rows"] += 1
    database = copy_of_template(cluster, "test_data_only_failed", template)
    try:
        before = rows(database)
        assert "relygate.visits has 12 rows, the backup 13" in script("restore", copy_of(backup, tmp_path, forget), database.url(), "--data-only", check=1).stderr
        assert rows(database) == before
        database.run("UPDATE sqitch.changes SET script_hash = repeat('0', 40) WHERE change = 'visits'")
        assert "other migrations than this database has: visits" in script("restore", backup, database.url(), "--data-only", check=1).stderr
    finally:
        cluster.run(f'DROP DATABASE "{database.name}" WITH (FORCE)')


def test_by_hand(source, target, tmp_path):
    """PostgreSQL's own programs are enough, with both dumps: where the scripts are not at hand."""
    for name in ("plain", 'in "four"'):
        target.run('DROP DATABASE IF EXISTS "{}"'.format(name.replace('"', '""')))
    run("pg_dump", "--create", "-f", tmp_path / "dump.sql", source.url("relygate_backup"), check=0)
    run("psql", "-Xq", "-v", "ON_ERROR_STOP=1", "-d", target.url(), "-f", tmp_path / "dump.sql", check=0)
    compare(database_of(target, source.name), source)
    # Triggers refuse the states of a visit one by one: an error, not half a database.
    run("pg_dump", "-Fc", "--data-only", "--exclude-schema", "sqitch", "-f", tmp_path / "dump", source.url(), check=0)
    target.run(f'ALTER DATABASE "{source.name}" RENAME TO by_hand')
    assert run("pg_restore", "--single-transaction", "-d", target.url("by_hand"), tmp_path / "dump").returncode != 0
    assert rows(database_of(target, "by_hand"), but=()) == source.picture["rows"]


def edited(**changes):
    return lambda manifest: manifest.update(changes)


DAMAGES = {
    "a flipped byte": (lambda folder: flip(folder / "database", -200), "database is not what it was"),
    "a truncated dump": (lambda folder: os.truncate(folder / "database", 1000), "database has 1000 bytes instead of"),
    "a missing file": (lambda folder: (folder / "globals.sql").unlink(), "globals.sql is missing"),
    "a missing seal": (lambda folder: (folder / "manifest.json.sha256").unlink(), "manifest.json.sha256 is missing"),
    "an edited manifest": (lambda folder: flip(folder / "manifest.json", 500), "manifest.json is not what"),
}
TOO_NEW = {
    "a newer RelyGate": (edited(format=2), "newer RelyGate"),
    "a newer PostgreSQL": (edited(server_version_num=990001), "of PostgreSQL 99, this server is"),
    "a newer extension": (edited(extension="99.0.0"), "of version 99.0.0 of the extension, this server has"),
    "an unknown extension": (edited(extensions=["relygate", "postgis_of_tomorrow"]), "postgis_of_tomorrow is not installed"),
}
NO_MANIFEST = {
    "no roles": (lambda manifest: manifest.pop("roles"), "has no roles"),
    "no database": (edited(database=None), "has no database"),
    "no owner": (lambda manifest: manifest["database"].pop("owner"), "has no database.owner"),
    "an unknown provider": (lambda manifest: manifest["database"].update(provider="x"), "has no database.provider"),
    "a setting of nobody": (lambda manifest: manifest["database"]["settings"].append("x"), "has no database.settings["),
    "a grant of nothing": (lambda manifest: manifest["database"].update(grants=[{}]), "has no database.grants"),
    "a number of rows that is none": (lambda manifest: manifest["tables"]["relygate.visits"].update(rows="1"), "has no tables[relygate.visits].rows"),
    "a list of files": (edited(files=[]), "has no files"),
    "a migration that is none": (edited(migrations=[1]), "has no migrations[0]"),
    "a dump that nobody bound": (lambda manifest: manifest["files"].pop("database"), "says nothing of database"),
    "an owner that is SQL": (lambda manifest: manifest["database"].update(owner="postgres; CREATE ROLE injected SUPERUSER"), "has no database.owner"),
    "a right that is SQL": (lambda manifest: manifest["database"].update(grants=[{"grantee": None, "privilege": "ALL", "grantable": False}]),
                            "has no database.grants"),
    "a version that is none": (edited(server_version_num="15"), "has no server_version_num"),
}


def flip(path, place):
    with open(path, "r+b") as file:
        file.seek(place, os.SEEK_END if place < 0 else os.SEEK_SET)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))


@pytest.mark.parametrize("case", [*DAMAGES, *TOO_NEW, *NO_MANIFEST])
def test_refused_before_anything_is_touched(backup, target, tmp_path, case):
    before = touched(target)
    if case in DAMAGES:
        damage, reason = DAMAGES[case]
        made = copy_of(backup, tmp_path)
        damage(made)
    else:
        edit, reason = {**TOO_NEW, **NO_MANIFEST}[case]
        made = copy_of(backup, tmp_path, edit)
    said = script("restore", made, target.url("refused"), check=1)
    assert reason in said.stderr
    assert len(said.stderr.splitlines()) <= 3, "a reason and what to do, no trace"
    assert touched(target) == before


def test_a_role_of_the_same_name_that_is_another(backup, target):
    before = touched(target)
    target.run("ALTER ROLE relygate_api CREATEROLE")
    try:
        said = script("restore", backup, target.url("refused"), check=1)
        assert "relygate_api" in said.stderr and "other attributes" in said.stderr
        assert touched(target) == before
    finally:
        target.run("ALTER ROLE relygate_api NOCREATEROLE")


def test_what_differs_from_the_manifest_gets_no_name(backup, target, tmp_path):
    def forge(manifest):
        manifest["tables"]["relygate.visitors"]["checksum"] += "1"
        manifest["tables"]["relygate.lost"] = {"rows": 3, "checksum": "0"}
        manifest["audit_head"] = "7:00"
    before = touched(target)
    said = script("restore", copy_of(backup, tmp_path, forge), target.url("refused"), check=1).stderr
    assert "relygate.visitors has 12 rows as the backup, but with other content" in said
    assert "relygate.lost is missing, it had 3 rows" in said and "in the backup 7:00" in said
    assert touched(target) == before


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_killed_run_leaves_nothing_that_looks_whole(source, backup, target, tmp_path, number):
    # The third of its runs is the one with the tables; before it come the list and the schema.
    path = halting(tmp_path / "bin", "pg_restore", f'case "$*" in *"-j 1"*) ;; *) exec {shutil.which("pg_restore")} "$@";; esac', "--section=pre-data")
    killed(tmp_path / "bin", number, ROOT / "scripts/restore", backup, target.url("killed"), path=path)
    names = {name for kind, name in touched(target) if kind == "database"}
    half = {name for name in names if name.startswith("relygate_restoring_")}
    assert "killed" not in names
    assert len(half) == (number == signal.SIGKILL), "an end in order takes it away"
    for name in half:
        database = database_of(target, name)
        assert database.value("SELECT count(*) FROM pg_tables WHERE schemaname = 'relygate'") > 10, "it was in the middle"
        with pytest.raises(psycopg2.OperationalError, match="too many connections"):
            database.run("SELECT 1", user="relygate_shim")
        assert name in script("restore", backup, target.url("killed")).stdout, "the next run speaks of it"
        compare(database_of(target, "killed"), source)
        target.run(f'DROP DATABASE "{name}"')
        target.run("DROP DATABASE killed")
