"""From each released version to this one: catalog and rows as in a fresh database, and requests are served all the time.

Cases extension-004 and extension-005. One library serves both versions: it is on disk before ALTER EXTENSION runs.
"""
import collections
import http.client
import json
import pathlib
import secrets
import shutil
import subprocess
import threading

import psycopg2
import pytest

from conftest import RELEASE, ROOT, Database, Tenants, copy_of_template, wait_until
from ground import some_mobile, walk_in
from migrating import migrate, schema
from upgrading import differences, empty_database, extension_folder, install, routes, snapshot, upgrade_script

RELEASED = sorted(path.stem.split("--")[1] for path in (ROOT / "sql/released").glob("relygate--*.sql"))
VERSION = "SELECT extversion FROM pg_extension WHERE extname = 'relygate'"


def database_of(cluster, version, root=ROOT):
    """As it was deployed by that release."""
    database = empty_database(cluster)
    database.run(f"CREATE EXTENSION relygate VERSION '{version}'")
    migrate("up", "--to", f"@v{version}", url=database.url(), root=root)
    return database


@pytest.fixture(scope="module")
def old(cluster):
    database = database_of(cluster, "1.0.0")
    yield database
    cluster.run(f'DROP DATABASE "{database.name}" WITH (FORCE)')


@pytest.mark.parametrize("version", RELEASED)
def test_extension_004_update_path(cluster, version):
    upgraded, fresh = empty_database(cluster), empty_database(cluster)
    try:
        upgraded.run(f"CREATE EXTENSION relygate VERSION '{version}'")
        assert upgraded.value(VERSION) == version
        upgraded.run("ALTER EXTENSION relygate UPDATE")
        fresh.run("CREATE EXTENSION relygate")
        assert upgraded.value(VERSION) == fresh.value(VERSION) == RELEASE
        assert differences(snapshot(fresh), snapshot(upgraded)) == {}
        assert routes(fresh) == routes(upgraded)
    finally:
        for database in (upgraded, fresh):
            cluster.run(f'DROP DATABASE "{database.name}" WITH (FORCE)')


class Load:
    """Clients that ask and write without a pause; each answer that is not right is kept."""

    def __init__(self, shim, token):
        self.shim, self.token = shim, token
        self.stopping = threading.Event()
        self.wrong, self.made, self.asked = [], [], collections.Counter()
        self.threads = [threading.Thread(target=self.run, args=(step,)) for step in [self.write] * 3 + [self.read] * 3 + [self.list] * 2]

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self.stopping.set()
        for thread in self.threads:
            thread.join(60)

    def run(self, step):
        connection = http.client.HTTPConnection("127.0.0.1", self.shim.port, timeout=30)
        while not self.stopping.is_set():
            try:
                step(connection)
                self.asked[step.__name__] += 1
            except Exception as error:    # a lost connection is a failed request as well
                self.wrong.append(f"{step.__name__}: {type(error).__name__}: {error}")
                return

    def ask(self, connection, method, path, body=None, wanted=200):
        headers = {"Authorization": f"Bearer {self.token}", **({"Content-Type": "application/json"} if body else {})}
        connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = connection.getresponse()
        raw = answer.read()
        assert answer.status == wanted, f"{method} {path}: {answer.status} {raw[:300]!r}"
        return json.loads(raw)["data"]

    def write(self, connection):
        mobile = some_mobile()
        visit = self.ask(connection, "POST", "/api/visits", walk_in("Asha", mobile), 201)
        assert visit["state"] == "checked_in" and visit["visitor"]["mobile"] == mobile, visit
        self.made.append((visit["id"], mobile))
        left = self.ask(connection, "POST", f"/api/visits/{visit['id']}/check-out", {})
        assert left["state"] == "checked_out", left

    def read(self, connection):
        if not self.made:
            return
        visit, mobile = self.made[-1]
        assert self.ask(connection, "GET", f"/api/visits/{visit}")["visitor"]["mobile"] == mobile

    def list(self, connection):
        known = len(self.made)
        visits = self.ask(connection, "GET", "/api/visits?page=1&pageSize=5")
        assert len(visits) >= min(known, 5)
        assert {visit["visitor"]["firstName"] for visit in visits} <= {"Asha", "Before"}

    def goes_on(self):
        """Every kind of client has got answers since now."""
        before = collections.Counter(self.asked)
        wait_until(lambda: self.wrong or all(self.asked[step] > before[step] + 5 for step in ("write", "read", "list")), 60)


