"""/health, /ready, /live, /.well-known/jwks.json, the metrics port and the request log."""
import json
import re
import signal
import socket
import subprocess
import time
import urllib.request

from client import Client
from conftest import BUILD, RELEASE, wait_until
from toy import ask, gate, get, own_cluster, own_toy, toy  # noqa: F401  (fixtures)


def test_health_in_the_guide_s_shape(gate):
    reply = get(gate, "/health")
    health = reply.json
    assert reply.status == 200 and health["status"] == "healthy", reply
    assert {"timestamp", "version", "environment", "uptime", "memory", "checks"} <= health.keys()
    assert health["checks"]["database"]["status"] == health["checks"]["storage"]["status"] == "healthy"
    assert isinstance(health["checks"]["database"]["responseTime"], (int, float)) and health["uptime"] >= 0
    assert {"rss", "heapTotal", "heapUsed"} <= health["memory"].keys() and health["memory"]["rss"] > 1_000_000


def test_ready_and_live(gate):
    ready, live = get(gate, "/ready"), get(gate, "/live")
    assert (ready.status, ready.json["status"]) == (200, "ready") and ready.json["timestamp"]
    assert (live.status, live.json["status"]) == (200, "alive") and live.json["uptime"] >= 0
    assert ask(gate, "HEAD /ready HTTP/1.1\r\nHost: x\r\n\r\n").body == b""


def test_without_a_database_it_lives_but_is_not_ready(own_toy, shims):
    own_toy.cluster.stop()
    shim = shims(own_toy, ready=False)
    wait_until(lambda: connects(shim.port), 10)
    assert get(shim, "/live").status == 200
    ready, health, call = get(shim, "/ready"), get(shim, "/health"), get(shim, "/api/echo")
    assert (ready.status, ready.json["status"]) == (503, "not ready")
    assert health.status == 503 and health.json["status"] == health.json["checks"]["database"]["status"] == "unhealthy"
    assert "127.0.0.1" not in health.data.decode("latin-1"), "strangers are not told where the database is"
    assert call.status == 503 and call.headers["retry-after"] and call.json["code"] == "database_unavailable"
    assert probe(shim).returncode == 1
    own_toy.cluster.start()  # it may have another port: the URL names the old one, so ask for the same
    if f":{own_toy.cluster.port}/" in shim.environment["DATABASE_URL"]:
        wait_until(lambda: get(shim, "/ready").status == 200, 10, "the database came and the shim did not notice")
        assert get(shim, "/api/echo").status == 200


def connects(port):
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
        return True
    except OSError:
        return False


def probe(shim):
    return subprocess.run([BUILD / "relygate-shim", "--health"], env=shim.environment, capture_output=True, text=True, timeout=10)


def test_the_probe_of_a_container(gate):
    assert probe(gate).returncode == 0
    nowhere = subprocess.run([BUILD / "relygate-shim", "--health"], env={**gate.environment, "PORT": "1"}, capture_output=True, text=True)
    assert nowhere.returncode == 1 and "port 1" in nowhere.stderr


def test_jwks(gate, toy):
    reply = get(gate, "/.well-known/jwks.json")
    assert reply.status == 200 and reply.json == {"keys": []} and "max-age" in reply.headers["cache-control"]


def metrics(shim):
    with urllib.request.urlopen(f"http://127.0.0.1:{shim.metrics_port}/metrics", timeout=5) as answer:
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return answer.read().decode()


def value(text, series):
    found = re.search(rf"^{re.escape(series)} (\S+)$", text, re.M)
    return float(found[1]) if found else None


def test_metrics(gate):
    for _ in range(3):
        get(gate, "/api/visitors/0192f3a4-0000-7000-8000-000000000000?search=secret")
    labels = '{method="GET",route="/api/visitors/{id}",status_code="401"'
    wait_until(lambda: value(metrics(gate), f"relygate_http_requests_total{labels}}}") == 3, 5)
    text = metrics(gate)
    assert value(text, f'relygate_http_request_duration_seconds_bucket{labels},le="+Inf"}}') == 3
    assert value(text, f"relygate_http_request_duration_seconds_count{labels}}}") == 3
    assert value(text, 'relygate_build_info{version="' + RELEASE + '"}') == 1
    for name in ("relygate_db_up", "process_resident_memory_bytes", "process_start_time_seconds", "process_open_fds"):
        assert value(text, name) > 0, name
    assert abs(value(text, "process_start_time_seconds") - time.time()) < 600
    assert value(text, 'relygate_db_connections_active{lane="read"}') >= 1
    assert "secret" not in text and "0192f3a4" not in text, "raw paths are no labels"
    buckets = [float(count) for count in re.findall(rf'_bucket{re.escape(labels)},le="[^"]+"}} (\S+)', text)]
    assert buckets == sorted(buckets) and len(buckets) > 10, "buckets are cumulative"


def test_metrics_are_not_on_the_public_port(gate):
    assert get(gate, "/metrics").status == 404
    shim_metrics = ask(type("Port", (), {"port": gate.metrics_port}), "GET /api/echo HTTP/1.1\r\nHost: x\r\n\r\n")
    assert shim_metrics.status == 404


def test_metrics_can_be_switched_off(toy, shims):
    shim = shims(toy, ENABLE_METRICS="false")
    assert not connects(shim.metrics_port)


def lines(shim):
    return [json.loads(line) for line in shim.log_text().splitlines()]


def test_the_request_log(gate):
    get(gate, "/api/visitors/0192f3a4-0000-7000-8000-000000000000?search=Asha", "X-Request-Id: log-1\r\n")
    line = wait_until(lambda: next((line for line in lines(gate) if line.get("requestId") == "log-1"), None), 5)
    assert line["level"] == "warn" and line["service"] == "relygate" and line["version"] == RELEASE
    assert (line["method"], line["route"], line["status"], line["ip"]) == ("GET", "/api/visitors/{id}", 401, "127.0.0.1")
    assert line["tenantId"] is line["userId"] is None and 0 <= line["duration"] < 5000
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", line["timestamp"])
    assert "Asha" not in gate.log_text(), "query strings are not logged"


def test_log_level_and_log_file(toy, shims, tmp_path):
    file = tmp_path / "shim.log"
    shim = shims(toy, LOG_LEVEL="warn", LOG_DESTINATION="file", LOG_FILE_PATH=str(file))
    client = Client(shim.url)
    client.get("/live")
    client.get("/nowhere")
    wait_until(lambda: '"status":404' in file.read_text(), 5)
    assert '"status":200' not in file.read_text()
    file.rename(tmp_path / "shim.log.1")  # logrotate
    shim.process.send_signal(signal.SIGHUP)
    wait_until(file.exists, 5, "SIGHUP did not open the log again")
    client.get("/nowhere")
    wait_until(lambda: '"status":404' in file.read_text(), 5)
