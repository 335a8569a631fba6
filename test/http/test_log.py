"""A log that nobody reads: lines are dropped and counted, and nothing waits for the reader."""
import concurrent.futures
import fcntl
import json
import os
import pty
import re
import signal
import socket
import tty

import pytest

from conftest import Shim, wait_until
from toy import ask, get, metric, toy  # noqa: F401  (fixtures)


def small_pipe():
    reader, writer = os.pipe()
    fcntl.fcntl(writer, fcntl.F_SETPIPE_SZ, 4096)
    return reader, writer


def anothers_pipe():
    """One that its process may write to but not open again. Root may open anything: there it is like the other."""
    reader, writer = small_pipe()
    os.fchmod(writer, 0)
    return reader, writer


def small_socket():
    reader, writer = socket.socketpair()
    writer.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4096)
    return reader.detach(), writer.detach()


def terminal():
    reader, writer = pty.openpty()
    tty.setraw(writer)
    return reader, writer


class Unread(Shim):
    """Writes its log into something small that is read only when the test says so."""

    def __init__(self, ends, database, **settings):
        super().__init__(database, CLUSTER_WORKERS="2", **settings)
        self.reader, self.log = ends
        self.data = b""
        os.set_blocking(self.reader, False)

    def log_text(self):
        try:
            while piece := os.read(self.reader, 65536):
                self.data += piece
        except BlockingIOError:
            pass
        return self.data.decode()

    def end(self):
        self.process.kill()
        self.process.wait()
        os.close(self.reader)
        os.close(self.log)


@pytest.fixture(params=[small_pipe, anothers_pipe, small_socket, terminal])
def unread(request, toy):
    shim = Unread(request.param(), toy).start(ready=False)
    yield shim
    shim.end()


def load(shim):
    """Some hundred lines, also of workers at the same time. Ends with the first request that gets no answer."""
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        return all(pool.map(lambda _: all(get(shim, "/live").status == 200 for _ in range(150)), range(4)))


def requests(shim):
    page = ask(type("Port", (), {"port": shim.metrics_port}), "GET /metrics HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").body
    return sum(map(float, re.findall(rb"^relygate_http_requests_total\{.*\} (\S+)", page, re.M)))


def test_a_log_that_nobody_reads_stops_nothing(unread):
    wait_until(unread.is_ready)
    assert load(unread), "a request got no answer"
    dropped = wait_until(lambda: metric(unread, "relygate_log_lines_dropped_total"), 5)

    def is_read_again():
        get(unread, "/live", "X-Request-Id: read-again\r\n")
        return '"requestId":"read-again"' in unread.log_text()
    wait_until(is_read_again, 5)

    def is_all_told():  # every request has a whole line or is counted
        *whole, end = unread.log_text().split("\n")
        return end == "" and requests(unread) == metric(unread, "relygate_log_lines_dropped_total") + sum(
            "requestId" in json.loads(line) for line in whole)
    wait_until(is_all_told, 5)
    assert metric(unread, "relygate_log_lines_dropped_total") >= dropped

    assert load(unread), "a request got no answer"
    assert unread.stop(signal.SIGTERM, 10) == 0


def test_what_the_database_warns_of_is_no_line_of_the_log(unread):
    """libpq would write it to the standard error output, and wait there."""
    wait_until(unread.is_ready)
    assert {get(unread, "/api/warn?number=3000").status for _ in range(5)} == {200}
    assert "wwww" not in unread.log_text()
    assert unread.stop(signal.SIGTERM, 10) == 0
