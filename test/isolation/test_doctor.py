"""scripts/doctor: says what is wrong and what to do, to a person and to a pipe; its exit code says whether."""
import os
import secrets
import shutil
import subprocess

import pytest

from attackers import defended_by
from conftest import ROOT
from migrating import stranger

SLEEP = "ALTER EVENT TRIGGER relygate_guard_ddl DISABLE; ALTER EVENT TRIGGER relygate_guard_drop DISABLE"
WAKE = "ALTER EVENT TRIGGER relygate_guard_ddl ENABLE; ALTER EVENT TRIGGER relygate_guard_drop ENABLE"


def doctor(*words, **environment):
    return subprocess.run([ROOT / "scripts/doctor", *words], capture_output=True, encoding="utf-8", env={**os.environ, **environment},
                          timeout=300, check=False)


def test_usage():
    done = doctor("--help")
    assert done.returncode == 0 and done.stdout.startswith("usage: scripts/doctor URL") and done.stderr == ""
    for words in ([], ["--all"], ["postgresql://localhost/x", "more"]):
        done = doctor(*words)
        assert done.returncode == 2 and "usage: scripts/doctor URL" in done.stderr and done.stdout == ""


@pytest.mark.parametrize("url, problem", [("nowhere", "does not exist"), ("postgres", "has no RelyGate; run: scripts/deploy")])
def test_a_database_that_it_cannot_examine(cluster, url, problem):
    done = doctor(cluster.url(url))
    assert done.returncode == 2 and problem in done.stderr and done.stdout == ""


def test_a_login_that_cannot_see_everything(database):
    done = doctor(database.url("relygate_backup"))
    assert done.returncode == 2 and "must be a superuser" in done.stderr


@defended_by("whole")
def test_all_is_well(database):
    done = doctor(database.url())
    assert done.returncode == 0, done.stdout
    assert done.stdout.splitlines()[-1].startswith("Nothing is wrong.") and done.stderr == ""
    for section in ("Version", "Protection", "Isolation, tried", "Secrets", "Audit"):
        assert f"\n{section}" in f"\n{done.stdout}"
    assert "\x1b" not in done.stdout      # a pipe gets no colours


@defended_by("validate-schema")
def test_names_do_nothing_to_the_terminal(database):
    """Whoever may create a function names it."""
    name = "\r\x1b[2K  good  all is well\u202e\x7f\u009b1A"
    database.run(f"""CREATE FUNCTION public."{name}"() RETURNS bigint LANGUAGE sql SECURITY DEFINER AS 'SELECT count(*) FROM relygate.visits'""")
    try:
        done = doctor(database.url())
    finally:
        database.run(f'DROP FUNCTION public."{name}"()')
    assert done.returncode == 1 and "[2K  good  all is well" in done.stdout
    assert not any(sign in done.stdout for sign in "\r\x1b\u202e\x7f\u009b")


@pytest.mark.parametrize("form", ["postgresql://postgres:{0}@{1}", "postgresql://postgres@{1}?application_name=x&password={0}"])
def test_the_password_is_in_no_list_of_processes(database, tmp_path, form):
    (tmp_path / "psql").write_text(f"""#!/bin/sh
for process in /proc/[0-9]*; do tr '\\0' ' ' <$process/cmdline; echo; done >>{tmp_path}/lines 2>/dev/null
echo "$PGPASSWORD" >>{tmp_path}/passwords
exec {shutil.which("psql")} "$@"
""")
    (tmp_path / "psql").chmod(0o755)
    word = secrets.token_hex(8)
    doctor(form.format(word, database.url().rsplit("@", 1)[1]), PATH=f"{tmp_path}:{os.environ['PATH']}")
    shown = [line for line in (tmp_path / "lines").read_text(errors="replace").splitlines() if word in line]
    assert shown and all("scripts/doctor" in line for line in shown), "only where the caller wrote it"
    assert set((tmp_path / "passwords").read_text().split()) == {word}


@defended_by("proof-verdict", "validate-schema", "ownership-of-functions")
def test_what_is_wrong_is_said_with_what_to_do(database):
    database.run(f"{SLEEP}; DROP POLICY tenant ON relygate.purposes; ALTER TABLE relygate.gates NO FORCE ROW LEVEL SECURITY; {WAKE}")
    done = doctor(database.url())
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    bad = [line for line in lines if line.startswith("  bad ")]
    assert any("relygate.purposes: policy tenant is missing or changed" in line for line in bad)
    assert any("did not hold: read: SELECT FROM relygate.purposes as relygate_api (1 rows)" in line for line in bad)
    assert any("relygate.gates: row-level security is not forced" in line for line in bad)
    assert all(lines[lines.index(line) + 1].startswith("        ") for line in bad), "each with what to do"
    assert lines[-1] == f"{len(bad)} found."
    assert "\x1b[31m" in subprocess.run(["script", "-qec", f"{ROOT / 'scripts/doctor'} '{database.url()}'", "/dev/null"], capture_output=True,
                                        encoding="utf-8", timeout=300, check=False).stdout      # a terminal gets colours


@defended_by("validate-settings", "validate-schema")
def test_a_server_whose_sessions_begin_without_triggers(database):
    done = doctor(database.url(options="-c session_replication_role=replica"))      # as well as postgresql.conf
    assert done.returncode == 1 and "parameter session_replication_role: sessions begin with replica" in done.stdout


@pytest.mark.parametrize("options", [None, "-c search_path=public"])
def test_functions_of_others_in_public_are_not_run(database, options):
    with stranger(database) as caught:
        doctor(database.url(options=options))
        assert caught() == []


def test_what_cannot_be_examined_is_not_called_well(database):
    database.run("ALTER FUNCTION relygate.validate_schema() RENAME TO not_there")
    try:
        done = doctor(database.url())
        assert done.returncode == 1 and "it could not be looked at: " in done.stdout and "not_there" not in done.stdout
    finally:
        database.run("ALTER FUNCTION relygate.not_there() RENAME TO validate_schema")


def test_the_script_is_clean():
    assert subprocess.run(["shellcheck", ROOT / "scripts/doctor"], check=False).returncode == 0