def exchange_library(database):
    """As a package does: a new file; those who hold the old one keep it."""
    library = pathlib.Path(database.value("SELECT setting FROM pg_config WHERE name = 'PKGLIBDIR'")) / "relygate.so"
    copy = library.with_suffix(".so." + secrets.token_hex(4))
    shutil.copy(library, copy)
    copy.replace(library)


def test_upgrade_while_requests_run(cluster, old, template, shims):
    tenants = Tenants(old)
    shim = shims(old)
    admin = tenants.client(shim, "north", "admin")
    admin.post("/api/gates", {"name": "Main gate"})
    guard = tenants.client(shim, "north", "guard")
    # extension-005: the new library under the old version of the SQL
    assert old.value(VERSION) == "1.0.0"
    before = guard.post("/api/visits", walk_in("Before"))
    assert before.status == 201
    holder = psycopg2.connect(old.url(), application_name="relygate-shim")    # a shim that does not hear what it is told
    exchange_library(old)
    refused = migrate("up", "--extension", url=old.url(), check=1, RENEWAL_TIMEOUT="1")
    assert "restart relygate-shim" in refused.stderr and old.value(VERSION) == "1.0.0"
    holder.close()

    started = "SELECT min(backend_start) FROM pg_stat_activity WHERE datname = current_database() AND application_name = 'relygate-shim'"
    first = old.value(started)

    exchange_library(old)
    with Load(shim, guard.token) as load:
        load.goes_on()
        output = migrate("up", "--extension", url=old.url()).stdout
        load.goes_on()
    assert load.wrong == [] and f"1.0.0 -> {RELEASE}" in output
    assert old.value(started) > first, "no session holds the old library"
    assert old.value(VERSION) == RELEASE

    kept = dict(old.run("SELECT v.id::text, p.mobile FROM relygate.visits v JOIN relygate.visitors p ON p.tenant_id = v.tenant_id AND p.id = v.visitor_id"))
    assert len(load.made) > 20 and set(load.made) <= set(kept.items()) and before.data["id"] in kept
    assert guard.get(f"/api/visits/{before.data['id']}").data["visitor"] == before.data["visitor"]
    migrate("verify", url=old.url())
    assert old.run("SELECT * FROM relygate.validate_schema()") == []


def test_upgraded_database_equals_a_fresh_one(cluster, old, template):
    fresh = Database(cluster, template)
    assert old.value(VERSION) == RELEASE
    assert differences(snapshot(fresh), snapshot(old)) == {}
    assert routes(fresh) == routes(old)
    # ... and what belongs to the database itself: its settings and rights
    assert [line.replace(old.name, "x") for line in schema(old)] == [line.replace(fresh.name, "x") for line in schema(fresh)]


@pytest.fixture
def project(tmp_path):
    """The scripts with two changes more: one that may come before the extension's update and one that needs it."""
    for folder in ("scripts", "migrations"):
        shutil.copytree(ROOT / folder, tmp_path / folder)

    def add(name, needs, body):
        migrate("create", name, root=tmp_path)
        check = f"DO $$ BEGIN ASSERT (SELECT extversion {'=' if needs == RELEASE else '<>'} '{RELEASE}' FROM pg_extension WHERE extname = 'relygate'); END $$;"
        (tmp_path / f"migrations/deploy/{name}.sql").write_text(f"-- extension: {needs}\nBEGIN;\n{check}\n{body}\nCOMMIT;\n")
        (tmp_path / f"migrations/verify/{name}.sql").write_text("SELECT 1;")
    plan = tmp_path / "migrations/sqitch.plan"
    released = plan.read_text().split("@v1.0.0")[0]
    plan.write_text(released)
    add("expand_visits", "1.0.0", "ALTER TABLE relygate.visits ADD COLUMN bells int;")
    add("contract_visits", RELEASE, "ALTER TABLE relygate.visits DROP COLUMN bells;")
    return tmp_path


