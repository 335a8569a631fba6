"""What was acknowledged is there, and nothing is there twice: the product under concurrent check-ins while its database, the network
between or the shim itself fails. Each client knows what it asked and what it was told; afterwards both are compared with the rows."""
import collections
import concurrent.futures
import contextlib
import dataclasses
import errno
import http.client
import os
import pathlib
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import threading
import time
import uuid

import psycopg2
import pytest

from client import Client
from conftest import Cluster, Tenants, deploy, wait_until
from ground import walk_in

REQUEST_TIMEOUT, GRACE, CONNECTION_TIMEOUT = 1, 5, 1    # seconds; the grace is the shim's own (lanes.cpp)
LONGEST = REQUEST_TIMEOUT + GRACE + 2 * CONNECTION_TIMEOUT + 2  # no request may take longer, whatever breaks
SETTINGS = {"REQUEST_TIMEOUT": f"{REQUEST_TIMEOUT}s", "DB_POOL_CONNECTION_TIMEOUT": f"{CONNECTION_TIMEOUT}s", "HEALTH_CHECK_TIMEOUT": "1s",
            "CLUSTER_WORKERS": "2", "DB_POOL_MAX": "17", "DB_POOL_MIN": "17"}   # fewer connections for writes than guards


@dataclasses.dataclass
class CheckIn:
    """One request and what came of it; no status: no answer. Without a key the shim alone keeps it from being done twice."""
    body: dict
    key: str | None
    begun: float
    ended: float = 0
    status: int = None
    answer: object = None

    @property
    def mobile(self):
        return self.body["visitor"]["mobile"]


def some_name():
    return "Guest " + "".join(chr(ord("a") + int(digit)) for digit in str(uuid.uuid4().int)[:12])


def check_in(client, body, key):
    made = CheckIn(body, key, time.monotonic())
    with contextlib.suppress(OSError, http.client.HTTPException):
        made.answer = client.post("/api/visits", body, headers={"Idempotency-Key": key} if key else {})
        made.status = made.answer.status
    made.ended = time.monotonic()
    return made


class Crowd:
    """Guards who check visitors in without a pause, each on a connection of its own."""

    def __init__(self, shim, token, size=12):
        self.shim, self.token, self.check_ins, self.over = shim, token, [], threading.Event()
        self.threads = [threading.Thread(target=self._guard) for _ in range(size)]

    def _guard(self):
        client = Client(self.shim.url, self.token)
        while not self.over.is_set():
            key = str(uuid.uuid4()) if len(self.check_ins) % 2 else None
            made = check_in(client, walk_in(some_name()), key)
            self.check_ins.append(made)
            self.over.wait(0.005 if made.status == 201 else 0.05)

    def __enter__(self):
        for thread in self.threads:
            thread.start()
        self.await_acknowledged(time.monotonic())
        return self

    def __exit__(self, *_):
        self.over.set()
        for thread in self.threads:
            thread.join(60)
        assert not any(thread.is_alive() for thread in self.threads), "a request hangs"

    def await_status(self, expected, since, count=1, seconds=30):
        """The first of so many check-ins, begun since then, with one of these statuses."""
        def found():
            seen = [made for made in self.check_ins if made.begun > since and made.status in expected]
            return seen if len(seen) >= count else None
        return wait_until(found, seconds, f"no {count} answers {expected} came")[0]

    def await_acknowledged(self, since, count=20):
        return self.await_status({201}, since, count)


