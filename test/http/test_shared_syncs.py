"""Reads that come together share one Sync of the connection to the database. Each of them is still a transaction of its own, and
what becomes of one is not felt by those beside it."""
import concurrent.futures
import contextlib
import json
import os
import pathlib
import signal
import socket

import pytest

from conftest import wait_until
from toy import get, metric, own_cluster, own_toy, toy, whole  # noqa: F401  (fixtures)

TOGETHER = 8   # as many share a Sync at most


@pytest.fixture
def shim(toy, shims):
    """One worker, one connection for reads."""
    started = shims(toy, DB_POOL_MAX="4", CLUSTER_WORKERS="1")
    yield started
    started.stop()


def stop(pid):
    """Until all its threads stand still: the signal takes its time."""
    os.kill(pid, signal.SIGSTOP)
    tasks = pathlib.Path(f"/proc/{pid}/task")
    wait_until(lambda: all(task.joinpath("stat").read_text().rpartition(")")[2].split()[0] == "T" for task in tasks.iterdir()))


QUICK = {"/api/echo": "", "/api/raise": "state=22012&number=0", "/api/sleep": "number=0", "/api/owned": "ok", "/api/forget": "ok",
         "/api/warn": "number=1", "/api/read-only": ""}


def know(shim, paths):
    """Has the shim see that these routes are quick: others share nothing."""
    for route in {path.partition("?")[0] for path in paths}:
        assert get(shim, f"{route}?{QUICK[route]}").status == 200


def together(shim, paths, are_known=True):
    """GETs that the worker finds all at once, since it stood still while they were sent; the answers' statuses and bodies."""
    if are_known:
        know(shim, paths)
    with contextlib.ExitStack() as open_ones:
        clients = [open_ones.enter_context(socket.create_connection(("127.0.0.1", shim.port), 5)) for _ in paths]
        for client in clients:
            request(client, "/live")   # the connection is the worker's by now
        stop(shim.process.pid)
        try:
            for client, path in zip(clients, paths, strict=True):
                client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        finally:
            shim.process.send_signal(signal.SIGCONT)
        return [answer(client) for client in clients]


def request(client, path):
    client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    return answer(client)


def answer(client):
    client.settimeout(20)
    data = b""
    while not whole(data):
        piece = client.recv(65536)
        assert piece, f"the connection ended after {data!r}"
        data += piece
    return int(data.split()[1]), json.loads(data.partition(b"\r\n\r\n")[2])


def asleep(toy, besides=0):
    """The backend that sleeps, for so long that nobody is put behind it any more."""
    found = wait_until(lambda: toy.run("SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"
                                       " AND query_start < clock_timestamp() - interval '50 ms' AND pid <> %s", besides))
    return found[0][0]


def statuses(answers):
    return [status for status, _ in answers]


def assert_written_once(toy, answers):
    """Each answer stands for a committed row, each other request for none."""
    told = sorted(body["data"]["requestId"] for status, body in answers if status == 200)
    asked = told + [body["requestId"] for status, body in answers if status != 200]
    rows = toy.run("SELECT request_id FROM relygate.calls WHERE request_id = ANY(%s)", asked)
    assert sorted(request_id for request_id, in rows) == told


def retries(shim):
    return metric(shim, "relygate_db_retries_total")


def test_each_is_a_transaction_and_leaves_nothing_to_the_next(toy, shim):
    answers = together(shim, ["/api/echo"] * 20)
    assert set(statuses(answers)) == {200}
    assert len({body["data"]["transaction"] for _, body in answers}) == 20
    assert {body["data"]["leftBehind"] or None for _, body in answers} == {None}
    assert_written_once(toy, answers)
    assert retries(shim) == 0


def test_what_one_makes_of_its_transaction_ends_with_it(shim):
    assert statuses(together(shim, ["/api/read-only", "/api/echo", "/api/echo"])) == [200] * 3   # echo writes
    assert retries(shim) == 0


def test_who_says_himself_that_his_transaction_failed_harms_nobody(toy, shim):
    """25P02, which the server says of what was not run, may come out of a function, as of a foreign server."""
    paths = ["/api/echo", "/api/echo", "/api/raise?state=25P02", "/api/echo"]
    answers = together(shim, paths)
    assert statuses(answers) == [200, 200, 500, 200]
    assert_written_once(toy, answers)
    assert set(statuses(together(shim, ["/api/echo"] * 12))) == {200}


