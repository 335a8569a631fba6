"""A shim over a stand-in for the product (toy.sql), and raw sockets to talk to it: bytes in, bytes out, nothing corrected."""
import json
import pathlib
import re
import secrets
import shutil
import socket
import subprocess
import tempfile

import psycopg2
import pytest

from conftest import ROOT, SANITIZER, Cluster, Database, free_port

SQL = (pathlib.Path(__file__).parent / "toy.sql").read_text()
ROLE = "relygate_toy"


class Toy(Database):
    """Its login role is an ordinary one, whatever name the shim is given."""

    def url(self, user="postgres", options=None):
        return self.cluster.url(self.name, ROLE if user == "relygate_shim" else user, options)

    def calls(self, path):
        return self.value("SELECT count(*) FROM relygate.calls WHERE path = %s", path)


def make_toy(cluster):
    try:
        cluster.run(f"CREATE ROLE {ROLE} LOGIN")
    except (psycopg2.errors.DuplicateObject, psycopg2.errors.UniqueViolation):
        pass  # another test file was first
    toy = Toy(cluster, "toy_" + secrets.token_hex(6))
    cluster.run(f'CREATE DATABASE "{toy.name}" TEMPLATE template0')
    toy.run(SQL)
    return toy


@pytest.fixture(scope="module")
def toy(cluster):
    made = make_toy(cluster)
    yield made
    cluster.run(f'DROP DATABASE "{made.name}" WITH (FORCE)')


@pytest.fixture(scope="module")
def own_cluster():
    folder = tempfile.mkdtemp(prefix="relygate-toy.")
    pathlib.Path(folder).chmod(0o711)
    cluster = Cluster.create(f"{folder}/cluster")
    try:
        yield cluster
    finally:
        cluster.stop("immediate")
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def own_toy(own_cluster):
    """In a cluster of its own, to be stopped and started."""
    own_cluster.start()
    made = make_toy(own_cluster)
    yield made
    own_cluster.start()
    own_cluster.run(f'DROP DATABASE "{made.name}" WITH (FORCE)')


@pytest.fixture(scope="module")
def gate(toy, shims):
    return shims(toy, ALLOWED_ORIGINS="https://app.example", LOG_LEVEL="debug")


class Reply:
    """What came back on a raw connection: the first answer taken apart, all bytes, and whether the server closed."""

    def __init__(self, data, closed):
        self.data, self.closed = data, closed
        self.statuses = [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", data)]
        head, _, self.body = data.partition(b"\r\n\r\n")
        self.headers = {}
        for line in head.decode("latin-1").split("\r\n")[1:]:
            name, _, value = line.partition(":")
            self.headers.setdefault(name.lower(), value.strip())

    @property
    def status(self):
        return self.statuses[0] if self.statuses else None

    @property
    def json(self):
        return json.loads(self.body)

    @property
    def fields(self):
        return {error["field"] for error in self.json.get("errors", [])}

    def __repr__(self):
        return f"{self.statuses} {'closed' if self.closed else 'open'} {self.data[:600]!r}"


def whole(data):
    """Whether the bytes are one whole answer, by its Content-Length."""
    head, blank, body = data.partition(b"\r\n\r\n")
    length = re.search(rb"(?i)\r\ncontent-length: *(\d+)", head)
    return bool(blank) and (length is None or len(body) >= int(length[1]))


def ask(shim, raw, seconds=10, settle=0.25):
    """Writes the bytes on a fresh connection and reads until the server closes or nothing more comes."""
    if isinstance(raw, str):
        raw = raw.encode("latin-1")
    data, closed = b"", False
    with socket.create_connection(("127.0.0.1", shim.port), 5) as connection:
        connection.settimeout(seconds)
        try:
            connection.sendall(raw)
        except OSError:
            pass  # refused before the last byte was read: the answer is what counts
        try:
            while True:
                piece = connection.recv(65536)
                if not piece:
                    closed = True
                    break
                data += piece
                if raw.startswith(b"HEAD") or whole(data):
                    connection.settimeout(settle)
        except socket.timeout:
            pass
        except ConnectionError:
            closed = True
    return Reply(data, closed)


def get(shim, path, headers="", method="GET", body=None):
    """One ordinary request; `headers` are whole lines."""
    text = f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{headers}"
    if body is not None:
        text += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n"
    return ask(shim, text + "Connection: close\r\n\r\n" + (body or ""))


def metric(shim, name):
    """One figure of the metrics port, by its name and labels."""
    reply = ask(type("Port", (), {"port": shim.metrics_port}), "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
    return float(re.search(rb"^" + re.escape(name.encode()) + rb" (\S+)", reply.body, re.M)[1])


def loads(shim):
    """How often routes and keys were read."""
    return metric(shim, "relygate_catalogue_loads_total")


def run_shim(build, *arguments, **environment):
    """A run of the program to its end."""
    return subprocess.run([build / "relygate-shim", *arguments], env={**SANITIZER, **environment}, capture_output=True, text=True, timeout=30)


__all__ = ["ROOT", "ask", "free_port", "gate", "get", "loads", "make_toy", "metric", "own_cluster", "own_toy", "run_shim", "toy"]
