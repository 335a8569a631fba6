"""Who asked, where a proxy stands in front: the address that it tells, and only from proxies that the operator named."""
import pytest

from toy import gate, get, run_shim, toy  # noqa: F401  (fixtures)
from conftest import BUILD, wait_until


@pytest.fixture(scope="module")
def behind(toy, shims):
    return shims(toy, TRUSTED_PROXIES="127.0.0.0/8, fd00::/8")


def address(shim, headers=""):
    return get(shim, "/api/echo", headers).json["data"]["clientAddress"]


def test_a_trusted_proxy_is_believed(behind):
    assert address(behind) == "127.0.0.1"
    assert address(behind, "X-Forwarded-For: 198.51.100.7\r\n") == "198.51.100.7"
    assert address(behind, "X-Forwarded-For: 1.1.1.1, 2001:db8::7, 127.0.0.9\r\n") == "2001:db8::7"
    assert address(behind, "X-Forwarded-For: 1.1.1.1\r\nX-Forwarded-For: 198.51.100.8\r\n") == "198.51.100.8"
    wait_until(lambda: '"ip":"198.51.100.8"' in behind.log_text(), 5, "the log does not name the client")


def test_a_stranger_is_not(gate):
    assert address(gate, "X-Forwarded-For: 198.51.100.7\r\n") == "127.0.0.1"
    assert address(gate, "X-Forwarded-For: nonsense\r\n") == "127.0.0.1"


@pytest.mark.parametrize("value", ["nonsense", "", "198.51.100.7,", "198.51.100.7'; DROP TABLE visits; --", "127.0.0.1, <script>", "1" * 300])
def test_what_is_no_address_is_refused(behind, value):
    reply = get(behind, "/api/echo", f"X-Forwarded-For: {value}\r\n")
    assert reply.status == 400 and reply.json["code"] == "bad_header", reply


@pytest.mark.parametrize("value", ["10.0.0.1/8", "everybody", "10.0.0.0/8,fd00::/129"])
def test_a_wrong_list_is_named(value):
    run = run_shim(BUILD, "--check-config", DATABASE_URL="postgresql://relygate_shim@db/relygate", TRUSTED_PROXIES=value)
    assert run.returncode != 0 and "TRUSTED_PROXIES: " in run.stderr
