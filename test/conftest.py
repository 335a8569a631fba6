"""What every pytest of RelyGate stands on: a private cluster, a deployed database, tenants with users, a running shim.

`make check` starts one cluster for all and names it in RELYGATE_CLUSTER; pytest on its own makes one and removes it.
Databases are copies of one deployed template, so a test file may do with its own what it likes.
"""
import contextlib
import itertools
import json
import os
import pathlib
import re
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import urllib.parse

import psycopg2
import pytest

from client import Client

ROOT = pathlib.Path(__file__).resolve().parent.parent
CASES = ROOT / "test" / "cases"
BUILD = pathlib.Path(os.environ.get("RELYGATE_BUILD", ROOT / "build"))
RELEASE = re.search(r"default_version = '(.*)'", (ROOT / "extension/relygate.control").read_text())[1]
SANITIZER = {name: value for name, value in os.environ.items() if name.endswith("SAN_OPTIONS")}  # scripts/check sets them
PASSWORD = "Gate-keeper-7431"  # of every user that the tests make; the policy wants all four kinds of characters


def cases(name):
    """The cases of one file as parameters, each named by its id."""
    with open(CASES / f"{name}.jsonl", encoding="ascii") as lines:
        return [pytest.param(case, id=case["id"]) for case in map(json.loads, lines)]


def own_ports():
    """The ports of this pytest worker in turn: below those of clusters and those that the kernel gives to outgoing connections."""
    share = 500
    first = 12000 + share * (int(os.environ.get("PYTEST_XDIST_WORKER", "gw0")[2:]) % 16)
    ports = range(first, first + share)
    start = secrets.randbelow(share)   # another run beside this one begins elsewhere
    return itertools.cycle([*ports[start:], *ports[:start]])


PORTS = own_ports()


def free_port():
    """A port that nobody listens on and that no other caller of this run gets for the next 500."""
    for port in PORTS:
        with contextlib.suppress(OSError), socket.create_server(("127.0.0.1", port)):
            return port


def wait_until(condition, seconds=15, message="it did not happen"):
    """Polls a condition; the only form of waiting in these tests."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        result = condition()
        if result:
            return result
        time.sleep(0.02)
    raise AssertionError(f"{message} within {seconds} s")


def number_in(path):
    """The number on the first line of a file that its writer may be in the midst of."""
    def read():
        with contextlib.suppress(OSError, ValueError):
            line, end, _ = path.read_text().partition("\n")
            return int(line) if end else None
    return wait_until(read, 10, f"{path} holds no number")


class Cluster:
    """A private cluster: started, stopped and asked by scripts/postgres."""

    def __init__(self, directory):
        self.directory = pathlib.Path(directory)

    @classmethod
    def create(cls, directory):
        subprocess.run([ROOT / "scripts/postgres", "create", directory, "--scratch"], check=True)
        return cls(directory)

    def start(self):
        subprocess.run([ROOT / "scripts/postgres", "start", self.directory], check=True)

    def stop(self, mode="fast"):
        subprocess.run([ROOT / "scripts/postgres", "stop", self.directory, mode], check=True)

    @property
    def port(self):
        return number_in(self.directory.parent / (self.directory.name + ".port"))

    @property
    def postmaster(self):
        return number_in(self.directory / "postmaster.pid")

    def url(self, database="postgres", user="postgres", options=None):
        query = "?" + urllib.parse.urlencode({"options": options}, quote_via=urllib.parse.quote) if options else ""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{database}{query}"

    def run(self, sql, database="postgres"):
        connection = psycopg2.connect(self.url(database))
        connection.autocommit = True
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql)
                return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()


class Database:
    """A deployed database of its own."""

    def __init__(self, cluster, name):
        self.cluster, self.name = cluster, name

    def url(self, user="postgres", options=None):
        return self.cluster.url(self.name, user, options)

    def connect(self, user="postgres", options=None, autocommit=True):
        connection = psycopg2.connect(self.url(user, options))
        connection.autocommit = autocommit
        return connection

    def run(self, sql, *arguments, user="postgres"):
        """Rows of one statement, as a superuser unless said otherwise."""
        connection = self.connect(user)
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, arguments or None)
                return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()

    def value(self, sql, *arguments, user="postgres"):
        return self.run(sql, *arguments, user=user)[0][0]

    def seal(self):
        """Seals all that is committed by now and gives the head. A transaction anywhere in the cluster, as another worker's, holds a seal back."""
        now = self.value("SELECT pg_current_xact_id()::text")
        wait_until(lambda: self.value("SELECT pg_snapshot_xmin(pg_current_snapshot()) > %s::xid8", now), 60, "a transaction did not end")
        return self.value("SELECT relygate.seal_audit()")


def copy_of_template(cluster, name, template="relygate_template"):
    """CREATE DATABASE ... TEMPLATE copies neither the rights on the database nor its settings: both are walls here."""
    cluster.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
    for role, settings in cluster.run(
            f"SELECT setrole::regrole::text, setconfig FROM pg_db_role_setting s JOIN pg_database d ON d.oid = s.setdatabase "
            f"WHERE datname = '{template}'"):
        for setting in settings:
            key, value = setting.split("=", 1)
            who = f'DATABASE "{name}"' if role == "-" else f'ROLE {role} IN DATABASE "{name}"'
            cluster.run(f"ALTER {who} SET {key} = '{value}'")
    owner, = cluster.run(f"SELECT datdba::regrole::text FROM pg_database WHERE datname = '{template}'")[0]
    cluster.run(f'ALTER DATABASE "{name}" OWNER TO {owner}')
    for right in ("TEMP", "CREATE"):
        is_public = cluster.run(f"SELECT 1 WHERE has_database_privilege('public', '{template}', '{right}')")
        cluster.run(f'{"GRANT" if is_public else "REVOKE"} {right} ON DATABASE "{name}" {"TO" if is_public else "FROM"} PUBLIC')
    return Database(cluster, name)


