"""A released script is never edited: what a database was made with must stay what its upgrade was tested against."""
import hashlib
import re

import pytest

from conftest import RELEASE, ROOT

LISTS = sorted((ROOT / "sql/released").glob("*.sha256"))


def planned_until(tag):
    plan = (ROOT / "migrations/sqitch.plan").read_text().splitlines()
    end = next(number for number, line in enumerate(plan) if line.startswith(f"@{tag} "))
    return [line.split()[0] for line in plan[:end] if re.match(r"[a-z]", line)]


@pytest.mark.parametrize("path", LISTS, ids=[path.stem for path in LISTS])
def test_released_scripts_are_as_they_were(path):
    listed = dict(reversed(line.split("  ")) for line in path.read_text().splitlines())
    wanted = {f"sql/released/relygate--{path.stem}.sql"} | {
        f"migrations/{kind}/{change}.sql" for change in planned_until(f"v{path.stem}") for kind in ("deploy", "revert", "verify")}
    assert set(listed) == wanted
    edited = [name for name, digest in listed.items() if hashlib.sha256((ROOT / name).read_bytes()).hexdigest() != digest]
    assert edited == [], "released, so never edited again: add a change or a statement of the next version"


def test_every_released_script_has_its_hash():
    assert {path.stem.split("--")[1] for path in (ROOT / "sql/released").glob("relygate--*.sql")} == {path.stem for path in LISTS} >= {"1.0.0"}
    assert RELEASE not in {path.stem for path in LISTS}, "a released version is in relygate.control: the next one needs its own"
