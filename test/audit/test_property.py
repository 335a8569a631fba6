"""Many writers, two sealers, rollbacks, and a server that is killed: each row is sealed exactly once, and verify_audit finds nothing.

A cluster of its own, since its server is killed twice: once a backend (the server restarts itself), once the postmaster.
"""
import contextlib
import os
import random
import signal
import subprocess
import threading

import psycopg2
import pytest

from conftest import Cluster, Tenants, deploy, wait_until
from ledger import logged_ids, sealed_ids, verify

WRITERS, TRANSACTIONS, SEALERS = 8, 60, 2


@pytest.fixture(scope="module")
def doomed(tmp_path_factory):
    folder = tmp_path_factory.mktemp("doomed")
    folder.chmod(0o711)
    for parent in list(folder.parents)[:2]:
        parent.chmod(0o711)
    cluster = Cluster.create(folder / "cluster")
    try:
        database = deploy(cluster, "doomed")
        database.tenants = Tenants(database)
        yield database
    finally:
        cluster.stop("immediate")


class Crowd:
    """Threads that go on whatever happens to their connections."""

    def __init__(self, database):
        self.database = database
        self.lock = threading.Lock()
        self.written, self.rolled_back, self.heads, self.errors, self.crashes = set(), set(), [], [], 0
        self.done = 0
        self.stopping = threading.Event()

    @contextlib.contextmanager
    def surviving(self):
        """Lost connections and a server that starts up are what this is about; anything else is a failure."""
        try:
            yield
        except (psycopg2.OperationalError, psycopg2.InterfaceError):
            with self.lock:
                self.crashes += 1
        except Exception as error:      # noqa: BLE001  a thread's failure must reach the test
            with self.lock:
                self.errors.append(error)

    def connect(self):
        return wait_until(self.try_to_connect, 60, "the server did not come back")

    def try_to_connect(self):
        with contextlib.suppress(psycopg2.OperationalError):
            return self.database.connect(autocommit=False)

    def write(self, seed):
        chance = random.Random(seed)
        connection = self.connect()
        for number in range(TRANSACTIONS):
            ids, lost = [], []
            with self.surviving():
                if connection.closed:
                    connection = self.connect()
                cursor = connection.cursor()
                tenant = chance.choice((self.database.tenants.north, self.database.tenants.south))
                cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (tenant,))
                for step in range(chance.randint(1, 6)):
                    cursor.execute("SAVEPOINT step")
                    cursor.execute("INSERT INTO relygate.visitors (first_name) VALUES ('Crowd') RETURNING id")
                    visitor = cursor.fetchone()[0]
                    if chance.random() < 0.2:
                        cursor.execute("ROLLBACK TO step")
                        lost.append(visitor)
                    else:
                        ids.append(visitor)
                if chance.random() < 0.2:
                    connection.rollback()
                    lost, ids = lost + ids, []
                else:
                    connection.commit()
                with self.lock:
                    self.written.update(ids)
                    self.rolled_back.update(lost)
            with self.lock:
                self.done += 1

    def seal(self):
        connection = self.connect()
        while not self.stopping.is_set():
            with self.surviving():
                if connection.closed:
                    connection = self.connect()
                with connection, connection.cursor() as cursor:
                    cursor.execute("SELECT relygate.seal_audit()")
                    head = cursor.fetchone()[0]
                with self.lock:
                    self.heads.append(head)


def kill_a_backend(database):
    pid = database.value("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND backend_type = 'client backend' "
                         "ORDER BY xact_start LIMIT 1")
    os.kill(pid, signal.SIGKILL)


def kill_the_postmaster(database):
    pid = database.cluster.postmaster
    os.kill(pid, signal.SIGKILL)
    # Until its parent has taken note, a dead postmaster looks like one that runs, and would not be started again.
    wait_until(lambda: not os.path.exists(f"/proc/{pid}"), 60, "the killed postmaster is still there")

    def start():
        try:
            database.cluster.start()
            return True
        except subprocess.CalledProcessError:
            return False
    wait_until(start, 60, "the server did not start again")


def test_each_row_is_sealed_exactly_once(doomed):
    crowd = Crowd(doomed)
    threads = [threading.Thread(target=crowd.write, args=(seed,)) for seed in range(WRITERS)]
    sealers = [threading.Thread(target=crowd.seal) for _ in range(SEALERS)]
    for thread in threads + sealers:
        thread.start()
    total = WRITERS * TRANSACTIONS
    try:
        wait_until(lambda: crowd.done > total / 4, 120)
        kill_a_backend(doomed)
        wait_until(lambda: crowd.done > total / 2, 120)
        kill_the_postmaster(doomed)
        for thread in threads:
            thread.join(180)
    finally:
        crowd.stopping.set()
        for thread in sealers:
            thread.join(60)
    assert not any(thread.is_alive() for thread in threads + sealers)
    assert crowd.errors == [] and crowd.crashes > 0, "nothing was killed"
    assert len(set(crowd.heads)) > 2, "sealed while they wrote"

    head = doomed.seal()
    sealed, logged = sealed_ids(doomed), logged_ids(doomed)
    assert len(sealed) == len(set(sealed)), "a row was sealed twice"
    assert set(sealed) == set(logged), "a row was not sealed, or a seal has a row that was rolled back"
    noted = {row for row, in doomed.run("SELECT row_id FROM relygate.audit_log WHERE table_name = 'visitors'")}
    assert crowd.written <= noted and not crowd.rolled_back & noted
    # What a sealer was told after its commit is there, whatever was killed afterwards.
    assert verify(doomed, head) == []
    known = {f"{number}:{root}" for number, root in doomed.run("SELECT number, encode(root, 'hex') FROM relygate_global.audit_roots")}
    assert set(crowd.heads) - {None} <= known