def test_those_before_a_failed_one_stand_and_those_behind_it_are_asked_again(toy, shim):
    paths = ["/api/echo"] * TOGETHER
    paths[2] = "/api/raise?state=22012"
    answers = together(shim, paths)
    assert statuses(answers) == [200, 200, 500, 200, 200, 200, 200, 200]
    assert retries(shim) == 5, "they did not share a Sync"
    assert_written_once(toy, answers)
    again = together(shim, paths, are_known=False)   # what failed is asked alone from now on
    assert statuses(again) == statuses(answers) and retries(shim) == 5


@pytest.mark.parametrize("wrong", [{0}, {7}, {8, 9}, {0, 11, 23, 31}, set(range(1, 32, 2))])
def test_failures_among_many_are_felt_by_nobody_else(toy, shim, wrong):
    answers = together(shim, ["/api/raise?state=XX000" if number in wrong else "/api/echo" for number in range(32)])
    assert statuses(answers) == [500 if number in wrong else 200 for number in range(32)]
    assert_written_once(toy, answers)
    later = together(shim, ["/api/echo"] * 32)   # no failed transaction was left open
    assert set(statuses(later)) == {200}
    assert_written_once(toy, later)


def test_nobody_is_disturbed_twice(shim):
    """Whoever was asked again is alone; what else fails does not reach it."""
    answers = together(shim, ["/api/raise?state=22012", "/api/owned"] + ["/api/echo"] * 6)
    assert statuses(answers) == [500, 500] + [200] * 6
    assert retries(shim) == 7


def test_a_failed_transaction_is_rolled_back_once(own_toy, shims):
    """A second ROLLBACK would put a warning into the server's log."""
    shim = shims(own_toy, DB_POOL_MAX="4", CLUSTER_WORKERS="1")
    paths = ["/api/raise?state=22012"] + ["/api/echo"] * 31
    assert statuses(together(shim, paths)) == [500] + [200] * 31
    assert retries(shim) == 31, "the batches behind it ran"
    shim.stop()
    log = (own_toy.cluster.directory / "server.log").read_text()
    assert "current transaction is aborted" in log and "no transaction in progress" not in log


@pytest.mark.parametrize("name", ["handle", "begin", "commit", "rollback"])
def test_a_connection_whose_statements_are_gone_is_opened_anew(toy, shim, name):
    """A function of the DBA may drop them. Least of all may a failed transaction stay, since nobody would be run in it."""
    answers = together(shim, ["/api/echo", f"/api/forget?name={name}", "/api/echo", "/api/echo"])
    assert statuses(answers) == [200, 500, 200, 200]
    for _ in range(3):
        later = together(shim, ["/api/echo"] * 12)
        assert set(statuses(later)) == {200}
        assert_written_once(toy, later)


def test_one_that_fails_with_its_commit_is_not_answered(toy, shim):
    paths = ["/api/echo", "/api/owned", "/api/echo", "/api/owned"]
    answers = together(shim, paths)
    assert statuses(answers) == [200, 500, 200, 500]
    assert_written_once(toy, answers)
    assert toy.value("SELECT count(*) FROM relygate.owned") == 0


def test_a_deadlock_ends_none_of_them(toy, shim):
    toy.run("ALTER SEQUENCE relygate.attempts RESTART")
    answers = together(shim, ["/api/echo", "/api/raise?state=40P01&number=2", "/api/echo", "/api/echo"])
    assert set(statuses(answers)) == {200} and answers[1][1]["data"]["attempt"] == 3
    assert_written_once(toy, answers)


def test_the_slow_one_is_found_out(toy, shim):
    """Whoever waited beside it is not taken for slow; it is, once it was asked alone."""
    moved = "relygate_db_moved_to_slow_total"
    for turn in range(2):
        answers = together(shim, ["/api/echo", "/api/warn?number=1", "/api/sleep?number=0.2", "/api/echo"], are_known=turn == 0)
        assert set(statuses(answers)) == {200}
        assert metric(shim, moved) == turn
    wait_until(lambda: "goes to the slow lane" in shim.log_text(), 5)
    named = [line for line in shim.log_text().splitlines() if "goes to the slow lane" in line]
    assert len(named) == 1 and "/api/sleep" in named[0], named


