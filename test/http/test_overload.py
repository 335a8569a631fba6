"""More requests than can be served: over a route whose time is a sleep in the database, so that the capacity is known and the same on
every machine. Figures are compared inside one run."""
import asyncio
import json
import os
import time
import uuid

import pytest

from conftest import wait_until
from tokens import Mint, make_keys
from toy import metric, toy  # noqa: F401  (a fixture)

SERVICE, WRITE_CONNECTIONS = 0.1, 8
CAPACITY = WRITE_CONNECTIONS / SERVICE  # requests a second


class Reply:
    def __init__(self, begun, status, headers, ended):
        self.begun, self.status, self.headers, self.ended = begun, status, headers, ended

    @property
    def seconds(self):
        return self.ended - self.begun


class Clients:
    """As many kept connections as are needed at once."""

    def __init__(self, shim, token):
        self.port, self.idle = shim.port, []
        self.head = f"Host: x\r\nAuthorization: Bearer {token}\r\nContent-Length: 0\r\n\r\n"

    async def ask(self, line):
        begun = time.monotonic()
        reader, writer = self.idle.pop() if self.idle else await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(f"{line} HTTP/1.1\r\n{self.head}".encode())
        first, *lines = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
        headers = {name.lower(): value for name, _, value in (each.partition(": ") for each in lines)}
        await reader.readexactly(int(headers["content-length"]))
        self.idle.append((reader, writer))
        return Reply(begun, int(first.split()[1]), headers, time.monotonic())

    async def sleep(self):
        return await self.ask(f"POST /api/sleep?number={SERVICE}")

    def close(self):
        for _, writer in self.idle:
            writer.close()


async def closed_loop(clients, count, seconds):
    """Good answers a second to so many who ask one after the other."""
    begun, replies = time.monotonic(), []

    async def one():
        while time.monotonic() < begun + seconds:
            replies.append(await clients.sleep())
    await asyncio.gather(*(one() for _ in range(count)))
    return sum(each.status == 200 for each in replies) / (time.monotonic() - begun)


async def open_loop(ask, rate, seconds):
    """Answers to requests that come at this rate, whatever becomes of those before them."""
    begun, asked = time.monotonic(), []
    while (past := time.monotonic() - begun) < seconds:
        asked += [asyncio.create_task(ask()) for _ in range(int(past * rate) - len(asked))]
        await asyncio.sleep(0.005)
    return await asyncio.gather(*asked)


def share(replies, condition):
    return sum(map(condition, replies)) / len(replies)


@pytest.fixture(scope="module")
def token(toy):
    """Without one the clients would be strangers, who get half of the write connections."""
    key = make_keys()["es256-a"]
    toy.run("UPDATE relygate.routes SET permission = 'signed_in' WHERE pattern = '/api/sleep'")
    toy.run("INSERT INTO relygate.keys VALUES (%s, %s)", key.name, json.dumps(key.public_jwk()))
    return Mint({key.name: key}, "", "", *(str(uuid.uuid4()) for _ in range(4))).token({"key": key.name})


@pytest.mark.parametrize("queue_limit", ["16", "1000"])
def test_four_times_the_capacity(queue_limit, toy, token, shims, record_property):
    """With a short queue, and with one that is bounded by the time that it would take."""
    connections = str(WRITE_CONNECTIONS + 5)
    busy = shims(toy, CLUSTER_WORKERS="1", DB_POOL_MAX=connections, DB_POOL_MIN=connections, QUEUE_LIMIT=queue_limit)

    def memory():
        return metric(busy, "process_resident_memory_bytes") / (1 << 20)

    async def run():
        clients = Clients(busy, token)
        await closed_loop(clients, 2 * WRITE_CONNECTIONS, 0.5)  # opens the connections
        most = await closed_loop(clients, 2 * WRITE_CONNECTIONS, 2)
        assert most > CAPACITY / 2, "the machine is too slow for this test"
        await open_loop(clients.sleep, 4 * CAPACITY, 0.5)
        before = memory()
        begun = time.monotonic()
        replies, reads = await asyncio.gather(open_loop(clients.sleep, 4 * CAPACITY, 3),
                                              open_loop(lambda: clients.ask("GET /api/echo"), 20, 3))
        after, end = memory(), begun + 3
        good, refused = [[each for each in replies if each.status == status] for status in (200, 503)]
        assert len(good) + len(refused) == len(replies), {each.status for each in replies}

        while (probe := await clients.sleep()).status != 200 or probe.seconds > 2 * SERVICE:
            pass
        clients.close()
        recovery = probe.ended - end
        throughput = sum(begun <= each.ended < end for each in good) / 3
        quick = share(refused, lambda each: each.seconds < 0.1)
        record_property("overload", f"{throughput / most:.0%} of the maximum, {len(refused)} of {len(replies)} refused, {quick:.1%} of "
                        f"them within 100 ms, memory {after - before:+.1f} MB, recovery {recovery:.2f} s")
        assert throughput > 0.9 * most
        assert len(refused) > len(replies) / 2 and quick > 0.95
        assert all(int(each.headers["retry-after"]) >= 1 for each in refused)
        assert max(each.seconds for each in good) < 1.5, "the queue is too long"
        assert {each.status for each in reads} == {200} and share(reads, lambda each: each.seconds < 0.1) > 0.9, "reads waited for writes"
        assert after - before < 4 or "RELYGATE_SANITIZE" in os.environ
        assert recovery < 1
    asyncio.run(run())
    wait_until(lambda: not any(metric(busy, f'relygate_db_requests_{what}{{lane="write"}}') for what in ("in_flight", "waiting")))


