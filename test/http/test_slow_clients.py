"""Clients that are slow, idle, or gone in the middle: afterwards nothing of them is left, neither a connection nor memory nor a place
in a lane."""
import os
import resource
import socket
import struct
import time

import pytest

from client import Client
from conftest import wait_until
from toy import get, metric, toy  # noqa: F401  (a fixture)

LANES = ("read", "write", "slow")
LARGE = 8 << 20
IS_SANITIZED = "RELYGATE_SANITIZE" in os.environ


def memory(shim):
    """In MB; a sanitizer keeps what is freed for a while, to see who still uses it."""
    if IS_SANITIZED:
        return 0
    return metric(shim, "process_resident_memory_bytes") / (1 << 20)


def is_quiet(shim):
    """No client, and nothing sent or waiting in any lane."""
    return metric(shim, "relygate_http_connections") == 0 and is_free(shim)


def is_free(shim):
    return not any(metric(shim, f'relygate_db_requests_{what}{{lane="{lane}"}}') for what in ("in_flight", "waiting") for lane in LANES)


def connect(shim, raw=b"", receive_buffer=None):
    connection = socket.socket()
    if receive_buffer:  # before it connects: it decides the window
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    connection.connect(("127.0.0.1", shim.port))
    connection.settimeout(20)
    connection.sendall(raw)
    return connection