def deploy(cluster, name):
    cluster.run(f'CREATE DATABASE "{name}"')
    subprocess.run([ROOT / "scripts/deploy", cluster.url(name)], check=True, stdout=subprocess.DEVNULL)
    return Database(cluster, name)


@pytest.fixture(scope="session")
def cluster():
    given = os.environ.get("RELYGATE_CLUSTER")
    if given:
        yield Cluster(given)
        return
    folder = tempfile.mkdtemp(prefix="relygate-test.")
    os.chmod(folder, 0o711)
    made = Cluster.create(f"{folder}/cluster")
    try:
        yield made
    finally:
        made.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def template(cluster):
    if "RELYGATE_TEMPLATE" in os.environ:   # the mutation runner's: a defence is missing in it
        return os.environ["RELYGATE_TEMPLATE"]
    if not cluster.run("SELECT 1 FROM pg_database WHERE datname = 'relygate_template'"):
        deploy(cluster, "relygate_template")
    return "relygate_template"


@pytest.fixture(scope="module")
def database(cluster, template):
    """A copy of the deployed database for one test file."""
    name = "test_" + secrets.token_hex(6)
    yield copy_of_template(cluster, name, template)
    cluster.run(f'DROP DATABASE "{name}" WITH (FORCE)')


class Shim:
    """A running relygate-shim on free ports."""

    def __init__(self, database, **settings):
        self.port, self.metrics_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.environment = {
            "PATH": os.environ["PATH"], "PORT": str(self.port), "METRICS_PORT": str(self.metrics_port),
            "DATABASE_URL": database.url("relygate_shim"), **SANITIZER, **settings}
        self.log = tempfile.NamedTemporaryFile(prefix="relygate-shim.", suffix=".log")
        self.process = None

    def start(self, ready=True):
        self.process = subprocess.Popen([BUILD / "relygate-shim"], env=self.environment, stdout=self.log,
                                        stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)
        if ready:
            wait_until(self.is_ready, 20, "the shim was not ready: " + str(self.log_text()))
        return self

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(f"relygate-shim ended with {self.process.returncode}: {self.log_text()}")
        try:
            with socket.create_connection(("127.0.0.1", self.port), 1) as connection:
                connection.settimeout(2)
                connection.sendall(b"GET /ready HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
                return b" 200 " in connection.recv(64)
        except OSError:
            return False

    def log_text(self):
        return pathlib.Path(self.log.name).read_text(errors="replace")

    def stop(self, number=signal.SIGTERM, seconds=15):
        if self.process and self.process.poll() is None:
            self.process.send_signal(number)
            try:
                self.process.wait(seconds)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
                raise AssertionError(f"the shim did not stop within {seconds} s")
        return self.process.returncode if self.process else None


@pytest.fixture(scope="module")
def shims():
    """A factory: shims(database, NAME=value ...) starts one; all are stopped at the end of the file."""
    started = []

    def start(database, ready=True, **settings):
        started.append(Shim(database, **settings))
        return started[-1].start(ready)

    yield start
    for shim in started:
        shim.stop()


class Tenants:
    """Two tenants in one database: north (a school in India) and south (offices in the Emirates), each with a user a role."""

    CODES = {"north": "NORTH", "south": "SOUTH"}
    USERS = {"admin": "tenant_admin", "guard": "security_guard", "receptionist": "receptionist", "auditor": "auditor", "host": "host"}

    def __init__(self, database):
        self.database = database
        self.north = self._make("NORTH", "North School", "school", "Asia/Kolkata", "IN")
        self.south = self._make("SOUTH", "South Offices", "office", "Asia/Dubai", "AE")

    def _make(self, code, name, kind, zone, country):
        if known := self.database.run("SELECT id FROM relygate.tenants WHERE code = %s", code):
            return known[0][0]      # the template has them
        connection = self.database.connect(autocommit=False)
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT id FROM relygate.create_tenant(code => %s, name => %s, kind => %s, time_zone => %s, country => %s)",
                           (code, name, kind, zone, country))
            tenant = cursor.fetchone()[0]
        with connection, connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenant,))
            for user, role in self.USERS.items():
                cursor.execute("SELECT relygate.create_user(user_name => %s, password => %s, first_name => %s, role => %s)",
                               (user, PASSWORD, user.capitalize(), role))
        connection.close()
        return tenant

    def client(self, shim, tenant="north", user="guard"):
        """A client that is logged in."""
        return Client(shim.url).login(self.CODES[tenant], user, PASSWORD)


@pytest.fixture(scope="module")
def tenants(database):
    return Tenants(database)


@pytest.fixture(scope="module")
def shim(database, shims):
    """One running shim for the test file."""
    return shims(database)


@pytest.fixture(scope="module")
def guard(tenants, shim):
    return tenants.client(shim, "north", "guard")


@pytest.fixture(scope="module")
def admin(tenants, shim):
    return tenants.client(shim, "north", "admin")


@pytest.fixture(scope="module")
def south(tenants, shim):
    """The other tenant's administrator."""
    return tenants.client(shim, "south", "admin")


def pytest_terminal_summary(terminalreporter):
    """What tests measured (record_property), for whoever reads the output."""
    for report in terminalreporter.stats.get("passed", []):
        for name, value in report.user_properties:
            terminalreporter.write_line(f"{name}: {value} ({report.nodeid.rpartition('/')[2]})")
