"""scripts/deps on a machine that has nothing: stand-ins for dpkg-query and apt-get say what it would do."""
import os
import subprocess

from conftest import ROOT


def stand_in(folder, name, script):
    (folder / name).write_text(f"#!/bin/sh\n{script}\n")
    (folder / name).chmod(0o755)


def test_a_machine_that_never_heard_of_a_package_gets_them_all(tmp_path):
    stand_in(tmp_path, "dpkg-query", "echo 'python3 ii'; exit 1")
    stand_in(tmp_path, "apt-get", f'echo "$@" >>{tmp_path}/asked')
    stand_in(tmp_path, "sudo", 'exec "$@"')
    done = subprocess.run([ROOT / "scripts/deps", "run"], env={**os.environ, "PATH": f"{tmp_path}:{os.environ['PATH']}"}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    asked = (tmp_path / "asked").read_text().splitlines()
    assert "update" in asked[0] and {"install", "postgresql-15", "libmicrohttpd-dev", "sqitch"} <= set(asked[-1].split())
    assert "python3" not in asked[-1].split()
