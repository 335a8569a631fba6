"""The rows that are measured over HTTP. In every round the product and what it is compared with take turns, so both meet the
same noise; the ratio is taken within the round."""
import contextlib
import json
import os
import re
import socket
import time
import urllib.request

from .ground import READ_PATH
from .load import MemoryWatch, best_clients, pgbench, start_wrk, wrk, wrk_report
from .report import Row

ROWS = [
    Row("read", "small read, 64 connections ÷ pgbench, one statement, its best number of clients", 0.90, True),
    Row("check_in", "check-in, durable, 64 connections ÷ pgbench, the same function, its best number of clients", 1.15, True),
    Row("cpu", "CPU of the shim for a small read", 12, False, " µs"),
    Row("sequential", "added latency of one sequential client: HTTP − pgbench", 60, False, " µs"),
    Row("half", "p99 ÷ p50 of reads at half of the maximum", 4, False),
    Row("beside_500", "p99 of reads beside four clients in a 500 ms call of the slow lane ÷ p99 without", 1.5, False),
    Row("beside_1000", "p99 of reads beside a client in a 1 s call of the slow lane ÷ p99 without", 1.5, False),
    Row("beside_read", "p99 of reads beside four clients in a 300 ms call of the read lane ÷ p99 without", 1.5, False),
    Row("read_express", "small read ÷ Express 5 (one statement, KeyObject), 64 connections", 12, True),
    Row("check_in_express", "check-in ÷ the same peer", 4, True),
    Row("read_postgraphile", "small read ÷ PostGraphile 4", 15, True),
    Row("check_in_postgraphile", "check-in ÷ PostGraphile 4", 10, True),
    Row("idle", "memory of the shim with 5,000 idle connections (RSS)", 56, False, " MB"),
    Row("memory", "memory of the shim under load, highest sample (its own: USS)", 8, False, " MB"),
]
# What differs from request to request stands in the variables, as a client of GraphQL sends it: the text is always the same, so the
# peer parses and validates it once.
GRAPH_READ = json.dumps({
    "query": "query($id:UUID!){readVisit(id:$id){nodes{id state siteId siteName visitorId visitorFirstName visitorLastName visitorMobile purposeId "
             "purpose groupSize badgeNo requestedAt checkedInAt checkedOutAt gateInId isForced isAutomatic updatedAt}}}",
    "variables": {"id": "01900000-0000-7000-8000-000000NUMBER"}})
GRAPH_CHECK_IN = json.dumps({
    "query": "mutation($site:UUID!,$firstName:String!,$lastName:String!,$mobile:String!,$purpose:UUID!){checkIn(input:{site:$site,"
             "firstName:$firstName,lastName:$lastName,mobile:$mobile,purpose:$purpose}){visits{id state siteId siteName visitorId "
             "visitorFirstName visitorLastName visitorMobile purposeId purpose groupSize badgeNo requestedAt checkedInAt}}}",
    "variables": {"site": "SITE", "firstName": "Asha", "lastName": "Rao", "mobile": "98MOBILE##", "purpose": "PURPOSE"}})
# Beside whom reads are measured: clients, milliseconds of their call, its route, and seconds that they are there before. The shim
# has to learn which route of the read lane is slow, from the first answers.
BESIDE = {"beside_500": (4, 500, "/api/bench/wait", 0.2), "beside_1000": (1, 1000, "/api/bench/wait", 0.2),
          "beside_read": (4, 300, "/api/bench/read-wait", 2)}


