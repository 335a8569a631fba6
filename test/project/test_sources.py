"""Rules of the house that a reader would otherwise have to remember: what leaves relygate.so, what may stand where."""
import pathlib
import re
import subprocess

import pytest

from conftest import ROOT

SOURCES = {folder: sorted((ROOT / folder).rglob("*.[ch]pp")) for folder in ("extension/core", "extension/pg", "shim")}


def without_comments(path):
    return re.sub(r"//[^\n]*|/\*.*?\*/", "", path.read_text(), flags=re.S)


def exported(database):
    """The names that the library which this server loads lets out."""
    folder = database.value("SELECT setting FROM pg_config WHERE name = 'PKGLIBDIR'")
    lines = subprocess.run(["nm", "-D", "--defined-only", pathlib.Path(folder) / "relygate.so"], check=True, capture_output=True,
                           text=True).stdout.splitlines()
    return [line.split()[-1] for line in lines]


def test_the_library_exports_its_entry_points_alone(database):
    # PostgreSQL loads modules RTLD_GLOBAL: anything else could collide with another extension's symbols.
    names = exported(database)
    assert "_PG_init" in names and len(names) > 20
    assert [name for name in names if not re.fullmatch(r"Pg_magic_func|_PG_init|(pg_finfo_)?relygate_\w+", name)] == []


def test_every_sql_function_in_c_has_its_symbol(database):
    rows = database.run("SELECT prosrc FROM pg_proc p JOIN pg_language l ON l.oid = p.prolang WHERE l.lanname = 'c' AND pronamespace = 'relygate'::regnamespace")
    assert rows and not {name for name, in rows} - set(exported(database))


@pytest.mark.parametrize("path", SOURCES["extension/pg"], ids=lambda path: str(path.relative_to(ROOT)))
def test_glue_owns_nothing_that_a_longjmp_would_leak(path):
    owning = r"std::(string|vector|map|unordered_map|set|unique_ptr|shared_ptr|function|optional<std::string>)\b(?!_view)"
    assert not re.findall(owning, without_comments(path))


@pytest.mark.parametrize("path", SOURCES["extension/core"] + SOURCES["extension/pg"], ids=lambda path: str(path.relative_to(ROOT)))
def test_only_the_memory_of_the_boundary_throws(path):
    if path.name != "boundary.cpp":
        assert not re.search(r"\bthrow\b", without_comments(path))


@pytest.mark.parametrize("path", SOURCES["extension/core"], ids=lambda path: str(path.relative_to(ROOT)))
def test_core_knows_no_server_and_no_clock(path):
    text = without_comments(path)
    assert not re.search(r'#include [<"](postgres|fmgr|libpq|microhttpd)', text)
    assert not re.search(r"system_clock|\btime\(|gettimeofday|clock_gettime", text)


def test_every_function_of_the_schema_is_documented_and_closed_to_public(database):
    undocumented = database.run(
        "SELECT oid::regprocedure::text FROM pg_proc p WHERE pronamespace = 'relygate'::regnamespace AND obj_description(oid, 'pg_proc') IS NULL")
    assert undocumented == []
    open_to_all = database.run(
        "SELECT p.oid::regprocedure::text FROM pg_proc p, aclexplode(coalesce(proacl, acldefault('f', proowner))) a "
        "WHERE pronamespace = 'relygate'::regnamespace AND a.grantee = 0 AND a.privilege_type = 'EXECUTE'")
    assert open_to_all == []


def test_nothing_names_a_machine():
    files = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True).stdout.split("\0")
    words = [b"/ho" + b"me/", b"/ro" + b"ot/", b"/wo" + b"rk/"]
    named = [name for name in files if name and (ROOT / name).is_file() and any(word in (ROOT / name).read_bytes() for word in words)]
    assert named == []
