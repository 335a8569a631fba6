"""Request heads of every size get an answer with a status line: what is too large is refused, never dropped in silence."""
import pytest

from toy import ask, gate, get, toy  # noqa: F401  (fixtures)


def padded(line, size):
    """One header of the size that is asked for."""
    return line + "X-Padding: " + "x" * (size - len(line) - len("X-Padding: \r\n\r\n")) + "\r\n\r\n"


SHAPES = {
    "one long header": lambda size: padded("GET /api/echo HTTP/1.1\r\nHost: x\r\n", size),
    "many short headers": lambda size: "GET /api/echo HTTP/1.1\r\nHost: x\r\n" + "X-A: bcdef\r\n" * ((size - 37) // 12) + "\r\n",
    "a long target": lambda size: "GET /api/echo?" + "x" * (size - 36) + " HTTP/1.1\r\nHost: x\r\n\r\n",
    "many arguments": lambda size: "GET /api/echo?" + "x&" * ((size - 36) // 2) + " HTTP/1.1\r\nHost: x\r\n\r\n",
    "a long cookie": lambda size: "GET /api/echo HTTP/1.1\r\nHost: x\r\nCookie: a=" + "x" * (size - 48) + "\r\n\r\n",
    "many cookies": lambda size: "GET /api/echo HTTP/1.1\r\nHost: x\r\nCookie: " + "a=b;" * ((size - 46) // 4) + "\r\n\r\n",
    "a folded header": lambda size: "GET /api/echo HTTP/1.1\r\nHost: x\r\nX-A: b" + "\r\n c" * ((size - 43) // 4) + "\r\n\r\n",
    "blank lines before": lambda size: "\r\n" * ((size - 38) // 2) + "GET /api/echo HTTP/1.1\r\nHost: x\r\n\r\n",
    "a write": lambda size: padded("POST /api/echo HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n", size),
    "a refusal": lambda size: padded("GET /nowhere HTTP/1.1\r\nHost: x\r\n", size),
    "no token": lambda size: padded("GET /api/visitors HTTP/1.1\r\nHost: x\r\n", size),
}
# Where memory runs short lies between 5 and 9 thousand bytes; there every step is small.
SIZES = [*range(1000, 5000, 500), *range(5000, 8400, 50), *range(8400, 20500, 1500)]


@pytest.mark.parametrize("shape", SHAPES)
def test_a_head_of_any_size_gets_a_status_line(shape, gate):
    silent = [size for size in SIZES if ask(gate, SHAPES[shape](size), settle=0.001).status is None]
    assert silent == [], "bytes of heads that got no status line"


def test_ordinary_heads_are_served_and_long_ones_told_that_they_are(gate):
    for size in (1000, 4000, 5500):
        assert ask(gate, SHAPES["one long header"](size), settle=0.001).status == 200, size
    for size in (7500, 8000, 20000):
        assert ask(gate, SHAPES["one long header"](size), settle=0.001).status == 431, size


def test_what_is_refused_for_its_size_is_not_done(gate, toy):
    before = toy.calls("/api/echo")
    done = sum(ask(gate, SHAPES["a write"](size), settle=0.001).status == 200 for size in range(5000, 8300, 20))
    assert toy.calls("/api/echo") - before == done, "a request was answered with an error and done all the same"


def test_requests_behind_each_other_with_long_heads_are_all_answered(gate):
    one = padded("GET /api/echo HTTP/1.1\r\nHost: x\r\n", 4600)
    reply = ask(gate, one * 8, settle=1)
    assert reply.statuses == [200] * 8, reply


def test_an_answer_whose_head_is_too_large_is_an_error_not_silence(gate):
    reply = get(gate, "/api/headers?number=9000")
    assert reply.status == 500 and reply.json["code"] == "internal", reply
    assert get(gate, "/api/headers?number=500").status == 200
