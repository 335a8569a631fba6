"""scripts/backup: what is in a backup, who may take one, what a killed or hindered run leaves, which ones are kept."""
import fcntl
import json
import os
import resource
import secrets
import shutil
import signal
import stat
import subprocess

import pytest

from conftest import ROOT
from migrating import run
from rehearsal import backup, backup_of, halting, killed, script, source  # noqa: F401 (fixtures)


def backups(folder):
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("."))


def test_a_backup_is_whole_and_its_owners_alone(source, backup):
    assert sorted(path.name for path in backup.iterdir()) == ["catalog.json", "database", "globals.sql", "manifest.json", "manifest.json.sha256"]
    for path in (backup.parent, backup, *backup.iterdir()):
        assert stat.S_IMODE(path.stat().st_mode) & 0o077 == 0, path
    subprocess.run(["sha256sum", "-c", "--status", "manifest.json.sha256"], cwd=backup, check=True)
    manifest = json.loads((backup / "manifest.json").read_text())
    for name, known in manifest["files"].items():
        assert run("sha256sum", backup / name, check=0).stdout.split()[0] == known["sha256"]
    assert {name: table["rows"] for name, table in manifest["tables"].items() if table["rows"]} == \
        {name: count for name, (count, _) in source.picture["rows"].items() if name != "relygate.product_routes"}, "the extension brings those"
    assert manifest["audit_head"] == source.value("SELECT relygate.audit_head()")
    assert "SCRAM-SHA-256" in (backup / "globals.sql").read_text()


@pytest.mark.parametrize("attributes", ["NOBYPASSRLS IN ROLE pg_read_all_data", "BYPASSRLS"], ids=["held by policies", "without rights"])
def test_a_login_that_sees_less_is_refused(source, tmp_path, attributes):
    source.run(f"CREATE ROLE half_blind LOGIN {attributes}")
    try:
        assert "Use relygate_backup" in script("backup", source.url("half_blind"), tmp_path / "none", check=1).stderr
    finally:
        source.run("DROP ROLE half_blind")
    assert not (tmp_path / "none").exists()


def test_large_objects_that_the_login_cannot_read(source, tmp_path):
    number = source.value("SELECT lo_from_bytea(0, 'of another program')")
    try:
        said = script("backup", source.url("relygate_backup"), tmp_path / "none", check=1).stderr
        assert "holds 1 large objects that relygate_backup may not read" in said and "lo_unlink" in said
        assert not (tmp_path / "none").exists()
        source.run("SELECT set_config('lo_compat_privileges', 'off', false); GRANT SELECT ON LARGE OBJECT %s TO relygate_backup", number)
        backup_of(source, tmp_path / "made", user="relygate_backup")
    finally:
        source.run("SELECT lo_unlink(%s)", number)


def test_what_is_no_relygate_is_refused(source, tmp_path):
    assert "no RelyGate" in script("backup", source.cluster.url("postgres"), tmp_path, check=1).stderr
    assert "no database" in script("backup", "postgresql://postgres@localhost", tmp_path, check=1).stderr
    assert "postgresql://user@host" in script("backup", "relygate", tmp_path, check=1).stderr
    assert "usage" in script("backup", check=2).stderr
    assert "cron" in script("backup", "--help").stdout


def test_the_password_is_in_no_list_of_processes(source, tmp_path):
    (tmp_path / "pg_dump").write_text(f"""#!/bin/sh
for process in /proc/[0-9]*; do tr '\\0' ' ' <$process/cmdline; echo; done >{tmp_path}/lines 2>/dev/null
exec {shutil.which("pg_dump")} "$@"
""")
    (tmp_path / "pg_dump").chmod(0o755)
    word = secrets.token_hex(8)
    backup_of(source, tmp_path / "made", user=f"relygate_backup:{word}", PATH=f"{tmp_path}:{os.environ['PATH']}")
    lines = (tmp_path / "lines").read_text(errors="replace").splitlines()
    assert any("--snapshot" in line for line in lines), "it looked while the dump was made"
    shown = [line for line in lines if word in line]
    assert shown and all("scripts/backup" in line for line in shown), "only where the caller wrote it"


