"""What is measured: a private PostgreSQL with durable settings, the deployed product, a tenant with sites and visits, the
running shim and the peers. All of it is removed at the end."""
import base64
import contextlib
import hashlib
import hmac
import json
import os
import pathlib
import secrets
import shutil
import signal
import socket
import subprocess
import time
import urllib.request

import psycopg2

ROOT = pathlib.Path(__file__).resolve().parents[2]
PASSWORD = "Gate-keeper-7431"    # of the user that logs in; the cluster lives as long as the run
SITES, VISITS = 64, 1000         # so many that no site runs out of badge numbers; visits that are read, numbered
READ_PATH = "/api/visits/01900000-0000-7000-8000-000000"    # then a number from 100000 on


def free_ports(count):
    """Different ones: all are held before the first is let go."""
    with contextlib.ExitStack() as held:
        servers = [held.enter_context(socket.create_server(("127.0.0.1", 0))) for _ in range(count)]
        return [server.getsockname()[1] for server in servers]


class Process:
    """A server that is measured."""

    def __init__(self, name, command, environment, port, log):
        self.name, self.port, self.url = name, port, f"http://127.0.0.1:{port}"
        self.log = log.open("w")
        self.process = subprocess.Popen(command, env=environment, stdout=self.log, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL)

    def await_answer(self, path, seconds=30):
        end = time.monotonic() + seconds
        while time.monotonic() < end and self.process.poll() is None:
            try:
                with urllib.request.urlopen(self.url + path, timeout=2) as answer:
                    if answer.status == 200:
                        return self
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"bench/run: {self.name} did not answer; its log: {self.log.name}")

    def cpu_seconds(self):
        fields = pathlib.Path(f"/proc/{self.process.pid}/stat").read_text().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def memory_mb(self, name="VmRSS"):
        for line in pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines():
            if line.startswith(name + ":"):
                return int(line.split()[1]) / 1024
        raise KeyError(name)

    def own_memory_mb(self):
        """What would be free without this process: pages of libraries that others map as well are not its own."""
        rollup = pathlib.Path(f"/proc/{self.process.pid}/smaps_rollup").read_text().splitlines()
        return sum(int(line.split()[1]) for line in rollup if line.startswith(("Private_", "Swap:"))) / 1024

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(20)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        self.log.close()


