"""CORS by ALLOWED_ORIGINS (cases http-024 to http-026 are in test_http_rules)."""
import pytest

from toy import ask, gate, get, toy  # noqa: F401  (fixtures)

OURS, OTHER = "Origin: https://app.example\r\n", "Origin: https://evil.example\r\n"


@pytest.mark.parametrize("path, status", [("/live", 200), ("/api/echo", 200), ("/api/visitors", 401), ("/nowhere", 404)])
def test_every_answer_to_an_allowed_origin_may_be_read(gate, path, status):
    reply = get(gate, path, OURS)
    assert reply.status == status and reply.headers["access-control-allow-origin"] == "https://app.example", reply
    assert "Origin" in reply.headers["vary"] and "X-Request-Id" in reply.headers["access-control-expose-headers"]


@pytest.mark.parametrize("origin", [OTHER, "Origin: null\r\n", "Origin: https://app.example.evil.example\r\n",
                                    "Origin: http://app.example\r\n", "Origin: https://app.example:444\r\n", "Origin: HTTPS://APP.EXAMPLE\r\n", ""])
def test_no_other_origin_is_allowed(gate, origin):
    reply = get(gate, "/api/echo", origin)
    assert reply.status == 200 and "access-control-allow-origin" not in reply.headers, reply
    assert "Origin" in reply.headers["vary"], "a cache would hand one origin's answer to the other"


def test_a_preflight_names_the_route_s_methods_and_needs_no_token(gate):
    reply = get(gate, "/api/visits", OURS + "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: authorization\r\n", "OPTIONS")
    assert reply.status == 204 and "POST" in reply.headers["access-control-allow-methods"], reply
    assert "authorization" in reply.headers["access-control-allow-headers"].lower()
    assert "idempotency-key" in reply.headers["access-control-allow-headers"].lower()


def test_a_preflight_of_another_origin_is_told_nothing(gate):
    reply = get(gate, "/api/visits", OTHER + "Access-Control-Request-Method: POST\r\n", "OPTIONS")
    assert not [name for name in reply.headers if name.startswith("access-control-")], reply


def test_a_preflight_of_no_route_is_404(gate):
    assert get(gate, "/nowhere", OURS + "Access-Control-Request-Method: GET\r\n", "OPTIONS").status == 404


def test_a_preflight_asks_no_database(gate, toy):
    before = toy.calls("/api/visits")
    get(gate, "/api/visits", OURS + "Access-Control-Request-Method: POST\r\n", "OPTIONS")
    assert toy.calls("/api/visits") == before
