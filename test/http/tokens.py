"""Makes the tokens of the cases jwt: keys, signatures by hand, and everything that can be wrong with them."""
import base64
import hashlib
import hmac
import json
import os
import secrets
import time

from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa, utils
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


def b64(data):
    return base64.urlsafe_b64encode(data if isinstance(data, bytes) else data.encode()).rstrip(b"=").decode()


def unb64(text):
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def number(value, size=None):
    return b64(value.to_bytes(size or (value.bit_length() + 7) // 8, "big"))


class Key:
    def __init__(self, name, algorithm, private=None, secret=None):
        self.name, self.algorithm, self.private, self.secret = name, algorithm, private, secret

    def public_jwk(self):
        base = {"kid": self.name, "alg": self.algorithm, "use": "sig"}
        if self.algorithm.startswith("ES"):
            numbers = self.private.public_key().public_numbers()
            return {"kty": "EC", "crv": "P-256", "x": number(numbers.x, 32), "y": number(numbers.y, 32), **base}
        if self.algorithm == "EdDSA":
            raw = self.private.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
            return {"kty": "OKP", "crv": "Ed25519", "x": b64(raw), **base}
        numbers = self.private.public_key().public_numbers()
        return {"kty": "RSA", "n": number(numbers.n), "e": number(numbers.e), **base}

    def pem(self):
        return self.private.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)

    def sign(self, text, algorithm=None):
        algorithm = algorithm or self.algorithm
        data = text.encode()
        if algorithm.startswith("HS"):
            return hmac.new(self.secret, data, {"HS256": hashlib.sha256, "HS384": hashlib.sha384, "HS512": hashlib.sha512}[algorithm]).digest()
        if algorithm == "EdDSA":
            return self.private.sign(data)
        if algorithm == "ES256":
            r, s = utils.decode_dss_signature(self.private.sign(data, ec.ECDSA(hashes.SHA256())))
            return r.to_bytes(32, "big") + s.to_bytes(32, "big")
        if algorithm.startswith("PS"):
            return self.private.sign(data, padding.PSS(padding.MGF1(hashes.SHA256()), 32), hashes.SHA256())
        return self.private.sign(data, padding.PKCS1v15(), hashes.SHA256())


def make_keys():
    keys = [Key(name, "ES256", ec.generate_private_key(ec.SECP256R1()))
            for name in ("es256-a", "es256-old", "es256-new-after-start", "attacker-es256")]
    keys += [Key(name, "RS256", rsa.generate_private_key(65537, bits))
             for name, bits in (("rs256-a", 2048), ("attacker-rs256", 2048), ("rs-1024", 1024))]
    keys.append(Key("eddsa-a", "EdDSA", ed25519.Ed25519PrivateKey.generate()))
    keys.append(Key("hs-a", "HS256", secret=secrets.token_hex(32).encode()))
    return {key.name: key for key in keys}


class Mint:
    """Tokens of one tenant's user."""

    def __init__(self, keys, issuer, audience, tenant, other_tenant, user, session):
        self.keys, self.audience, self.issuer = keys, audience, issuer
        self.words = {"ISS": issuer, "AUD": audience, "SUB": user, "TENANT_A": tenant, "TENANT_B": other_tenant, "SID": session,
                      "JTI": secrets.token_hex(8)}

    def claims(self):
        now = int(time.time())
        return {"iss": self.issuer, "aud": self.audience, "sub": self.words["SUB"], "tenant_id": self.words["TENANT_A"],
                "role": "security_guard", "iat": now, "nbf": now, "exp": now + 600, "jti": secrets.token_hex(8), "sid": self.words["SID"]}

    def fill(self, text):
        now = int(time.time())
        for word, value in {**self.words, "NOW+600": now + 600, "NOW": now}.items():
            text = text.replace("{" + word + "}", str(value))
        return text

    def claims_text(self, given):
        if "claims_text" in given:
            return self.fill(given["claims_text"])
        claims, now, raw = self.claims(), time.time(), {}
        for name, value in given.get("claims", {}).items():
            if value is None:
                claims.pop(name, None)
                continue
            if isinstance(value, dict) and "repeat" in value:
                value = value["repeat"] * value["times"]
            elif isinstance(value, str) and value.startswith("$raw:"):
                raw[name] = value[5:]
                value = f"@{name}@"
            elif isinstance(value, str) and value.strip('"').startswith("$now"):
                sum_ = int(now) + float(value.strip('"')[4:] or 0)
                sum_ = int(sum_) if sum_ == int(sum_) else sum_
                value = str(sum_) if value.startswith('"') else sum_
            elif isinstance(value, (str, list)):
                value = json.loads(self.fill(json.dumps(value)))
            claims[name] = value
        text = json.dumps(claims)
        for name, value in raw.items():
            text = text.replace(f'"@{name}@"', value)
        return text

    def signing_key(self, key):
        """A key for what stands in the case; None where nothing is signed."""
        if isinstance(key, str):
            return self.keys[key]
        if key and "hmac_secret" in key:
            return Key("hmac", "HS256", secret=key["hmac_secret"].encode())
        if key:
            public = self.keys[key["hmac_with_public_key_of"]]
            return Key("hmac", "HS256", secret=public.pem() if key["encoding"] == "pem" else json.dumps(public.public_jwk()).encode())
        return None

    def header_text(self, given, key):
        if "header_text" in given:
            return self.fill(given["header_text"])
        header = given.get("header")
        if header is None:
            return json.dumps({"alg": key.algorithm, "kid": key.name, "typ": "JWT"} if key.name in self.keys and not key.secret
                              else {"alg": key.algorithm, "typ": "JWT"})
        header = dict(header)
        for name, value in header.items():
            if isinstance(value, str) and value.startswith("@public:"):
                header[name] = self.keys[value[8:]].public_jwk()
            elif isinstance(value, str) and value.startswith("@"):
                header[name] = value[1:]
            elif value == "random-per-request":
                header[name] = secrets.token_hex(12)
        return json.dumps(header)

    def token(self, given):
        if isinstance(given.get("raw"), dict):
            return given["raw"]["repeat"] * given["raw"]["times"]
        if "raw_jwe" in given:
            key, iv = os.urandom(32), os.urandom(12)
            head = b64(json.dumps(given["raw_jwe"]))
            sealed = AESGCM(key).encrypt(iv, json.dumps(self.claims()).encode(), head.encode())
            return ".".join((head, "", b64(iv), b64(sealed[:-16]), b64(sealed[-16:])))
        key = self.signing_key(given["key"])
        while True:
            signed = b64(self.header_text(given, key)) + "." + b64(self.claims_text(given))
            signature = key.sign(signed, given.get("sign_as")) if key else b""
            if "require" in given and signature[0] != 0 and signature[32] != 0:
                continue
            return self.mutated(signed, signature, given.get("mutate", []))

    @staticmethod
    def mutated(signed, signature, mutations):
        text = None
        for change in mutations:
            kind = change["op"]
            if kind == "signature":
                signature = b"" if change["value"] == "empty" else signature[:change["n"]]
            elif kind == "signature_bytes":
                signature = bytes.fromhex(change["hex"])
            elif kind == "der":
                signature = utils.encode_dss_signature(int.from_bytes(signature[:32], "big"), int.from_bytes(signature[32:], "big"))
            elif kind == "trailing_bits":
                encoded = b64(signature)
                text = encoded[:-1] + ALPHABET[ALPHABET.index(encoded[-1]) + 1]
            elif kind == "pad":
                text = b64(signature) + "=" * (-len(b64(signature)) % 4 or 2)
            elif kind == "insert":
                encoded = b64(signature)
                text = encoded[:change["at"]] + change["text"] + encoded[change["at"]:]
            else:
                raise AssertionError(f"no such change: {kind}")
        return signed + "." + (b64(signature) if text is None else text)