@pytest.mark.parametrize("program, number", [("pg_dump", signal.SIGKILL), ("pg_dumpall", signal.SIGKILL), ("pg_dump", signal.SIGTERM)])
def test_a_killed_run_leaves_no_backup(source, tmp_path, program, number):
    folder = tmp_path / "made"
    killed(tmp_path / "bin", number, ROOT / "scripts/backup", source.url("relygate_backup"), folder, path=halting(tmp_path / "bin", program))
    assert backups(folder) == []
    partial = list(folder.iterdir())
    assert len(partial) == (number == signal.SIGKILL), "an end in order cleans up"
    if partial:
        assert (partial[0] / "database").exists(), "it was in the middle"
        assert "unfinished" in script("verify-backup", "--checksums", partial[0], check=1).stderr
        made = backup_of(source, folder)
        assert [path for path in folder.iterdir()] == [made], "the next run clears away what is left"


def test_a_run_beside_another_leaves_its_unfinished_backup(source, tmp_path):
    other = tmp_path / f".relygate-{source.name}-20200101T000000Z.partial"
    other.mkdir()
    foreign = tmp_path / ".relygate-another-20200101T000000Z.partial"
    foreign.mkdir()
    descriptor = os.open(other, os.O_RDONLY)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    assert script("backup", "--quiet", source.url("relygate_backup"), tmp_path).stdout == "", "cron would send a mail"
    assert len(backups(tmp_path)) == 1
    assert other.exists() and foreign.exists()
    os.close(descriptor)


def test_retention_keeps_whole_ones_and_foreign_files(source, backup, tmp_path):
    def older(year, damage=False, name=None):
        made = shutil.copytree(backup, tmp_path / (name or f"relygate-{source.name}-{year}0101T000000Z"))
        if damage:
            with open(made / "database", "r+b") as file:
                file.seek(-100, os.SEEK_END)
                file.write(b"X")
        return made.name
    doomed = [older(2001), older(2002)]
    kept = [older(2003), older(2005)]
    damaged, damaged_before = older(2006, damage=True), older(1998, damage=True)    # also one that is older than the last to be kept
    (tmp_path / "relygate.conf").write_text("mine")
    (tmp_path / f"relygate-{source.name}-20000101T000000Z").mkdir()    # named like one, but no backup
    foreign = ["relygate.conf", f"relygate-{source.name}-20000101T000000Z", older(2000, name="relygate-other-20000101T000000Z"),
               older(2000, name=f"copy-of-relygate-{source.name}-20000101T000000Z")]
    (tmp_path / f"relygate-{source.name}-19990101T000000Z").symlink_to(backup)
    done = script("backup", source.url("relygate_backup"), tmp_path, "--keep", "3")
    new = done.stdout.splitlines()[-1].rsplit("/", 1)[1]
    assert backups(tmp_path) == sorted([*kept, damaged, damaged_before, *foreign, f"relygate-{source.name}-19990101T000000Z", new])
    assert all(name in done.stdout for name in doomed) and damaged in done.stdout and damaged_before in done.stdout
    assert backup.exists()


def no_room(folder):
    """A disk that is full before the dump is written: a small file system where one may be mounted, else a limit on files."""
    folder.mkdir()
    if os.geteuid() == 0 and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200k", "tmpfs", folder], capture_output=True).returncode == 0:
        return None
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))


def test_a_full_disk(source, backup, tmp_path):
    disk = tmp_path / "disk"
    limit = no_room(disk)
    try:
        (disk / "good").write_text("the last good one")
        done = subprocess.run([ROOT / "scripts/backup", source.url("relygate_backup"), disk, "--keep", "1"], capture_output=True, text=True, preexec_fn=limit)
        assert done.returncode == 1 and done.stderr.startswith("scripts/backup: ")
        assert "No space left" in done.stderr or "too large" in done.stderr or limit, done.stderr
        assert [path.name for path in disk.iterdir()] == ["good"]
    finally:
        if not limit:
            subprocess.run(["umount", disk], check=True)
