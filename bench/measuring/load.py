"""The load generators: wrk over HTTP, pgbench over libpq, and how their reports are read."""
import dataclasses
import json
import os
import pathlib
import re
import subprocess
import threading

from .ground import ROOT

HERE = pathlib.Path(__file__).resolve().parent


@dataclasses.dataclass
class Load:
    requests: int
    per_second: float
    failed: int = 0
    p50_us: float = 0
    p99_us: float = 0
    average_us: float = 0


def start_wrk(server, script, connections, seconds, **settings):
    """LUA settings reach the script as environment variables BENCH_..."""
    environment = {"PATH": os.environ["PATH"], "BENCH_TOKEN": server.token, **{f"BENCH_{key.upper()}": str(value) for key, value in settings.items()}}
    return subprocess.Popen(["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "20s", "-s", HERE / script, server.url],
                            env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)


def wrk_report(process):
    output, _ = process.communicate()
    found = re.search(r"^BENCH (\{.*\})$", output, re.M)
    if process.returncode != 0 or not found:
        raise SystemExit(f"bench/run: wrk failed:\n{output}")
    report = json.loads(found[1])
    return Load(report["requests"], report["requests"] / report["duration_us"] * 1e6, report["failed"], report["p50"], report["p99"], report["mean"])


def wrk(server, script, connections, seconds, **settings):
    load = wrk_report(start_wrk(server, script, connections, seconds, **settings))
    if load.failed or not load.requests:
        raise SystemExit(f"bench/run: {load.failed} of {load.requests} requests to {server.name} failed ({script})")
    return load


class MemoryWatch:
    """The highest memory of a server while something else runs (`with`, any number of times). Asked once the load has gone, it would
    be that of an idle server: what connections and answers need is free again by then."""

    def __init__(self, server):
        self.server, self.own_mb, self.rss_mb, self.samples = server, 0, 0, 0

    def sample(self):
        self.own_mb = max(self.own_mb, self.server.own_memory_mb())
        self.rss_mb = max(self.rss_mb, self.server.memory_mb())
        self.samples += 1

    def watch(self):
        # Ten a second: reading the sums walks the server's page tables, which must not cost the load anything.
        while not self.is_over.wait(0.1):
            self.sample()

    def __enter__(self):
        self.is_over, self.thread = threading.Event(), threading.Thread(target=self.watch, daemon=True)
        self.thread.start()

    def __exit__(self, *_):
        self.is_over.set()
        self.thread.join()


warm_up = 2    # seconds that do not count: new backends read the catalogue and make plans, those of the product are warm


def pgbench(ground, url, script, clients, seconds, variables=None):
    file = ground.folder / "pgbench.sql"
    file.write_text(script)
    command = [ROOT / "scripts/postgres", "run", "pgbench", "-n", "-M", "prepared", "-c", str(clients), "-j", str(min(clients, 2)), "-P", "1",
               "-T", str(warm_up + seconds + 1), *[f"-D{name}={value}" for name, value in (variables or {}).items()], "-f", file, url]
    run = subprocess.run(command, capture_output=True, text=True)
    count = re.search(r"transactions actually processed: (\d+)", run.stdout)
    failed = re.search(r"failed transactions: (\d+)", run.stdout)
    # One second more than is looked at: the line of the last one may be missing.
    rates = [float(rate) for rate in re.findall(r"^progress: [\d.]+ s, ([\d.]+) tps", run.stderr, re.M)][warm_up:warm_up + seconds]
    if run.returncode != 0 or not count or not rates or not all(rates) or (failed and int(failed[1])):
        raise SystemExit(f"bench/run: pgbench failed:\n{run.stdout}{run.stderr}")
    per_second = sum(rates) / len(rates)
    return Load(int(count[1]), per_second, average_us=clients / per_second * 1e6)


def best_clients(measure, candidates, seconds):
    """How many clients reach most."""
    if len(candidates) == 1:
        return candidates[0]
    rates = {clients: measure(clients, seconds).per_second for clients in candidates}
    return max(rates, key=rates.get)