class Ground:
    def __init__(self, say):
        self.say = say
        self.folder = ROOT / "var" / f"bench-{os.getpid()}"
        self.cluster, self.servers, self.next_mobile = self.folder / "cluster", [], 0

    def build(self):
        subprocess.run([ROOT / "scripts/build"], check=True)
        # Owner's only: passwords lie here. The server's user passes through it.
        self.folder.mkdir(parents=True)
        os.chmod(self.folder, 0o711)
        subprocess.run([ROOT / "scripts/postgres", "create", self.cluster], check=True)
        self.admin_sql("CREATE DATABASE relygate", database="postgres")
        with (self.folder / "deploy.log").open("w") as log:
            subprocess.run([ROOT / "scripts/deploy", self.url()], check=True, stdout=log, stderr=log)
        self.shim_password = secrets.token_hex(16)
        self.admin_sql(f"ALTER ROLE relygate_shim PASSWORD '{self.shim_password}'")

    def url(self, database="relygate"):
        return subprocess.run([ROOT / "scripts/postgres", "url", self.cluster, database], check=True, capture_output=True, text=True).stdout.strip()

    def shim_url(self):
        """What is measured goes the way of `make run`: through the Unix socket, pgbench and the peers as well."""
        socket = subprocess.run([ROOT / "scripts/postgres", "socket", self.cluster], check=True, capture_output=True, text=True).stdout.strip()
        address = self.url().rsplit("@", 1)[1]
        if socket:
            address = f"/relygate?host={socket}&port={pathlib.Path(f'{self.cluster}.port').read_text().strip()}"
        return f"postgresql://relygate_shim:{self.shim_password}@{address}"

    def connect(self, url=None):
        connection = psycopg2.connect(url or self.url())
        connection.autocommit = True
        return connection

    def admin_sql(self, sql, *arguments, database="relygate"):
        connection = self.connect(self.url(database))
        try:
            with connection.cursor() as cursor:
                cursor.execute(sql, arguments or None)
                return cursor.fetchall() if cursor.description else None
        finally:
            connection.close()

    def make_tenant(self):
        with psycopg2.connect(self.url()) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT id::text FROM relygate.create_tenant('BENCH', 'Bench School', 'school', 'Asia/Kolkata', 'IN')")
            self.tenant = cursor.fetchone()[0]
        with psycopg2.connect(self.url()) as connection, connection.cursor() as cursor:
            cursor.execute("SELECT set_config('app.tenant_id', %s, true)", (self.tenant,))
            cursor.execute("SELECT id::text FROM relygate.create_user('guard', %s, 'security_guard', first_name => 'Guard')", (PASSWORD,))
            self.user = cursor.fetchone()[0]
            cursor.execute("SELECT set_config('app.user_id', %s, true)", (self.user,))
            cursor.execute("SELECT relygate.create_site(format('Site %%s', n)) FROM generate_series(1, %s) n", (SITES - 1,))
            cursor.execute("INSERT INTO relygate.gates (site_id, name) SELECT id, 'Gate' FROM relygate.sites RETURNING site_id::text")
            self.sites = sorted(row[0] for row in cursor.fetchall())
            cursor.execute("SELECT id::text FROM relygate.purposes WHERE kind = 'visit' ORDER BY position LIMIT 1")
            self.purpose = cursor.fetchone()[0]
            cursor.execute(
                "WITH made AS (INSERT INTO relygate.visitors (first_name, last_name, mobile) SELECT 'Asha', 'Rao', '97' || n FROM "
                "generate_series(10000000, 10000000 + %s - 1) n RETURNING id), numbered AS (SELECT id, row_number() OVER () AS n FROM made) "
                "INSERT INTO relygate.visits (id, site_id, visitor_id, state, purpose_id, gate_in_id, badge_no, badge_day) "
                "SELECT ('01900000-0000-7000-8000-000000' || (99999 + n))::uuid, %s, id, 'checked_in', %s, "
                "(SELECT g.id FROM relygate.gates g WHERE g.site_id = %s), (10000 + n)::text, current_date FROM numbered",
                (VISITS, self.sites[0], self.purpose, self.sites[0]))
        self.admin_sql("CREATE FUNCTION relygate.bench_wait(milliseconds int) RETURNS TABLE (waited int) LANGUAGE plpgsql VOLATILE AS "
                       "$$ BEGIN PERFORM pg_sleep(milliseconds / 1000.0); RETURN QUERY SELECT milliseconds; END $$")
        self.admin_sql("GRANT EXECUTE ON FUNCTION relygate.bench_wait(int) TO relygate_api")
        self.admin_sql("INSERT INTO relygate_global.routes (method, pattern, function, permission, answer, status, message, read_only, lane) "
                       "VALUES ('GET', '/api/bench/wait', 'bench_wait', 'signed_in', 'object', 200, 'Waited', true, 'slow'), "
                       # The same as somebody would declare it who does not know that it is slow.
                       "('GET', '/api/bench/read-wait', 'bench_wait', 'signed_in', 'object', 200, 'Waited', true, 'read')")
        self.admin_sql("VACUUM (ANALYZE)")

    def start_shim(self):
        port, metrics = free_ports(2)
        environment = {"PATH": os.environ["PATH"], "PORT": str(port), "METRICS_PORT": str(metrics), "DATABASE_URL": self.shim_url(),
                       "LOG_DESTINATION": "file", "LOG_FILE_PATH": str(self.folder / "requests.log"),
                       "MAX_CONNECTIONS": "12000", "MAX_CONNECTIONS_PER_ADDRESS": "12000"}
        self.shim = Process("relygate-shim", [ROOT / "build/relygate-shim"], environment, port, self.folder / "shim.log")
        self.servers.append(self.shim)
        self.shim.await_answer("/ready")
        request = urllib.request.Request(self.shim.url + "/api/auth/login", headers={"Content-Type": "application/json"},
                                         data=json.dumps({"tenant": "BENCH", "userName": "guard", "password": PASSWORD}).encode())
        with urllib.request.urlopen(request) as answer:
            self.shim.token = json.load(answer)["data"]["token"]
        self.session = json.loads(base64.urlsafe_b64decode(self.shim.token.split(".")[1] + "=="))["sid"]
        return self.shim

    def start_peer(self, name):
        """A peer gets the same database, and an HS256 token, whose check is the cheapest there is."""
        peers = ROOT / "bench/peers"
        if not (peers / "node_modules").is_dir():
            subprocess.run(["npm", "ci", "--silent", "--no-audit", "--no-fund"], cwd=peers, check=True)
        if (peers / f"{name}.sql").exists():
            self.admin_sql((peers / f"{name}.sql").read_text())
        secret, [port] = secrets.token_hex(32), free_ports(1)
        peer = Process(name, ["node", peers / f"{name}.js"], {
            "PATH": os.environ["PATH"], "NODE_ENV": "production", "PORT": str(port), "JWT_SECRET": secret, "DATABASE_URL": self.shim_url()},
            port, self.folder / f"{name}.log")
        self.servers.append(peer)
        peer.await_answer("/live")
        peer.token = hs256(secret, {"tenant_id": self.tenant, "sub": self.user, "exp": int(time.time()) + 86_400})
        return peer

    def mobiles(self, count):
        """The first of so many numbers that no other round uses."""
        first, self.next_mobile = self.next_mobile, self.next_mobile + count
        if self.next_mobile > 99_999_999:
            raise SystemExit("bench/run: ran out of mobile numbers")
        return first

    def check_ins(self):
        return self.admin_sql("SELECT count(*) FROM relygate.visits WHERE tenant_id = %s", self.tenant)[0][0]

    def remove(self):
        for server in self.servers:
            server.stop()
        if (self.folder / "cluster.port").exists():
            subprocess.run([ROOT / "scripts/postgres", "stop", self.cluster, "immediate"], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def hs256(secret, claims):
    def part(value):
        return base64.urlsafe_b64encode(value).rstrip(b"=").decode()
    signed = part(b'{"alg":"HS256","typ":"JWT"}') + "." + part(json.dumps(claims).encode())
    return signed + "." + part(hmac.new(secret.encode(), signed.encode(), hashlib.sha256).digest())