class HttpStage:
    def __init__(self, ground, seconds, rounds, rows):
        self.ground, self.seconds, self.rounds, self.rows = ground, seconds, rounds, {row.key: row for row in rows}
        self.remarks = []

    # Loads ------------------------------------------------------------------------------------------------------------

    @staticmethod
    def read_settings(server):
        return {"path": "/graphql", "body": GRAPH_READ} if server.name == "postgraphile" else {"path": READ_PATH}

    def check_in_settings(self, server, seconds):
        ground, is_graph = self.ground, server.name == "postgraphile"
        body = GRAPH_CHECK_IN if is_graph else json.dumps(
            {"visitor": {"firstName": "Asha", "lastName": "Rao", "mobile": "98MOBILE##"}, "purposeId": "PURPOSE", "siteId": "SITE"})
        return {"path": "/graphql" if is_graph else "/api/visits", "body": body.replace("PURPOSE", ground.purpose),
                "sites": ",".join(ground.sites), "first": ground.mobiles(int(seconds * 20_000))}

    def read(self, server, connections=64, **settings):
        return wrk(server, "read.lua", connections, self.seconds, **self.read_settings(server), **settings)

    def check_in(self, server, connections=64):
        """Every answered check-in must be a row; requests that wrk left behind at the end may be rows too."""
        before = self.ground.check_ins()
        load = wrk(server, "check_in.lua", connections, self.seconds, **self.check_in_settings(server, self.seconds))
        made = self.settled_check_ins() - before
        if not load.requests <= made <= load.requests + connections:
            raise SystemExit(f"bench/run: {server.name} answered {load.requests} check-ins, the database has {made}")
        return load

    def settled_check_ins(self):
        """What wrk left behind is still being written when it has gone, and would be counted with the next load."""
        made = None
        while made != (made := self.ground.check_ins()):
            time.sleep(0.5)
        return made

    def call(self, method, path, body):
        ground = self.ground
        return (f"SELECT status, content_type, headers, body FROM relygate.handle_request('{ground.tenant}', '{ground.user}', "
                f"'{ground.session}', now() + interval '7 hours', 'bench', '127.0.0.1', '{method}', {path}, '', "
                f"ARRAY['content-type', 'application/json'], {body})")

    def pgbench_read(self, clients, seconds):
        script = "\\set n random(100000, 100999)\n" + self.call("GET", f"'{READ_PATH}' || :n", "NULL") + ";\n"
        return pgbench(self.ground, self.ground.shim_url(), script, clients, seconds)

    def pgbench_check_in(self, clients, seconds):
        ground, before, each = self.ground, self.ground.check_ins(), 10_000
        body = (f"convert_to('{{\"visitor\":{{\"firstName\":\"Asha\",\"lastName\":\"Rao\",\"mobile\":\"98' || to_char(:n::int, 'FM00000000') || "
                f"'\"}},\"purposeId\":\"{ground.purpose}\",\"siteId\":\"' || (ARRAY['" + "','".join(ground.sites) + "'])[1 + :n::int % " +
                f"{len(ground.sites)}] || '\"}}', 'UTF8')")
        script = f"\\set turn :turn + 1\n\\set n :first + :client_id * {each} + :turn\n" + self.call("POST", "'/api/visits'", body) + ";\n"
        load = pgbench(ground, ground.shim_url(), script, clients, seconds, {"turn": 0, "first": ground.mobiles(clients * each)})
        if (made := ground.check_ins() - before) != load.requests:
            raise SystemExit(f"bench/run: pgbench counts {load.requests} check-ins, the database has {made}")
        return load

    # Rows -------------------------------------------------------------------------------------------------------------

    def against_pgbench(self):
        shim, rows = self.ground.shim, self.rows
        is_short = self.rounds < 5
        cores = os.cpu_count()   # a backend a core reads fastest: nobody takes its caches away
        readers = best_clients(self.pgbench_read, [cores * each for each in ([1] if is_short else [1, 2, 4, 8, 16])], 2)
        writers = best_clients(self.pgbench_check_in, [cores * each for each in ([4] if is_short else [2, 4, 8, 16])], 2)
        memory = MemoryWatch(shim)
        rates = {"read": [], "pgbench read": [], "check-in": [], "pgbench check-in": []}
        for _ in range(self.rounds):
            cpu = shim.cpu_seconds()
            with memory:
                read = self.read(shim)
            rows["cpu"].add((shim.cpu_seconds() - cpu) / read.requests * 1e6)
            compared = self.pgbench_read(readers, self.seconds)
            rows["read"].add(read.per_second / compared.per_second)
            rates["read"].append(read.per_second)
            rates["pgbench read"].append(compared.per_second)
            with memory:
                check_in = self.check_in(shim)
            compared = self.pgbench_check_in(writers, self.seconds)
            rows["check_in"].add(check_in.per_second / compared.per_second)
            rates["check-in"].append(check_in.per_second)
            rates["pgbench check-in"].append(compared.per_second)
        rows["memory"].add(memory.own_mb)
        cpu = shim.cpu_seconds()
        without = wrk(shim, "read.lua", 64, self.seconds, path="/live?n=")
        cpu = (shim.cpu_seconds() - cpu) / without.requests * 1e6
        self.maximum = sorted(rates["read"])[len(rates["read"]) // 2]
        self.remarks.append("Requests a second, medians of the rounds: " + ", ".join(
            f"{name} {sorted(values)[len(values) // 2]:,.0f}" for name, values in rates.items()) +
            f" (pgbench with {readers} and {writers} clients). GET /live, which asks no database, costs the shim {cpu:.1f} µs of CPU. The highest of "
            f"{memory.samples} samples under load: {memory.own_mb:.1f} MB of the shim's own; with the pages of libraries, which other processes map too, "
            f"RSS shows {memory.rss_mb:.1f} MB.")

    def latencies(self):
        shim, rows = self.ground.shim, self.rows
        for _ in range(self.rounds):
            over_http = self.read(shim, 1)
            over_libpq = self.pgbench_read(1, self.seconds)
            rows["sequential"].add(1e6 / over_http.per_second - over_libpq.average_us)
            # 64 connections, each of which pauses so long that together they ask half of what could be answered.
            paced = self.read(shim, 64, pace_ms=64 / (self.maximum / 2) * 1000)
            rows["half"].add(paced.p99_us / paced.p50_us)
            alone = self.read(shim, 32)
            for key, (clients, wait_ms, path, before) in BESIDE.items():
                slow = start_wrk(shim, "wait.lua", clients, self.seconds + 1 + int(before), path=path, ms=wait_ms)
                time.sleep(before)
                rows[key].add(self.read(shim, 32).p99_us / alone.p99_us)
                if wrk_report(slow).failed:
                    raise SystemExit("bench/run: the slow calls failed")

    def peer(self, name):
        ground, rows = self.ground, self.rows
        peer = ground.start_peer(name)
        self.look_at_answer(peer)
        self.warm_up(peer)
        for _ in range(self.rounds):
            rows[f"read_{name}"].add(self.read(ground.shim).per_second / self.read(peer).per_second)
            rows[f"check_in_{name}"].add(self.check_in(ground.shim).per_second / self.check_in(peer).per_second)
        peer.stop()

    def look_at_answer(self, peer):
        """wrk counts by the status alone, and GraphQL says 200 also to a query that found nothing."""
        path, body = ("/graphql", GRAPH_READ.replace("NUMBER", "100000").encode()) if peer.name == "postgraphile" else (READ_PATH + "100000", None)
        request = urllib.request.Request(peer.url + path, body, {"Content-Type": "application/json", "Authorization": f"Bearer {peer.token}"})
        with urllib.request.urlopen(request) as answer:
            text = answer.read().decode()
        if self.ground.sites[0] not in text:
            raise SystemExit(f"bench/run: {peer.name} did not answer with the visit: {text[:500]}")

    def warm_up(self, server, seconds=5):
        """Connections, catalogue and plans of each backend. Nothing of it counts: on a busy machine a peer's first seconds bring no
        answer at all, and the shim refuses what would wait for long."""
        start_wrk(server, "read.lua", 64, seconds, **self.read_settings(server)).communicate()
        start_wrk(server, "check_in.lua", 64, seconds, **self.check_in_settings(server, seconds)).communicate()
        self.settled_check_ins()

    def idle(self, wanted=5000):
        """Each of the idle connections has had an answer, as a keep-alive connection has."""
        shim = self.ground.shim
        with contextlib.ExitStack() as open_sockets:
            sockets = []
            for _ in range(wanted):
                connection = open_sockets.enter_context(socket.create_connection(("127.0.0.1", shim.port)))
                connection.sendall(b"GET /live HTTP/1.1\r\nHost: bench\r\n\r\n")
                sockets.append(connection)
            for connection in sockets:
                connection.settimeout(10)
                if not re.match(rb"HTTP/1.1 200 ", connection.recv(4096)):
                    raise SystemExit("bench/run: an idle connection got no answer")
            self.rows["idle"].add(shim.memory_mb())
