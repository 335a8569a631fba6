"""Runs each pgTAP file of this folder against a deployed database of its own copy, and every line of TAP must be ok.

A file has a plan with a number, so a check that did not run fails; psql stops at the first error that no check expects.
"""
import pathlib
import re
import subprocess

import pytest

from conftest import ROOT

FOLDER = pathlib.Path(__file__).parent
FILES = sorted(path for path in FOLDER.glob("*.sql") if path.name != "setup.sql")


@pytest.fixture(scope="module")
def pgtap(database):
    """The database with pgTAP, plpgsql_check and the helpers of setup.sql."""
    database.run("CREATE SCHEMA tap; CREATE EXTENSION pgtap SCHEMA tap; CREATE EXTENSION plpgsql_check SCHEMA tap;")
    run = psql(database, "setup.sql")
    assert run.returncode == 0, run.stderr
    return database


def psql(database, name):
    # Restricted output: TAP alone. search_path: the tests' own words, never the schema under test.
    return subprocess.run(
        ["psql", "-XAtq", "-F", "\n", "-v", "ON_ERROR_STOP=1", "-P", "pager=off",
         "-d", database.url(options="-c search_path=tap,test,public -c client_min_messages=warning"), "-f", name],
        cwd=FOLDER, capture_output=True, encoding="utf-8", timeout=300)


@pytest.mark.parametrize("path", FILES, ids=[path.stem for path in FILES])
def test_pgtap(path, pgtap):
    run = psql(pgtap, path.name)
    lines = run.stdout.splitlines()
    planned = [int(found[1]) for line in lines if (found := re.fullmatch(r"1\.\.(\d+)", line))]
    results = [line for line in lines if re.match(r"(not )?ok \d+", line)]
    failed = [line for line in lines if re.match(r"(not ok|#)", line)]
    assert run.returncode == 0, f"{run.stderr}\n" + "\n".join(failed + lines[-5:])
    assert planned == [len(results)] and planned[0] > 0, f"planned {planned}, ran {len(results)}"
    assert not any(line.startswith("not ok") for line in lines), "\n".join(failed)


def test_every_file_is_run():
    assert FILES, f"no pgTAP file in {FOLDER.relative_to(ROOT)}"
