"""relygate-token, as an operator runs it: keys and tokens made by another implementation (python3-cryptography), examples of the
RFCs, what it prints and how it ends."""
import base64
import hashlib
import hmac
import json
import subprocess
import time

import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from conftest import BUILD

TENANT = "01981f6e-0000-7000-8000-0000000000aa"
USER = "01981f6e-0000-7000-8000-00000000000a"
HASHES = {"256": hashes.SHA256(), "384": hashes.SHA384(), "512": hashes.SHA512()}
ALGORITHMS = ["HS256", "HS384", "HS512", "RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"]

RFC7515_A1 = ({"kty": "oct", "k": "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"},
              "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS"
              "9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk",
              {"iss": "joe", "exp": 1300819380, "http://example.com/is_root": True})
RFC8037_A4 = ({"kty": "OKP", "crv": "Ed25519", "x": "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},
              "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iy"
              "lGjg5BhVsPt9g7sVvpAr_MuM0KAg", "Example of Ed25519 signing")


def b64(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else data.encode()).rstrip(b"=").decode()


def number(value, size=None):
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


class Key:
    """A private key of another implementation, its JWK and its signatures."""
    rsa = None  # slow to make: one for all

    def __init__(self, algorithm, kid=None, named=True):
        self.algorithm, self.kid = algorithm, kid
        if algorithm.startswith("HS"):
            self.key = hashlib.sha512(b"a secret of the tests").digest()
            self.jwk = {"kty": "oct", "k": b64(self.key)}
        elif algorithm[:2] in ("RS", "PS"):
            Key.rsa = Key.rsa or rsa.generate_private_key(public_exponent=65537, key_size=2048)
            self.key, numbers = Key.rsa, Key.rsa.public_key().public_numbers()
            self.jwk = {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e)}
        elif algorithm.startswith("ES"):
            self.size = int(algorithm[2:]) // 8
            self.key = ec.generate_private_key(ec.SECP256R1() if self.size == 32 else ec.SECP384R1())
            numbers = self.key.public_key().public_numbers()
            self.jwk = {"kty": "EC", "crv": "P-" + algorithm[2:], "x": number(numbers.x, self.size), "y": number(numbers.y, self.size)}
        else:
            self.key = ed25519.Ed25519PrivateKey.generate()
            self.jwk = {"kty": "OKP", "crv": "Ed25519", "x": b64(self.key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw))}
        if named:
            self.jwk["alg"] = algorithm
        if kid:
            self.jwk["kid"] = kid

    def sign(self, message):
        kind, digest = self.algorithm[:2], HASHES.get(self.algorithm[2:])
        if kind == "HS":
            return hmac.new(self.key, message, digest.name).digest()
        if kind == "RS":
            return self.key.sign(message, padding.PKCS1v15(), digest)
        if kind == "PS":
            return self.key.sign(message, padding.PSS(padding.MGF1(digest), digest.digest_size), digest)
        if kind == "ES":
            return b"".join(half.to_bytes(self.size, "big") for half in decode_dss_signature(self.key.sign(message, ec.ECDSA(digest))))
        return self.key.sign(message)

    def token(self, claims, **header):
        header = {"alg": self.algorithm, **({"kid": self.kid} if self.kid else {}), "typ": "JWT", **header}
        message = b64(json.dumps(header)) + "." + b64(claims if isinstance(claims, (bytes, str)) else json.dumps(claims))
        return message + "." + b64(self.sign(message.encode()))



def claims(**more):
    now = int(time.time())
    every = {"iss": "https://visitors.example", "aud": "relygate", "sub": USER, "tenant_id": TENANT, "role": "security_guard",
             "iat": now, "nbf": now, "exp": now + 600, **more}
    return {name: value for name, value in every.items() if value is not None}


