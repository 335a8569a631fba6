"""Strangers, who have no token yet and may cost a password hash each: bounded by address, and together."""
import concurrent.futures
import json
import uuid

import pytest

from client import Client
from conftest import PASSWORD, wait_until
from tokens import Mint, make_keys
from toy import gate, get, metric, toy  # noqa: F401  (fixtures)


@pytest.fixture(scope="module")
def strict(toy, shims):
    return shims(toy, RATE_LIMIT_MAX_REQUESTS="5", RATE_LIMIT_WINDOW="1h", TRUSTED_PROXIES="127.0.0.1", ALLOWED_ORIGINS="https://app.example")


def attempt(shim, address, status=401, method="POST", headers=""):
    return get(shim, f"/api/status?number={status}", f"X-Forwarded-For: {address}\r\n{headers}", method)


def login(shim, password, user="guard", address="198.51.100.7", path="/api/auth/login", **body):
    body = body or {"tenant": "NORTH", "userName": user, "password": password}
    return Client(shim.url).post(path, body, token=False, headers={"X-Forwarded-For": address})


def test_a_client_that_repeats_one_wrong_password_locks_out_nobody_else(database, tenants, shims):
    """Many tablets behind one address: one of them holds a password that was changed."""
    shim = shims(database, RATE_LIMIT_MAX_REQUESTS="40", RATE_LIMIT_WINDOW="1h", TRUSTED_PROXIES="127.0.0.1")
    statuses = [login(shim, "an-old-Passw0rd", user="host").status for _ in range(60)]
    assert statuses == [401] * 5 + [423] * 5 + [429] * 50, statuses
    right = login(shim, PASSWORD)
    assert right.status == 200 and int(right.headers["RateLimit-Remaining"]) == 30, right
    # Whoever guesses is still bounded, by all names together, and then the address is shut ...
    guesses = [login(shim, f"Guess-{i}-x", user=f"nobody{i}").status for i in range(40)]
    assert guesses == [401] * 30 + [429] * 10, guesses
    assert login(shim, PASSWORD).status == 429
    # ... for logins, not for those who hold a token already.
    renewed = login(shim, None, path="/api/auth/refresh", refreshToken=right.data["refreshToken"])
    assert renewed.status == 200, renewed
    assert Client(shim.url, renewed.data["token"]).get("/api/auth/userinfo").status == 200
    stale = [login(shim, None, path="/api/auth/refresh", refreshToken="A" * 86).status for _ in range(60)]
    assert stale == [401] * 10 + [429] * 50, "a dead token is not asked for over and over"
    assert login(shim, None, path="/api/auth/refresh", refreshToken=renewed.data["refreshToken"]).status == 200, "... and that is its own affair"
    guesses = [login(shim, None, path="/api/auth/refresh", refreshToken=f"{i:03d}" + "B" * 83).status for i in range(40)]
    assert guesses == [401] * 30 + [429] * 10, "failed refreshes are counted, by themselves"


def test_the_right_password_of_an_unlocked_name_is_taken(database, tenants, shims):
    shim = shims(database, RATE_LIMIT_MAX_REQUESTS="50", RATE_LIMIT_WINDOW="1h", TRUSTED_PROXIES="127.0.0.1")
    for i in range(6):
        login(shim, f"Wrong-{i}", user="auditor")
    assert [login(shim, PASSWORD, user="auditor").status for _ in range(8)] == [423] * 8
    admin = tenants.client(shim, "north", "admin")
    user = next(row["id"] for row in admin.get("/api/users?pageSize=100").data if row["userName"] == "auditor")
    assert admin.post(f"/api/users/{user}/unlock").status == 200
    assert login(shim, PASSWORD, user="auditor").status == 200


def test_failures_of_an_address_are_counted_and_then_refused(strict, toy):
    for left in range(4, -1, -1):
        reply = attempt(strict, "198.51.100.1")
        assert reply.status == 401 and reply.headers["ratelimit-limit"] == "5" and reply.headers["ratelimit-remaining"] == str(left), reply
    before = toy.calls("/api/status")
    reply = attempt(strict, "198.51.100.1", headers="Origin: https://app.example\r\n")
    assert reply.status == 429 and reply.json["code"] == "rate_limited" and reply.headers["ratelimit-remaining"] == "0", reply
    assert 0 < int(reply.headers["retry-after"]) == int(reply.headers["ratelimit-reset"]) <= 3600
    assert "RateLimit-Reset" in reply.headers["access-control-expose-headers"]
    assert attempt(strict, "198.51.100.1", 200).status == 429, "the right password would still be found out"
    assert toy.calls("/api/status") == before, "the database was asked"
    assert attempt(strict, "198.51.100.2").status == 401, "another address is not concerned"
    assert attempt(strict, "198.51.100.1", method="GET").status == 401, "reads are not counted"


def test_success_and_our_own_failures_do_not_count(strict):
    for status in (200, 500, 204) * 3:
        reply = attempt(strict, "198.51.100.3", status)
        assert reply.status == status and reply.headers["ratelimit-remaining"] == "5", reply
    assert "ratelimit-limit" not in get(strict, "/live").headers


def test_success_counts_where_it_is_asked_to(toy, shims):
    shim = shims(toy, RATE_LIMIT_MAX_REQUESTS="3", RATE_LIMIT_SKIP_SUCCESSFUL_REQUESTS="false")
    assert [get(shim, "/api/echo", method="POST").status for _ in range(4)] == [200, 200, 200, 429]


def test_it_can_be_switched_off(toy, shims):
    shim = shims(toy, RATE_LIMIT_MAX_REQUESTS="1", RATE_LIMIT_ENABLED="false")
    assert [get(shim, "/api/status?number=401", method="POST").status for _ in range(3)] == [401] * 3


def test_attempts_at_once_and_of_all_workers_are_counted_together(toy, shims):
    shim = shims(toy, RATE_LIMIT_MAX_REQUESTS="20", CLUSTER_WORKERS="4", DB_POOL_MAX="20")
    with concurrent.futures.ThreadPoolExecutor(20) as pool:
        statuses = list(pool.map(lambda i: get(shim, f"/api/status?number=401&i={i}", method="POST").status, range(60)))
    assert sorted(statuses) == [401] * 20 + [429] * 40


def test_strangers_cannot_fill_the_write_lane(toy, shims):
    """However many of them wait, who has a token is served at once."""
    key = make_keys()["es256-a"]
    toy.run("INSERT INTO relygate.keys VALUES (%s, %s)", key.name, json.dumps(key.public_jwk()))
    shim = shims(toy, DB_POOL_MAX="8", CLUSTER_WORKERS="1")
    somebody = [str(uuid.uuid4()) for _ in range(4)]
    client = Client(shim.url, Mint({key.name: key}, "", "", *somebody).token({"key": key.name}))
    with concurrent.futures.ThreadPoolExecutor(30) as pool:
        strangers = [pool.submit(get, shim, "/api/sleep?number=1", method="POST") for _ in range(30)]
        wait_until(lambda: metric(shim, 'relygate_db_requests_waiting{lane="write"}') >= 25, 10)
        assert metric(shim, 'relygate_db_requests_in_flight{lane="write"}') <= 3
        for _ in range(5):
            assert client.post("/api/visits", {}).status == 200
        assert sum(not call.done() for call in strangers) > 15, "it waited for strangers"
        assert {call.result().status for call in strangers} <= {200, 503}
