"""Tokens (cases jwt) at the door: keys of the database, of JWT_SECRET and of a JWKS file."""
import json
import socket
import statistics
import time
import uuid

import pytest

from client import Client
from conftest import BUILD, PASSWORD, cases, free_port, wait_until
from tokens import Mint, make_keys
from toy import ask, get, loads, run_shim, toy  # noqa: F401  (fixtures)

ISSUER, AUDIENCE = "https://gate.example", "relygate-api"
PUBLISHED = ("es256-a", "es256-old", "rs256-a", "eddsa-a")
OWN_TEST = {"jwt-010", "jwt-011", "jwt-012", "jwt-038", "jwt-043", "jwt-044", "jwt-048"}


@pytest.fixture(scope="module")
def keys():
    return make_keys()


@pytest.fixture(scope="module")
def mint(keys):
    return Mint(keys, ISSUER, AUDIENCE, *(str(uuid.uuid4()) for _ in range(4)))


@pytest.fixture(scope="module")
def settings(keys, tmp_path_factory):
    file = tmp_path_factory.mktemp("keys") / "jwks.json"
    file.write_text(json.dumps({"keys": [keys["rs-1024"].public_jwk()]}))
    return {"JWT_ISSUER": ISSUER, "JWT_AUDIENCE": AUDIENCE, "JWT_SECRET": keys["hs-a"].secret.decode(), "JWKS_FILE": str(file),
            "CLUSTER_WORKERS": "1"}


@pytest.fixture(scope="module")
def door(toy, keys, shims, settings):
    for name in PUBLISHED:
        publish(toy, keys[name])
    return shims(toy, **settings)


@pytest.fixture(scope="module")
def lenient_door(toy, door, shims, settings):
    return shims(toy, JWT_LEEWAY="30", **settings)


def publish(toy, key):
    toy.run("INSERT INTO relygate.keys VALUES (%s, %s)", key.name, json.dumps(key.public_jwk()))


def knock(shim, token, path="/api/auth/userinfo", scheme="Bearer"):
    return get(shim, path, f"Authorization: {scheme} {token}\r\n")


@pytest.mark.parametrize("case", [parameter for parameter in cases("jwt") if parameter.id not in OWN_TEST])
def test_case(case, door, lenient_door, mint):
    given, expected = dict(case["input"]), case["expected"]
    with socket.create_server(("127.0.0.1", 0)) as canary:
        given = json.loads(json.dumps(given).replace("{CANARY}", str(canary.getsockname()[1])))
        token = mint.token(given)
        shim = lenient_door if given.get("config") else door
        if "authorization" not in given:
            reply = knock(shim, token)
        else:
            lines = given["authorization"] if isinstance(given["authorization"], list) else [given["authorization"]]
            reply = get(shim, "/api/auth/userinfo", "".join(
                f"Authorization: {line.replace('{TOKEN}', token).replace('{TOKEN_B}', token)}\r\n" for line in lines))
        canary.settimeout(0.05)
        with pytest.raises(socket.timeout):
            canary.accept()
    statuses = expected["status"] if isinstance(expected["status"], list) else [expected["status"]]
    why = f"{case['why']} {reply}"
    assert reply.status in statuses, why
    if reply.status == 200:
        assert reply.json["data"]["userId"] == mint.words["SUB"] and reply.json["data"]["tenantId"] == mint.words["TENANT_A"]
        assert reply.json["data"]["sessionId"] == mint.words["SID"] and reply.json["data"]["expiresAt"] > time.time() - 60
    if reply.status == 401:
        challenge = reply.headers["www-authenticate"]
        assert challenge.startswith("Bearer") and 'error="invalid_token"' in challenge, why
        assert reply.json["code"] == "token_invalid", why
        if "reason" in expected:
            assert f'error_description="{expected["reason"]}"' in challenge, why


def test_no_token(door):
    reply = get(door, "/api/auth/userinfo")
    assert reply.status == 401 and reply.headers["www-authenticate"] == 'Bearer realm="relygate"', reply


@pytest.mark.parametrize("value", ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "Bearer a b", "Bearer a,b", "Token x", "Bearer\tx"])
def test_other_authorizations(door, value):
    reply = get(door, "/api/auth/userinfo", f"Authorization: {value}\r\n")
    assert reply.status == 401 and "Bearer" in reply.headers["www-authenticate"], reply