@pytest.fixture
def verify(tmp_path):
    def run(keys, tokens, *options):
        file = tmp_path / "keys.json"
        file.write_text(keys if isinstance(keys, str) else json.dumps(keys))
        stdin = tokens if isinstance(tokens, (str, bytes)) else "".join(token + "\n" for token in tokens)
        done = subprocess.run([BUILD / "relygate-token", "verify", "--keys", file, *options], capture_output=True, timeout=60,
                              input=stdin if isinstance(stdin, bytes) else stdin.encode())
        return done.returncode, done.stdout.decode().splitlines(), done.stderr.decode()
    return run


def plain(*arguments):
    return subprocess.run([BUILD / "relygate-token", *arguments], capture_output=True, text=True, input="", timeout=60)


@pytest.mark.parametrize("algorithm", ALGORITHMS)
@pytest.mark.parametrize("named", [True, False], ids=["alg and kid", "neither"])
def test_takes_what_another_implementation_signs(verify, algorithm, named):
    key = Key(algorithm, kid="k1" if named else None, named=named)
    good, said = key.token(claims()), claims()
    status, lines, errors = verify({"keys": [key.jwk]} if named else key.jwk, [good])
    assert (status, errors) == (0, "")
    assert lines[0].startswith("valid {") and json.loads(lines[0][6:])["sub"] == said["sub"]
    head, body, signature = good.split(".")
    for wrong in (f"{head}.{b64(json.dumps(claims(role='tenant_admin')))}.{signature}", f"{head}.{body}.{b64(b'x' * 64)}", f"{head}.{body}."):
        status, lines, _ = verify(key.jwk, [good, wrong], "--signature-only")
        assert status == 1
        assert lines[0].startswith("valid ") and lines[1].startswith("invalid signature: ")


@pytest.mark.parametrize("jwk, token, payload", [RFC7515_A1, RFC8037_A4], ids=["RFC 7515 A.1", "RFC 8037 A.4"])
def test_examples_of_the_rfcs(verify, jwk, token, payload):
    status, lines, _ = verify(jwk, [token], "--signature-only")
    assert status == 0 and json.loads(lines[0].removeprefix("valid ")) == payload
    assert verify(jwk, [token])[0] == 1  # their claims are not ours
    status, lines, _ = verify(jwk, [token[:-2] + ("A" if token[-2] != "A" else "B") + token[-1]], "--signature-only")
    assert status == 1 and lines[0].startswith("invalid signature: ")


@pytest.mark.parametrize("changes, options, reason", [
    ({}, [], None),
    ({}, ["--issuer", "https://visitors.example", "--audience", "relygate"], None),
    ({}, ["--issuer=https://other.example"], "issuer"),
    ({}, ["--audience=other"], "audience"),
    ({"aud": ["other", "relygate"]}, ["--audience=relygate"], None),
    ({"aud": None}, [], None),
    ({"exp": 1}, [], "expired"),
    ({"exp": 1}, ["--signature-only"], None),
    ({"exp": int(time.time()) - 5}, ["--leeway", "86400"], None),
    ({"nbf": int(time.time()) + 3600}, [], "not_yet_valid"),
    ({"exp": None}, [], "claims"),
    ({"exp": "soon"}, [], "claims"),
    ({"tenant_id": "not-a-uuid"}, [], "claims"),
    ({"sub": None}, [], "claims"),
])
def test_claims(verify, changes, options, reason):
    key = Key("ES256")
    status, lines, _ = verify(key.jwk, [key.token(claims(**changes))], *options)
    assert status == (1 if reason else 0)
    assert lines[0].startswith(f"invalid {reason}: " if reason else "valid {")
    shown = json.loads(lines[0][lines[0].index("{"):])  # also of an invalid one
    assert shown.get("role") == "security_guard"


@pytest.mark.parametrize("header, reason", [
    ({"alg": "none"}, "algorithm"), ({"alg": "HS256"}, "algorithm"), ({"alg": "ES384"}, "algorithm"), ({"kid": "other"}, "key"),
    ({"kid": 12}, "header"), ({"crit": ["exp"]}, "header"), ({"b64": False}, "header"), ({"typ": "refresh+jwt"}, "type"),
    ({"jwk": {"kty": "oct"}}, None), ({"typ": "at+jwt"}, None),
])
def test_headers(verify, header, reason):
    key = Key("ES256", kid="k1")
    status, lines, _ = verify(key.jwk, [key.token(claims(), **header)])
    assert (status, lines[0].split()[:2]) == ((1, ["invalid", reason + ":"]) if reason else (0, lines[0].split()[:2]))