class Tunnel:
    """The way to the database, as a network that can go silent: connections stand and can be made, but bytes do not pass."""

    def __init__(self, port):
        self.port, self.listener = port, socket.create_server(("127.0.0.1", 0))
        self.flows = {"questions", "answers"}
        self.ways, self.turns, self.is_cut, self.is_over = {}, 0, False, False  # ways: source: (the direction, destination)
        self.thread = threading.Thread(target=self._run)

    def url(self, url):
        return url.replace(f":{self.port}/", f":{self.listener.getsockname()[1]}/")

    def silence(self, direction):
        self.flows.remove(direction)
        turns = self.turns
        wait_until(lambda: self.turns > turns + 1)

    def cut(self):
        """Ends all connections that there are; new ones work."""
        self.is_cut = True
        wait_until(lambda: not self.is_cut)
        self.flows = {"questions", "answers"}

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.is_over = True
        self.thread.join()
        for source in [self.listener, *self.ways]:
            source.close()

    def _run(self):
        while not self.is_over:
            self.turns += 1
            if self.is_cut:
                for source in self.ways:
                    source.close()
                self.ways, self.is_cut = {}, False
            open_ways = {source.fileno(): source for source, (direction, _) in self.ways.items() if direction in self.flows}
            if len(self.flows) == 2:
                open_ways[self.listener.fileno()] = self.listener
            poll = select.poll()
            for descriptor in open_ways:
                poll.register(descriptor, select.POLLIN)
            for descriptor, _ in poll.poll(20):
                source = open_ways[descriptor]
                if source is self.listener:
                    self._connect()
                elif source in self.ways:  # its counterpart may just have ended both
                    self._pass_on(source)

    def _connect(self):
        client, _ = self.listener.accept()
        try:
            server = socket.create_connection(("127.0.0.1", self.port), 5)
        except OSError:
            client.close()
            return
        self.ways[client], self.ways[server] = ("questions", server), ("answers", client)

    def _pass_on(self, source):
        _, destination = self.ways[source]
        try:
            data = source.recv(65536)
            if data:
                destination.sendall(data)
                return
        except OSError:
            pass
        for end in (source, destination):
            del self.ways[end]
            end.close()


class Product:
    """The deployed product in a cluster of its own, on a disk of its own where one can be mounted."""

    def __init__(self, folder, has_own_disk):
        self.folder, self.has_own_disk = folder, has_own_disk
        self.cluster = Cluster.create(f"{folder}/cluster")
        self.database = deploy(self.cluster, "relygate")
        self.tenants = Tenants(self.database)
        self.port = self.cluster.port

    def start(self):
        self.cluster.start()
        assert self.cluster.port == self.port, "another program took the cluster's port meanwhile: run again"

    def is_up(self):
        try:
            return self.database.value("SELECT NOT pg_is_in_recovery()")
        except Exception:  # whatever keeps it from answering
            return False

    def rows(self, check_ins):
        """The visits of these check-ins, by mobile: (visit, first name)."""
        found = collections.defaultdict(list)
        for mobile, visit, name in self.database.run(
                "SELECT p.mobile, v.id::text, p.first_name FROM relygate.visits v JOIN relygate.visitors p ON p.id = v.visitor_id "
                "AND p.tenant_id = v.tenant_id WHERE p.mobile = ANY (%s::text[])", [made.mobile for made in check_ins]):
            found[mobile].append((visit, name))
        return found


@pytest.fixture(scope="module")
def product():
    folder = pathlib.Path(tempfile.mkdtemp(prefix="relygate-faults."))
    folder.chmod(0o711)
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=700m,mode=0711", "tmpfs", folder], capture_output=True).returncode == 0
    made = None
    try:
        made = Product(folder, mounted)
        yield made
    finally:
        if made:
            made.cluster.stop("immediate")
        if mounted:
            subprocess.run(["umount", "--lazy", folder], check=True)
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def guarded(product, shims):
    """The shim over the product, and a guard of it."""
    shim = shims(product.database, **SETTINGS)
    yield shim, product.tenants.client(shim)
    shim.stop()


@pytest.fixture
def recovered(record_property):
    """Notes how long it took from the end of a fault to the first check-in that was asked after it and acknowledged."""
    def note(crowd, whole):
        seconds = crowd.await_acknowledged(whole).ended - whole
        record_property("recovery", f"{seconds:.2f} s after the fault")
        assert seconds < CONNECTION_TIMEOUT + 3
    return note