def test_one_that_takes_too_long_is_asked_again_in_the_slow_lane(toy, shims):
    shim = shims(toy, DB_POOL_MAX="4", CLUSTER_WORKERS="1", READ_TIMEOUT="300ms")
    answers = together(shim, ["/api/echo", "/api/sleep?number=1", "/api/echo", "/api/echo"])
    assert set(statuses(answers)) == {200}
    assert metric(shim, "relygate_db_moved_to_slow_total") == 1 and retries(shim) == 2
    assert_written_once(toy, answers)


def test_nobody_waits_for_those_who_are_not_known_to_be_quick(shim):
    know(shim, ["/api/echo"])
    answers = together(shim, ["/api/echo"] + ["/api/sleep?number=0.4"] * 3, are_known=False)
    assert set(statuses(answers)) == {200}
    assert retries(shim) == 0
    assert metric(shim, "relygate_db_moved_to_slow_total") == 1, "each of them was asked alone"


@pytest.mark.parametrize("state", ["53200", "08006", "57P03", "40001"])
def test_who_fails_for_want_of_something_is_asked_alone_from_then_on(shim, state):
    paths = ["/api/echo", f"/api/raise?state={state}", "/api/echo", "/api/echo"]
    assert statuses(together(shim, paths)) == [200, 503, 200, 200]
    before = retries(shim)
    assert statuses(together(shim, paths, are_known=False)) == [200, 503, 200, 200]
    assert retries(shim) - before == (3 if state == "40001" else 0)


def test_where_the_connection_ends_all_of_them_are_asked_again(toy, shim):
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answers = pool.submit(together, shim, ["/api/echo", "/api/sleep?number=0.7", "/api/echo", "/api/echo"])
        toy.run("SELECT pg_terminate_backend(%s)", asleep(toy))
        assert set(statuses(answers.result())) == {200}


def test_a_connection_that_closed_before_its_rollback_was_answered_begins_anew(toy, shims):
    """The backend stands still when it is told to roll back, so its connection is idle for too long and is closed."""
    shim = shims(toy, DB_POOL_MAX="12", DB_POOL_MIN="2", DB_POOL_IDLE_TIMEOUT="1s", CLUSTER_WORKERS="1", READ_TIMEOUT="3s")
    open_ones = 'relygate_db_connections_active{lane="read"}'
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        nap = pool.submit(get, shim, "/api/nap?number=2")
        napping = asleep(toy)
        answers = pool.submit(together, shim, ["/api/sleep?number=1", "/api/raise?state=22012"])
        pid = asleep(toy, besides=napping)
        assert metric(shim, open_ones) == 2
        stop(shim.process.pid)
        wait_until(lambda: toy.value("SELECT state FROM pg_stat_activity WHERE pid = %s", pid) == "idle in transaction (aborted)")
        stop(pid)
        try:
            shim.process.send_signal(signal.SIGCONT)
            assert statuses(answers.result()) == [200, 500] and nap.result().status == 200
            wait_until(lambda: metric(shim, open_ones) == 1)
        finally:
            os.kill(pid, signal.SIGCONT)
        sleep = pool.submit(get, shim, "/api/sleep?number=1")
        asleep(toy)
        assert get(shim, "/api/echo").status == 200 and metric(shim, open_ones) == 2
        assert sleep.result().status == 200


def test_a_connection_that_is_not_to_be_used_again_is_not_waited_for(toy, shim):
    """It stands still when it is told to roll back; the definition that it knew has changed, so another one is opened."""
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        answers = pool.submit(together, shim, ["/api/sleep?number=0.7", "/api/raise?state=0A000"])
        pid = asleep(toy)
        stop(shim.process.pid)
        wait_until(lambda: toy.value("SELECT state FROM pg_stat_activity WHERE pid = %s", pid) == "idle in transaction (aborted)")
        stop(pid)
        try:
            shim.process.send_signal(signal.SIGCONT)
            assert statuses(answers.result()) == [200, 500]
            assert get(shim, "/api/echo").status == 200
        finally:
            os.kill(pid, signal.SIGCONT)


def test_connections_behind_a_pooler_share_nothing(toy, shims):
    shim = shims(toy, DB_POOL_MAX="4", CLUSTER_WORKERS="1", DB_PREPARED_STATEMENTS="false")
    answers = together(shim, ["/api/echo", "/api/raise?state=22012", "/api/echo", "/api/echo"])
    assert statuses(answers) == [200, 500, 200, 200] and retries(shim) == 0
    assert_written_once(toy, answers)
