"""make run promises nothing that the service then refuses."""
import os
import shutil
import subprocess

import pytest

from conftest import BUILD, ROOT


@pytest.fixture
def checkout(tmp_path):
    """scripts/run with the real shim; everything else only says that it was called."""
    (tmp_path / "scripts").mkdir()
    (tmp_path / "build").mkdir()
    shutil.copy2(ROOT / "scripts/run", tmp_path / "scripts")
    (tmp_path / "build/relygate-shim").symlink_to(BUILD / "relygate-shim")
    for name in ("deps", "build", "postgres", "deploy", "demo", "key-file"):
        stand_in = tmp_path / "scripts" / name
        stand_in.write_text(f"#!/bin/sh\necho called {name}\n")
        stand_in.chmod(0o755)
    return tmp_path


@pytest.mark.parametrize("environment, names", [
    ({"PORT": "abc"}, ["PORT"]),
    ({"LOG_LEVEL": "loud", "METRICS_PORT": "0x1"}, ["LOG_LEVEL", "METRICS_PORT"]),
])
def test_a_wrong_environment_is_told_before_anything_is_started(checkout, environment, names):
    run = subprocess.run([checkout / "scripts/run"], env={"PATH": os.environ["PATH"], "PORT": "39117", "METRICS_PORT": "39118", **environment},
                         capture_output=True, text=True, timeout=60)
    assert run.returncode == 1 and [name for name in names if f"relygate-shim: {name}: " not in run.stderr] == [], run
    assert "called build" in run.stdout and "called postgres" not in run.stdout, run
    assert "serving on" not in run.stdout and "Try it" not in run.stdout, run