def compare(product, crowd):
    """Answers against rows, before and after whoever was not answered asks again with his key."""
    made, client = crowd.check_ins, Client(crowd.shim.url, crowd.token)
    rows = product.rows(made)
    for each in made:
        found = rows.pop(each.mobile, [])
        assert each.ended - each.begun < LONGEST, each
        if each.status == 201:
            visit = each.answer.data
            assert found == [(visit["id"], each.body["visitor"]["firstName"])], f"acknowledged, but not one row: {each} {found}"
            assert visit["visitor"]["mobile"] == each.mobile and visit["visitor"]["firstName"] == found[0][1], f"another's answer: {each}"
        else:
            assert each.status in (None, 503, 504), each
            assert each.status is None or each.answer.json["code"] in ("database_unavailable", "stopping", "too_busy", "timeout"), each
            assert len(found) <= (0 if each.status == 504 else 1), f"{each} {found}"
    assert not rows, f"visits that nobody asked for: {rows}"

    rows = product.rows(made)
    unknown = [each for each in made if each.status != 201]
    unknown.sort(key=lambda each: not rows.get(each.mobile))  # first those that were done without being acknowledged
    for each in [each for each in unknown if each.key][:40] + [each for each in made if each.key][-3:]:
        again = wait_until(lambda: (answer := check_in(client, each.body, each.key)).status != 503 and answer)
        assert again.status == 201, again
        known = rows.get(each.mobile)
        assert not known or again.answer.data["id"] == known[0][0], f"{again} is another visit than {known}"
        assert len(product.rows([each])[each.mobile]) == 1, again
    return unknown, [each for each in unknown if rows.get(each.mobile)]


def alive(*which):
    """Processes of ps that are more than zombies."""
    found = subprocess.run(["ps", "-o", "pid=,state=", *which], capture_output=True, text=True).stdout.splitlines()
    return [line.split()[0] for line in found if line.split()[1] != "Z"]


# The database fails ------------------------------------------------------------------------------------------------------

def kill_a_backend(product):
    backends = [pid for pid, in product.database.run("SELECT pid FROM pg_stat_activity WHERE application_name = 'relygate-shim' "
                                                     "ORDER BY state <> 'active', query_start DESC")]
    os.kill(backends[0], signal.SIGKILL)    # the postmaster ends all others and recovers from the log
    wait_until(lambda: not alive("--pid", ",".join(map(str, backends))), 20, "the others went on")


def kill_the_postmaster(product):
    postmaster = product.cluster.postmaster
    processes = alive("--pid", str(postmaster), "--ppid", str(postmaster))
    os.kill(postmaster, signal.SIGKILL)
    wait_until(lambda: not alive("--pid", ",".join(processes)), 20, "backends outlived their postmaster")
    # Where the first process of a container reaps nobody, a zombie would count as the server that runs.
    (product.cluster.directory / "postmaster.pid").unlink()
    product.start()


def restart(mode):
    def fault(product):
        product.cluster.stop(mode)
        product.start()
    return fault


@pytest.mark.parametrize("fault", [
    pytest.param(kill_a_backend, id="a backend is killed"), pytest.param(kill_the_postmaster, id="the postmaster is killed"),
    pytest.param(restart("immediate"), id="immediate restart"), pytest.param(restart("fast"), id="fast restart")])
def test_the_database_fails(fault, product, guarded, recovered):
    shim, client = guarded
    with Crowd(shim, client.token) as crowd:
        begun = time.monotonic()
        fault(product)
        recovered(crowd, time.monotonic())
    unknown, _ = compare(product, crowd)
    assert any(each.ended > begun for each in unknown), "nobody noticed the fault"


def test_a_statement_takes_too_long(product, guarded, recovered):
    shim, client = guarded
    with Crowd(shim, client.token) as crowd:
        holder = product.database.connect(autocommit=False)
        with holder.cursor() as cursor:
            cursor.execute("LOCK TABLE relygate.visits IN ACCESS EXCLUSIVE MODE")
        crowd.await_status({504}, 0)
        holder.rollback()
        holder.close()
        recovered(crowd, time.monotonic())
    unknown, done = compare(product, crowd)
    assert unknown and not done, f"told that it took too long, and done all the same: {done}"