def test_additive_changes_come_first_and_no_queue_forms_behind_a_lock(cluster, project):
    database = empty_database(cluster)
    try:
        database.run("CREATE EXTENSION relygate VERSION '1.0.0'")
        migrate("up", "--to", "guard", url=database.url(), root=project)
        refused = migrate("up", url=database.url(), root=project, check=1)
        assert "contract_visits" in refused.stderr and "--extension" in refused.stderr
        assert database.value("SELECT count(*) FROM sqitch.changes WHERE change LIKE '%%_visits'") == 0, "nothing was begun"

        reader = database.connect(autocommit=False)
        reader.cursor().execute("SELECT count(*) FROM relygate.visits")
        upgrade = subprocess.Popen([project / "scripts/migrate", "up", "--extension", "--url", database.url()], stdout=subprocess.PIPE,
                                   stderr=subprocess.STDOUT, encoding="utf-8")
        output = ""
        while "trying again" not in output:    # the change gives way: whoever asks meanwhile is not held up
            line = upgrade.stdout.readline()
            assert line, output
            output += line
        database.run("SELECT count(*) FROM relygate.visits")
        reader.rollback()
        output += upgrade.communicate(timeout=120)[0]
        assert upgrade.returncode == 0, output
        order = [output.index(word) for word in ("+ expand_visits", f"1.0.0 -> {RELEASE}", "+ contract_visits")]
        assert order == sorted(order)
    finally:
        cluster.run(f'DROP DATABASE "{database.name}" WITH (FORCE)')



def test_definitions_that_change_under_running_requests(cluster, template, shims, tmp_path):
    """Every function that answers a visit is dropped and made anew, again and again: a request in the middle of one is asked again."""
    database = copy_of_template(cluster, "test_" + secrets.token_hex(6), template)
    # What is installed: beside the sources may lie the script of another build.
    scripts = {"91.0": (extension_folder(database) / f"relygate--{RELEASE}.sql").read_text()}
    assert scripts["91.0"].count("CREATE TYPE @extschema@.visit AS (") == 1
    scripts["91.1"] = scripts["91.0"].replace("CREATE TYPE @extschema@.visit AS (", "CREATE TYPE @extschema@.visit AS (bells int, ").replace(
        "SELECT v.id, v.state::text, v.site_id, s.name::text,", "SELECT 7, v.id, v.state::text, v.site_id, s.name::text,")   # get_visit goes by names
    paths = [tmp_path / f"relygate--{name}.sql" for name in ("91.0", "91.1", "91.0--91.1", "91.1--91.0", f"{RELEASE}--91.0")]
    paths[0].write_text(scripts["91.0"])
    paths[1].write_text(scripts["91.1"])
    paths[2].write_text(upgrade_script(paths[0], paths[1]).stdout)
    paths[3].write_text(upgrade_script(paths[1], paths[0]).stdout)
    paths[4].write_text("")
    installed = install(database, *paths)
    try:
        tenants = Tenants(database)
        shim = shims(database)
        tenants.client(shim, "north", "admin").post("/api/gates", {"name": "Main gate"})
        guard = tenants.client(shim, "north", "guard")
        database.run("ALTER EXTENSION relygate UPDATE TO '91.0'")
        with Load(shim, guard.token) as load:
            load.goes_on()
            for _ in range(5):
                for version in ("91.1", "91.0"):
                    database.run(f"ALTER EXTENSION relygate UPDATE TO '{version}'; SELECT relygate.grant_functions()")
            load.goes_on()
        shim.stop()
        assert load.wrong == []
    finally:
        cluster.run(f'DROP DATABASE "{database.name}" WITH (FORCE)')
        for path in installed:
            pathlib.Path(path).unlink()
