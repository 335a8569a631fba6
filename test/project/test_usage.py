"""Every program of the project prints its usage when it is asked to, and refuses what it does not know, before it does anything."""
import os
import subprocess

import pytest

from conftest import ROOT

# The entries of the images take no options: what they are given is the server's.
ENTRIES = {"docker/migrate-entry", "docker/postgres-entry"}
PROGRAMS = [line.split("\t")[1] for line in subprocess.run(["git", "ls-files", "-s", "scripts", "bench", "docker"], cwd=ROOT, check=True, capture_output=True,
                                                           text=True).stdout.splitlines() if line.startswith("100755")]
PROGRAMS = sorted(set(PROGRAMS) - ENTRIES)


def run(program, *arguments, **environment):
    return subprocess.run([ROOT / program, *arguments], env={"PATH": os.environ["PATH"], **environment}, capture_output=True, text=True, timeout=20)


def test_the_list_is_not_empty():
    assert {"scripts/migrate", "scripts/error-codes", "bench/run", "docker/check"} <= set(PROGRAMS)


@pytest.mark.parametrize("program", PROGRAMS)
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_prints_the_usage(program, option):
    done = run(program, option)
    assert (done.returncode, done.stderr) == (0, "") and done.stdout.startswith("usage: "), done


@pytest.mark.parametrize("program", PROGRAMS)
def test_an_unknown_option_is_misuse(program):
    done = run(program, "--no-such-option")
    assert (done.returncode, done.stdout) == (2, "") and "usage: " in done.stderr, done


# Where a program has commands, an option of one is none of another.
@pytest.mark.parametrize("arguments", [
    ("verify", "--to", "x"), ("verify", "--to=x"), ("verify", "--all"), ("verify", "--extension"), ("status", "--to", "x"), ("status", "--extension"),
    ("dry-run", "--all"), ("up", "--all"), ("rollback", "--extension"), ("rollback", "--to", "x", "--all"), ("create", "x", "--to", "x"),
    ("create", "x", "--extension"), ("bogus",)], ids=" ".join)
def test_an_option_of_another_command_is_misuse(arguments):
    done = run("scripts/migrate", *arguments, DATABASE_URL="postgresql://nobody@127.0.0.1:1/none")
    assert done.returncode == 2 and "usage: " in done.stderr, done