def test_the_disk_is_full(product, guarded, recovered):
    """First for rows, which is an error of each request, then for the log, which ends the server."""
    if not product.has_own_disk:
        pytest.skip("only root can mount the small file system that is filled here")
    shim, client = guarded
    ballast, postmaster = product.folder / "ballast", product.cluster.postmaster
    with Crowd(shim, client.token) as crowd:
        with ballast.open("wb", buffering=0) as file:
            with pytest.raises(OSError) as full:
                while file.write(bytes(1 << 16)):
                    pass
        assert full.value.errno == errno.ENOSPC
        begun = time.monotonic()
        crowd.await_status({503}, begun)
        assert client.get("/api/visits/current").status == 200, "reading needs no room"

        def ends():
            try:
                product.database.run("SELECT pg_switch_wal()")
            except psycopg2.OperationalError as error:
                return error.pgcode is None     # no answer at all
        wait_until(ends, 20, "the log found room")
        ballast.unlink()

        def comes_back():   # by itself, or it gave up its recovery
            if not alive("--pid", str(postmaster)):
                product.start()
            return product.is_up()
        wait_until(comes_back, 30)
        recovered(crowd, time.monotonic())
    unknown, _ = compare(product, crowd)
    assert unknown


# The network fails -------------------------------------------------------------------------------------------------------

@pytest.fixture
def tunnelled(product, shims):
    """As guarded, with a tunnel between the shim and the database."""
    with Tunnel(product.port) as tunnel:
        shim = shims(product.database, DATABASE_URL=tunnel.url(product.database.url("relygate_shim")), **SETTINGS)
        yield tunnel, shim, product.tenants.client(shim)
        shim.stop()


@pytest.mark.parametrize("lost", ["questions", "answers"])
def test_the_network_goes_silent(lost, product, tunnelled, recovered):
    """Nobody is told that a connection ended; where answers alone are lost, check-ins are done that nobody hears of."""
    tunnel, shim, client = tunnelled
    with Crowd(shim, client.token) as crowd:
        begun = time.monotonic()
        tunnel.silence(lost)
        read = client.get("/api/visits/current")    # asked again when a connection ends, but not for ever
        assert read.status == 503 and time.monotonic() - begun < LONGEST, read
        crowd.await_status({503}, begun)
        assert client.get("/ready").status == 503 and client.get("/live").status == 200
        tunnel.flows.add(lost)
        recovered(crowd, time.monotonic())
    unknown, done = compare(product, crowd)
    assert len(unknown) >= 8 and (lost == "questions" or done)


def test_connections_end_before_their_answers(product, tunnelled, recovered):
    """What may have been done is not asked again."""
    tunnel, shim, client = tunnelled
    with Crowd(shim, client.token) as crowd:
        begun = time.monotonic()
        tunnel.silence("answers")
        with concurrent.futures.ThreadPoolExecutor(1) as pool:
            read = pool.submit(Client(shim.url, client.token).get, "/api/visits/current")
            wait_until(lambda: product.database.value("SELECT count(*) = 0 FROM pg_stat_activity WHERE state = 'active' "
                                                      "AND application_name = 'relygate-shim'"))
            tunnel.cut()
            recovered(crowd, time.monotonic())
            assert read.result().status == 200, "what only reads is asked again"
    unknown, done = compare(product, crowd)
    assert done and all(each.begun > begun - 1 for each in unknown)


# The shim ends -----------------------------------------------------------------------------------------------------------

@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_the_shim_ends(number, product, guarded, recovered):
    shim, client = guarded
    with Crowd(shim, client.token) as crowd:
        begun = time.monotonic()
        shim.stop(number)
        assert time.monotonic() - begun < 10
        shim.start()
        recovered(crowd, time.monotonic())
    unknown, done = compare(product, crowd)
    assert any(each.ended > begun for each in unknown)
    assert number == signal.SIGKILL or not done, f"stopped in order, and acknowledged all that was done but {done}"
