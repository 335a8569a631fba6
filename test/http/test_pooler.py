"""The shim behind PgBouncer in transaction mode, which knows neither named statements nor LISTEN (rls-004, rls-014)."""
import concurrent.futures
import os
import subprocess

import pytest

from conftest import ROOT, free_port, wait_until
from toy import ROLE, get, loads, toy  # noqa: F401  (fixtures)


class Pooler:
    """A running PgBouncer in front of one database, with so many server connections."""

    def __init__(self, database, folder, size):
        self.database, self.port = database, free_port()
        folder.chmod(0o711)
        (folder / "users").write_text(f'"relygate_shim" ""\n"{ROLE}" ""\n')
        (folder / "pgbouncer.ini").write_text(f"""
[databases]
{database.name} = host=127.0.0.1 port={database.cluster.port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {self.port}
unix_socket_dir =
auth_type = trust
auth_file = {folder}/users
pool_mode = transaction
default_pool_size = {size}
max_client_conn = 200
""")
        for name in ("users", "pgbouncer.ini"):
            (folder / name).chmod(0o644)
        program = next(path for path in (ROOT / "var/pgbouncer/usr/sbin/pgbouncer", "/usr/sbin/pgbouncer") if os.access(path, os.X_OK))
        # It refuses to run as root.
        user = ["--user", os.environ.get("RELYGATE_OS_USER", "postgres")] if os.getuid() == 0 else []
        self.process = subprocess.Popen([program, "--quiet", *user, folder / "pgbouncer.ini"], stdin=subprocess.DEVNULL)

    @property
    def name(self):
        return self.database.name

    def url(self, user="postgres", options=None):
        return self.database.url(user, options).replace(f":{self.database.cluster.port}/", f":{self.port}/")

    def server_connections(self):
        return self.database.value("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND usename IN ('relygate_shim', %s)", ROLE)

    def stop(self):
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture(scope="module")
def poolers(tmp_path_factory):
    started = []

    def start(database, size):
        folder = tmp_path_factory.mktemp("pgbouncer")
        for parent in folder.parents[:2]:
            parent.chmod(0o711)  # pytest's folders are closed; PgBouncer runs as another user
        started.append(Pooler(database, folder, size))
        return started[-1]

    yield start
    for pooler in started:
        pooler.stop()


@pytest.fixture(scope="module")
def pooled_toy(toy, poolers, shims):
    return shims(poolers(toy, 5), DB_PREPARED_STATEMENTS="false", REQUEST_TIMEOUT="2s", JWT_EXPIRATION="1h", JWT_ISSUER="it's me\\")


def test_a_hundred_requests(pooled_toy):
    """rls-014"""
    with concurrent.futures.ThreadPoolExecutor(10) as pool:
        statuses = list(pool.map(lambda number: get(pooled_toy, "/api/echo", method="POST" if number % 3 == 0 else "GET").status, range(100)))
    assert statuses == [200] * 100


def test_settings_of_a_connection_hold_for_each_request(pooled_toy, toy):
    assert get(pooled_toy, "/api/echo").json["data"]["settings"] == {
        "statement_timeout": "1s", "token_lifetime": "3600", "token_issuer": "it's me\\"}
    assert get(pooled_toy, "/api/sleep?number=1.5").status == 200  # moved to the slow lane
    assert get(pooled_toy, "/api/sleep?number=5").status == 504
    assert get(pooled_toy, "/api/raise?state=22012").status == 500
    assert get(pooled_toy, "/api/echo").status == 200


def test_a_changed_route_is_found_without_notification(pooled_toy, toy):
    toy.run("INSERT INTO relygate.routes VALUES ('GET', '/api/pooled', 'public', true, 'read')")
    wait_until(lambda: get(pooled_toy, "/api/pooled").status == 200, 10)
    before = loads(pooled_toy)
    toy.run("UPDATE relygate.routes SET permission = 'signed_in' WHERE pattern = '/api/pooled'")
    wait_until(lambda: get(pooled_toy, "/api/pooled").status == 401, 10)
    assert loads(pooled_toy) == before + 1, "what had not changed was read again"


def test_without_the_setting_the_shim_is_not_ready(toy, poolers, shims):
    shim = shims(poolers(toy, 5), ready=False)
    wait_until(lambda: "cannot connect" in shim.log_text() or "cannot prepare" in shim.log_text(), 10)
    assert get(shim, "/ready").status == 503


def test_two_tenants_through_one_connection(database, tenants, poolers, shims):
    """rls-004: each sees its own, a thousand times, interleaved on the one connection there is."""
    pooler = poolers(database, 1)
    shim = shims(pooler, DB_PREPARED_STATEMENTS="false", CLUSTER_WORKERS="1")
    seen = []

    def one(tenant):
        client = tenants.client(shim, tenant, "guard")
        for _ in range(1000):
            answer = client.get("/api/auth/userinfo")
            seen.append((tenant, answer.status, (answer.json.get("data") or {}).get("tenant", {}).get("code")))
        return client

    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        list(pool.map(one, ("north", "south")))
    assert pooler.server_connections() == 1
    wrong = [answer for answer in seen if answer[1:] != (200, tenants.CODES[answer[0]])]
    assert wrong == [] and len(seen) == 2000
    switches = sum(one[0] != other[0] for one, other in zip(seen, seen[1:]))
    assert switches > 100, "the two were not interleaved"