def test_a_public_route_does_not_look_at_the_token(door, mint):
    reply = knock(door, mint.token({"key": "attacker-es256"}), "/api/echo")
    assert reply.status == 200 and reply.json["data"]["userId"] is None, reply


def test_route_before_token_and_token_before_body(door):
    assert get(door, "/api/nothing").status == 404
    assert get(door, "/api/visitors", method="DELETE").status == 405
    assert ask(door, "POST /api/visits HTTP/1.1\r\nHost: x\r\nContent-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}").status == 401


def test_a_cached_token_ends_with_its_exp(door, mint):
    token = mint.token({"key": "es256-a", "claims": {"exp": f"$now+{2}"}})
    assert knock(door, token).status == knock(door, token).status == 200
    reply = wait_until(lambda: (found := knock(door, token)).status == 401 and found, 5)
    assert "expired" in reply.headers["www-authenticate"]


def test_rotation(door, toy, keys, mint):
    """jwt-011, jwt-012"""
    token, old = mint.token({"key": "es256-new-after-start"}), mint.token({"key": "es256-old"})
    assert knock(door, token).status == 401 and knock(door, old).status == 200
    publish(toy, keys["es256-new-after-start"])
    wait_until(lambda: knock(door, token).status == 200, 5, "a new key was not seen")
    toy.run("DELETE FROM relygate.keys WHERE kid = 'es256-old'")
    wait_until(lambda: knock(door, old).status == 401, 5, "a removed key still opens: the cache outlived it")
    assert knock(door, token).status == 200


def test_a_flood_of_unknown_keys_costs_one_reload(door, mint):
    """jwt-010"""
    client, good = Client(door.url), mint.token({"key": "es256-a"})

    def times(count):
        taken = []
        for _ in range(count):
            begun = time.perf_counter()
            assert client.get("/api/auth/userinfo", token=good, headers={"Authorization": "Bearer " + good}).status == 200
            taken.append(time.perf_counter() - begun)
        return statistics.quantiles(taken, n=100)[98]

    quiet, before, begun = times(300), loads(door), time.monotonic()
    for _ in range(20):
        for _ in range(100):
            token = mint.token({"key": "attacker-es256", "header": {"alg": "ES256", "kid": "random-per-request"}})
            assert client.get("/api/auth/userinfo", headers={"Authorization": "Bearer " + token}).status == 401
        times(5)
    assert loads(door) - before <= 1 + (time.monotonic() - begun) // 30, "more than one in 30 s"
    assert times(300) < max(2 * quiet, 0.02)


def test_hs384_and_hs512(door, mint):
    for algorithm in ("HS384", "HS512"):
        assert knock(door, mint.token({"key": "hs-a", "header": {"alg": algorithm, "typ": "JWT"}, "sign_as": algorithm})).status == 200


def test_an_empty_or_short_secret_is_no_start(toy):
    """jwt-038"""
    for secret in ("", "x" * 31):
        run = run_shim(BUILD, DATABASE_URL=toy.url("relygate_shim"), PORT=str(free_port()), METRICS_PORT=str(free_port()), JWT_SECRET=secret)
        assert run.returncode != 0 and "JWT_SECRET" in run.stderr, run


def test_a_small_key_of_the_file_is_named_in_the_log(door):
    """jwt-037"""
    assert any("rs-1024" in line and "JWKS_FILE" in line for line in door.log_text().splitlines()), door.log_text()


# With the product's own keys and sessions ----------------------------------------------------------------------------

def test_another_tenant_in_the_query(tenants, guard):
    """jwt-043"""
    answer = guard.get(f"/api/visitors?tenantId={tenants.south}")
    assert answer.status in (400, 403) and not (answer.json or {}).get("data"), answer


def test_a_refresh_token_opens_nothing(shim, tenants):
    """jwt-044"""
    answer = Client(shim.url).post("/api/auth/login", {"tenant": "NORTH", "userName": "guard", "password": PASSWORD})
    refused = knock(shim, answer.data["refreshToken"])
    assert refused.status == 401 and "Bearer" in refused.headers["www-authenticate"], refused


def test_after_logout_the_token_is_refused(shim, tenants):
    """jwt-048"""
    client = tenants.client(shim, "north", "receptionist")
    assert client.get("/api/auth/userinfo").status == 200
    assert client.post("/api/auth/logout").status == 200
    answer = client.get("/api/auth/userinfo")
    assert answer.status == 401 and "Bearer" in answer.headers["WWW-Authenticate"], answer
