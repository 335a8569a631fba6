"""The seed corpus: the inputs of test/cases, a file each, in the form that each fuzzer takes. usage: seeds.py FOLDER"""
import base64
import hashlib
import json
import pathlib
import sys

CASES = pathlib.Path(__file__).resolve().parent.parent / "cases"
JWKS = '{"keys":[{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM","kid":"1"}]}'


def cases(*names):
    for name in names:
        with open(CASES / f"{name}.jsonl", encoding="ascii") as lines:
            yield from map(json.loads, lines)


def texts(value):
    """Every string in a JSON value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, (list, dict)):
        for item in value.values() if isinstance(value, dict) else value:
            yield from texts(item)


def b64(text):
    return base64.urlsafe_b64encode(text.encode()).rstrip(b"=").decode()


def body(given):
    if "body_base64" in given:
        return base64.b64decode(given["body_base64"])
    if isinstance(given.get("body"), dict) and "repeat" in given["body"]:
        parts = given["body"]
        return (parts.get("prefix", "") + parts["repeat"] * min(parts["times"], 200) + parts.get("suffix", "")).encode()
    return given.get("body_text", json.dumps(given)).encode()


def head(raw):
    lines = raw.replace("{HOST}", "gate").split("\r\n\r\n")[0].split("\r\n")
    return "\n".join(lines[0].split(" ", 2) + lines[1:]).encode("latin-1", "replace")


SEEDS = {
    "json": lambda: [body(case["input"]) for case in cases("json_bodies")] + [text.encode("utf-8", "surrogatepass") for case in cases("time") for text in texts(case["input"])],
    "token": lambda: [f'{b64(json.dumps(case["input"].get("header", {"alg": "ES256", "kid": "1"})))}.{b64(json.dumps(case["input"].get("claims", {})))}.{"A" * 86}\n{JWKS}'.encode()
                      for case in cases("jwt")] + [json.dumps(case["input"].get("claims", {})).encode() for case in cases("jwt")],
    "target": lambda: [(case["input"]["raw"].split(" ")[1] + "\n/api/visitors/{id}\n/api/{a}/{b}").encode("latin-1", "replace")
                       for case in cases("http") if len(case["input"].get("raw", "").split(" ")) > 1],
    "validators": lambda: [text.encode("utf-8", "surrogatepass") for case in cases("mobile", "names", "email", "vehicles", "documents") for text in texts(case["input"])],
    "http": lambda: [head(case["input"]["raw"]) for case in cases("http") if "raw" in case["input"]],
}

for name, make in SEEDS.items():
    folder = pathlib.Path(sys.argv[1]) / name
    folder.mkdir(parents=True, exist_ok=True)
    for seed in make():
        (folder / hashlib.sha1(seed).hexdigest()).write_bytes(seed[:4096])