def test_more_slow_calls_than_are_served_in_time(toy, token, shims):
    """They may wait, but who would wait in vain is told so at once, and whoever is let in is served."""
    busy = shims(toy, CLUSTER_WORKERS="1", DB_POOL_MAX="13", DB_POOL_MIN="13", DB_POOL_CONNECTION_TIMEOUT="2s")

    async def run():
        clients = Clients(busy, token)

        async def call():
            return await clients.ask(f"GET /api/slow?number={SERVICE}")
        await asyncio.gather(*(call() for _ in range(4)))    # opens the connections: two, so 20 calls a second
        replies = await open_loop(call, 80, 5)
        clients.close()
        good, refused = [[each for each in replies if each.status == status] for status in (200, 503)]
        assert len(good) + len(refused) == len(replies), {each.status for each in replies}
        assert len(good) > 60 and len(refused) > len(replies) / 4
        assert share(refused, lambda each: each.seconds < 0.1) > 0.95
        assert 0.8 < max(each.seconds for each in good) < 8
    asyncio.run(run())


def test_a_crowd_that_comes_back_is_held_to_the_short_queue(toy, token, shims):
    """Once its first rush is through: whoever is let in then finds a queue of some 32, not everybody who was refused a moment ago."""
    connections = str(WRITE_CONNECTIONS + 5)
    busy = shims(toy, CLUSTER_WORKERS="1", DB_POOL_MAX=connections, DB_POOL_MIN=connections)

    async def run():
        clients, begun, replies = Clients(busy, token), time.monotonic(), []

        async def one():
            while time.monotonic() < begun + 6:
                replies.append(await clients.sleep())
                if replies[-1].status == 503:
                    await asyncio.sleep(0.2)
        await asyncio.gather(*(one() for _ in range(150)))
        clients.close()
        settled = [each for each in replies if each.begun > begun + 3]
        good = [each.seconds for each in settled if each.status == 200]
        assert len(good) > CAPACITY and len(good) < len(settled)
        assert max(good) < 1.2, "everybody was let in as soon as the queue moved"
    asyncio.run(run())


def test_nobody_is_refused_while_the_lane_still_grows(toy, token, shims):
    """A crowd that meets one open connection: the others are opened for it, and what one serves is no measure of all."""
    growing = shims(toy, CLUSTER_WORKERS="1", DB_POOL_MAX="45", DB_POOL_MIN="3")

    async def run():
        clients, begun, statuses = Clients(growing, token), time.monotonic(), []

        async def one():
            while time.monotonic() < begun + 3:
                statuses.append((await clients.sleep()).status)
        await asyncio.gather(*(one() for _ in range(100)))
        clients.close()
        assert set(statuses) == {200}
    asyncio.run(run())


def test_more_connections_than_may_be(toy, shims):
    """Those that are there go on, and once the crowd left, new ones are let in."""
    shim = shims(toy, CLUSTER_WORKERS="1", MAX_CONNECTIONS="50")

    async def run():
        clients = Clients(shim, "none")
        kept = [await asyncio.open_connection("127.0.0.1", shim.port) for _ in range(20)]
        clients.idle = kept[:]
        assert {reply.status for reply in await asyncio.gather(*(clients.ask("GET /api/echo") for _ in range(20)))} == {200}
        crowd = [await asyncio.open_connection("127.0.0.1", shim.port) for _ in range(200)]
        for _ in range(5):
            assert {reply.status for reply in await asyncio.gather(*(clients.ask("GET /api/echo") for _ in range(20)))} == {200}
        assert len(clients.idle) == len(kept), "a connection was ended"
        for _, writer in crowd:
            writer.close()
        clients.idle = []
        end = time.monotonic() + 1
        while True:
            try:
                assert (await clients.ask("GET /api/echo")).status == 200
                break
            except (OSError, EOFError):
                assert time.monotonic() < end, "nobody was let in within a second"
        for _, writer in kept + clients.idle:
            writer.close()
    asyncio.run(run())
