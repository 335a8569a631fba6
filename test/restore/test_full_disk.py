"""The server's disk is full in the middle of a restore: no database of the wanted name, and the next try works."""
import os
import pwd
import subprocess

import pytest

from rehearsal import backup_of, script, target, touched  # noqa: F401 (a fixture)

LIMIT = 16 << 20    # a segment of WAL still fits, a table beyond it does not


@pytest.fixture
def large(database, tmp_path):
    """A backup with one table that is greater than the limit and cannot be compressed."""
    database.run("CREATE TABLE relygate_global.ballast (id int PRIMARY KEY, bytes bytea); ALTER TABLE relygate_global.ballast ALTER bytes SET STORAGE EXTERNAL; "
                 "INSERT INTO relygate_global.ballast SELECT n, (SELECT string_agg(sha512(((n * 20000 + m)::text)::bytea), '') FROM generate_series(1, 16384) m) "
                 "FROM generate_series(1, 20) n")
    return backup_of(database, tmp_path)


def limit(process, size):
    """New backends inherit it. PostgreSQL meets it as it meets a disk without room: a file cannot be extended."""
    owner = pwd.getpwuid(os.stat(f"/proc/{process}").st_uid).pw_name
    subprocess.run([*(["runuser", "-u", owner, "--"] if os.geteuid() == 0 else []), "prlimit", f"--pid={process}", f"--fsize={size}:"], check=True)


def test_full_in_the_middle(large, target):
    before = touched(target)
    postmaster = target.postmaster
    limit(postmaster, LIMIT)
    said = script("restore", large, target.url("room"), check=1).stderr
    assert "could not extend file" in said or "File too large" in said
    assert [pair for pair in touched(target) if pair[0] == "database"] == [pair for pair in before if pair[0] == "database"]
    limit(postmaster, "unlimited")
    script("restore", large, target.url("room"))
    assert target.run("SELECT sum(octet_length(bytes)) FROM relygate_global.ballast", "room") == [(20 << 20,)]