def reset(connection):
    """As a machine that lost its power and comes back."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def ask_for(path, method="GET"):
    return f"{method} {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode()


def upload(size, sent=None):
    head = f"POST /api/status?number=200 HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: {size}\r\n\r\n"
    return head.encode() + b" " * (size if sent is None else sent)


def test_slow_readers(toy, shims):
    """An answer that nobody takes holds no connection of the database, and memory for ten time-outs at most."""
    shim = shims(toy, REQUEST_TIMEOUT="1s", CLUSTER_WORKERS="1", DB_POOL_MAX="8")
    large = ask_for(f"/api/large?number={LARGE}")
    get(shim, f"/api/large?number={LARGE}")     # what libpq needs for such a row, it keeps, in each connection
    before = memory(shim)
    readers = [connect(shim, large, 4096) for _ in range(10)]
    begun = time.monotonic()
    assert all(b" 200 " in reader.recv(100) for reader in readers)
    steady, taken = connect(shim, large, 65536), 0
    while taken < LARGE:    # slower than a time-out, and in time
        taken += len(steady.recv(65536))
        time.sleep(0.02)
    assert time.monotonic() - begun > 1.5
    steady.close()
    wait_until(lambda: is_free(shim), 2, "a reader holds a connection of the database")
    wait_until(lambda: metric(shim, "relygate_http_connections") == len(readers), 2)    # the steady one is seen to have left
    assert [get(shim, "/api/echo").status for _ in range(20)] == [200] * 20
    wait_until(lambda: is_quiet(shim), 15, "readers are waited for")
    assert memory(shim) - before < 3 * LARGE / (1 << 20), "of ten answers more is kept than the lane's other connection needs"
    for reader in readers:
        reader.close()


def test_slow_bodies_share_a_bounded_memory_and_do_not_keep_it(toy, shims):
    toy.run("UPDATE relygate.routes SET body_limit = 10000000 WHERE pattern = '/api/status' AND method = 'POST'")
    # The first must not have timed out when the last is there.
    shim = shims(toy, REQUEST_TIMEOUT="15s" if IS_SANITIZED else "3s", CLUSTER_WORKERS="2")
    size = 9_900_000

    def upload_whole():
        connection = connect(shim)
        connection.sendall(upload(size))
        try:
            return connection.recv(4096)
        finally:
            connection.close()

    assert b" 200 " in upload_whole()
    for end in (None, socket.socket.close, reset):  # left to the time-out, closed, and gone without a word
        slow = [connect(shim, upload(size, 9_500_000)) for _ in range(7)]    # one more than fit into 64 MB
        wait_until(lambda: b" 503 " in upload_whole(), 15, "bodies took more memory than they may")
        assert get(shim, "/api/echo", method="POST").status == 200 or end is None
        if end:
            for connection in slow:
                end(connection)
        wait_until(lambda: is_quiet(shim), 20)
        assert b" 200 " in upload_whole(), "memory of bodies was not given back"
        for connection in slow:
            connection.close()


def test_five_thousand_idle_connections(toy, shims, record_property):
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    # Where fewer files may be open, as many as may: what one costs is the same.
    count = 5000 if hard == resource.RLIM_INFINITY else min(5000, hard - 500)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, count + 500), hard))
    # Each worker may have half of them, and the kernel does not hand them out evenly.
    shim = shims(toy, CLUSTER_WORKERS="2", MAX_CONNECTIONS="12000", MAX_CONNECTIONS_PER_ADDRESS="12000")
    idle = []

    def seconds_of_requests():
        client, begun = Client(shim.url), time.monotonic()
        assert {client.get("/api/echo").status for _ in range(200)} == {200}
        return time.monotonic() - begun

    def arrive():
        idle[:] = [connect(shim, ask_for("/live")) for _ in range(count)]
        assert all(b" 200 " in connection.recv(4096) for connection in idle)
        assert metric(shim, "relygate_http_connections") == count

    def leave():
        for connection in idle:
            connection.close()
        wait_until(lambda: is_quiet(shim), 10)

    try:
        alone = min(seconds_of_requests() for _ in range(3))
        files, before = metric(shim, "process_open_fds"), memory(shim)
        arrive()
        among = min(seconds_of_requests() for _ in range(15))   # many: somebody else may need the processor for a moment
        each = (memory(shim) - before) * 1024 / count
        processor = metric(shim, "process_cpu_seconds_total")
        time.sleep(1)
        processor = metric(shim, "process_cpu_seconds_total") - processor
        record_property("idle connections", f"{each:.1f} kB each, {processor:.1%} of a core, requests take {among / alone:.2f} times as "
                        "long beside them")
        assert each < 12 and processor < 0.1 and among < 3 * alone
        for connection in idle[::100]:
            connection.sendall(ask_for("/api/echo"))
            assert b" 200 " in connection.recv(4096), "an idle connection is of no use"
        leave()
        once = memory(shim)
        arrive()    # the allocator keeps what it had, and no more
        leave()
        assert metric(shim, "process_open_fds") <= files and memory(shim) - once < 4
    finally:
        for connection in idle:
            connection.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def patient(toy, shims):
    """No deadline ends what is found here: where the last bytes and the end come at once, libmicrohttpd does not see the end."""
    return shims(toy, REQUEST_TIMEOUT="5m", CLUSTER_WORKERS="2", DB_POOL_MAX="20")


@pytest.mark.parametrize("leave", [socket.socket.close, reset])
@pytest.mark.parametrize("where, raw, answered", [
    ("before a byte", b"", False),
    ("in the head", b"GET /api/echo HTTP/1.1\r\nHost: x\r\nX-", False),
    ("in the body", upload(60_000, 30_000), False),
    ("while a read runs", ask_for("/api/sleep?number=0.02"), False),
    ("while a write runs", b"POST /api/sleep?number=0.02 HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n", False),
    ("before requests in the pipe", ask_for("/api/echo") * 20, False),
    ("in the answer", ask_for(f"/api/large?number={1 << 18}"), True),
], ids=lambda value: value if isinstance(value, str) else getattr(value, "__name__", ""))
def test_gone_in_the_middle(where, raw, answered, leave, patient):
    def leave_in_crowds():
        for are_seen in (False, True) * 3:
            crowd = [connect(patient, raw, 4096) for _ in range(60)]
            if are_seen:
                wait_until(lambda: metric(patient, "relygate_http_connections") >= len(crowd))
            for connection in crowd:
                if answered:
                    connection.recv(100)
                leave(connection)
        wait_until(lambda: is_quiet(patient), 10, f"something of those who left {where} is there still")
        backends = sum(metric(patient, f'relygate_db_connections_active{{lane="{lane}"}}') for lane in LANES)   # may open at any time
        return memory(patient), metric(patient, "process_open_fds") - backends

    before, files = leave_in_crowds()   # what is allocated once
    for _ in range(4):  # how many are there at the same time is chance; what is lost is lost every time
        after, files_after = leave_in_crowds()
        assert files_after <= files
        if after - before < 1:
            break
        before = after
    else:
        raise AssertionError(f"memory of those who left {where} is lost")
    assert get(patient, "/api/echo").status == get(patient, "/api/echo", method="POST").status == 200