def test_one_line_for_each_token(verify):
    key = Key("EdDSA")
    good = key.token(claims())
    status, lines, _ = verify(key.jwk, f"{good}\r\n\nx\n{good}\n{'.' * 7000}\n{'a' * 9000}\n{good}")
    assert status == 1
    assert [line.split(":")[0].split(" {")[0] for line in lines] == ["valid", "invalid format", "invalid format", "valid",
                                                                     "invalid format", "invalid size", "valid"]
    assert verify(key.jwk, [good, good])[0] == 0


def test_a_payload_does_nothing_to_the_terminal(verify):
    key = Key("ES256")
    payloads = [b"\x1b[31mred\x07\nvalid {}", b"\xff\xfe\x00", json.dumps({"a\u202e": "\u0007\u009b\u2028"}, ensure_ascii=False).encode(),
                b'{"a": 1,\r\n "b": 2}', b"", b'{"a":1,"a":2}', b"[1]"]
    status, lines, _ = verify(key.jwk, [key.token(payload) for payload in payloads], "--signature-only")
    assert status == 0 and len(lines) == len(payloads)
    assert all(line.startswith("valid ") and line.isprintable() for line in lines), lines
    assert json.loads(lines[2][6:]) == {"a\u202e": "\u0007\u009b\u2028"}
    assert json.loads(lines[3][6:]) == {"a": 1, "b": 2}
    assert json.loads(lines[0][6:]) == payloads[0].decode()


def test_weak_keys_are_told_and_never_used(verify):
    small = rsa.generate_private_key(public_exponent=65537, key_size=1024).public_key().public_numbers()
    weak = [{"kty": "RSA", "kid": "small", "n": number(small.n), "e": "AQAB"}, {"kty": "oct", "kid": "short", "k": b64("secret")},
            {**Key("ES256", kid="off").jwk, "x": b64(b"x" * 32)}]
    for jwk in weak:
        status, lines, errors = verify(jwk, ["x"])
        assert (status, lines) == (2, []) and f'key "{jwk["kid"]}": ' in errors
    good = Key("ES256", kid="good")
    status, lines, errors = verify({"keys": weak + [good.jwk]}, [good.token(claims())])
    assert status == 0 and all(f'key "{jwk["kid"]}": ' in errors for jwk in weak)


@pytest.mark.parametrize("text", ["", "{", "[]", '{"keys": 1}', '{"keys": []}', "-----BEGIN PUBLIC KEY-----", '{"kty": "oct"}'])
def test_files_without_keys(verify, text):
    status, lines, errors = verify(text, ["x"])
    assert (status, lines) == (2, []) and errors.startswith("relygate-token: ")


def test_no_token_is_no_success(verify):
    status, lines, errors = verify(Key("ES256").jwk, "")
    assert (status, lines) == (2, []) and "no token" in errors


@pytest.mark.parametrize("arguments", [
    [], ["verfy"], ["verify"], ["verify", "--keys"], ["verify", "--keys", "/nowhere/keys.json"], ["verify", "--keys", "/"],
    ["verify", "--keys", "/dev/null", "--leeway", "-1"], ["verify", "--keys", "/dev/null", "--leeway=x"],
    ["verify", "--keys", "/dev/null", "--issuer", ""], ["verify", "--keys", "/dev/null", "--isuer", "x"], ["verify", "/dev/null"],
])
def test_wrong_use(arguments):
    done = plain(*arguments)
    assert done.returncode == 2 and done.stdout == "" and done.stderr.startswith("relygate-token: ")


def test_help_and_version():
    helped = plain("--help")
    assert helped.returncode == 0 and all(word in helped.stdout for word in ("--keys", "--signature-only", "exit status"))
    version = plain("--version")
    assert version.returncode == 0 and version.stdout.split()[0] == "relygate-token"
