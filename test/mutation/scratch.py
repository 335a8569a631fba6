"""An installation, a cluster and a database that may be spoiled: one for each worker of the mutation runner.

The objects of the checkout are copied, so of the library only what a mutant changes is compiled. The database `ground` has two
tenants with rows, made while all defences stood, and pgTAP; a mutant is a copy of it, which the tests copy in turn.
"""
import json
import os
import pathlib
import re
import shutil
import subprocess
import sys

from attackers import Ground
from conftest import Cluster, Database, Tenants, copy_of_template
from mutation.defence import ROOT, Function, Source, Sql, names_in_tap
from test_pgtap import psql

MUTANT = "mutant"
PATIENCE_S = 600    # for the tests of one defence: one that waits for a lock for ever is a test to mend


class Broken(Exception):
    """A defence could not be taken out, or the tests could not be run."""


class Scratch:
    def __init__(self, folder):
        self.folder = pathlib.Path(folder)
        self.folder.mkdir(mode=0o711)
        self.environment = {**os.environ, "RELYGATE_PREFIX": str(self.folder / "postgresql"), "RELYGATE_CLUSTER": str(self.folder / "cluster"),
                            "RELYGATE_TEMPLATE": MUTANT, "PYTHONPATH": str(ROOT / "test"), "RELYGATE_NAMING": str(self.folder / "naming.json")}
        self.cluster = Cluster(self.folder / "cluster")

    def make(self):
        """All of it, and stopped: it can be copied and begun."""
        self.prepare()
        self.run(ROOT / "scripts/postgres", "create", self.folder / "cluster", "--scratch")
        self.cluster.run('CREATE DATABASE deployed')
        self.run(ROOT / "scripts/deploy", self.cluster.url("deployed"))
        ground = copy_of_template(self.cluster, "ground", "deployed")
        Ground.add_rows(ground, Tenants(ground))
        ground.run("CREATE SCHEMA tap; CREATE EXTENSION pgtap SCHEMA tap; CREATE EXTENSION plpgsql_check SCHEMA tap")
        loaded = psql(ground, "setup.sql")
        if loaded.returncode != 0:
            raise Broken(loaded.stderr)
        self.run(ROOT / "scripts/postgres", "stop", self.folder / "cluster")

    def prepare(self):
        self.run(ROOT / "scripts/postgres", "install")
        self.pg_config = self.run(ROOT / "scripts/postgres", "pg-config").stdout.strip()
        shutil.copytree(ROOT / "sql", self.folder / "sql")
        (self.folder / "scripts").symlink_to(ROOT / "scripts")
        self.restore_sources()
        self.install()

    def copy_of(self, made):
        self.prepare()
        self.run("cp", "-a", made.folder / "cluster", self.folder)
        self.run("cp", "-a", made.folder / "cluster.password", self.folder)

    def begin(self):
        self.run(ROOT / "scripts/postgres", "start", self.folder / "cluster")

    def remove(self):
        self.run(ROOT / "scripts/postgres", "stop", self.folder / "cluster", "immediate", check=False)

    def run(self, *command, check=True, seconds=None):
        try:
            result = subprocess.run([str(part) for part in command], env=self.environment, capture_output=True, text=True, check=False, timeout=seconds)
        except subprocess.TimeoutExpired as late:
            raise Broken(f"{' '.join(map(str, command))} has not ended within {seconds} s") from late
        if check and result.returncode != 0:
            raise Broken(f"{' '.join(map(str, command))} failed:\n{result.stdout[-2000:]}{result.stderr[-4000:]}")
        return result

    def restore_sources(self):
        # With their times: make then finds nothing to do.
        self.run("cp", "-a", ROOT / "extension", self.folder)

    def install(self):
        self.run("make", "-C", self.folder / "extension", "install", f"PG_CONFIG={self.pg_config}")

    def fresh_mutant(self):
        self.cluster.run(f"DROP DATABASE IF EXISTS {MUTANT} WITH (FORCE)")
        return copy_of_template(self.cluster, MUTANT, "ground")

    def take_out(self, defence):
        mutant = self.fresh_mutant()
        for change in defence.changes:
            if isinstance(change, Source):
                path = self.folder / change.path
                path.write_text(exchanged(path.read_text(), change))
        if defence.sources():
            self.install()
        guards = dict(mutant.run("SELECT evtname, evtenabled::text FROM pg_event_trigger WHERE evtname LIKE 'relygate%' AND evtenabled <> 'D'"))
        mutant.run("".join(f"ALTER EVENT TRIGGER {name} DISABLE;" for name in guards))
        for change in defence.changes:
            if isinstance(change, Sql):
                mutant.run(change.text)
            elif isinstance(change, Function):
                text = mutant.value("SELECT pg_get_functiondef(%s::regprocedure)", change.signature)
                mutant.run(exchanged(text, change))
        left = [name for name, in mutant.run("SELECT evtname FROM pg_event_trigger") if name in guards]
        mutant.run("".join(f"ALTER EVENT TRIGGER {name} ENABLE {'ALWAYS' if guards[name] == 'A' else ''};" for name in left) or "SELECT")

    def put_back(self, defence):
        for change in defence.changes:
            if isinstance(change, Sql) and change.undo:
                self.cluster.run(change.undo)
        if defence.sources():
            self.restore_sources()
            self.install()

    def outcomes(self, tap_files, pytest_files):
        """Of each test: the defences that it names, and passed, failed or error. pgTAP's come first: they need no copy."""
        found = {}
        mutant = Database(self.cluster, MUTANT)
        for path in tap_files:
            found.update(self.tap(mutant, path))
        if pytest_files:
            naming = pathlib.Path(self.environment["RELYGATE_NAMING"])
            naming.unlink(missing_ok=True)
            # A temporary folder for each worker: pytest's own would be shared.
            result = self.run(sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "mutation.naming", "--tb=line",
                              "--basetemp", self.folder / "pytest", *[ROOT / path for path in pytest_files], check=False,
                              seconds=PATIENCE_S)
            if not naming.exists() or result.returncode not in (0, 1):
                raise Broken(result.stdout[-3000:] + result.stderr[-3000:])
            found.update({nodeid: (test["names"], test["outcome"]) for nodeid, test in json.loads(naming.read_text()).items()})
        return found

    @staticmethod
    def tap(mutant, path):
        run = psql(mutant, path.name)
        found = {}
        for line in run.stdout.splitlines():
            if result := re.match(r"(not )?ok (\d+) - (.*)", line):
                found[f"{path.name}:{result[2]} {result[3]}"] = (names_in_tap(result[3]), "failed" if result[1] else "passed")
        return found


def exchanged(text, change):
    if text.count(change.old) != 1:
        raise Broken(f"{getattr(change, 'path', None) or change.signature} has {text.count(change.old)} times: {change.old}")
    return text.replace(change.old, change.new)
