"""Forged access tokens: a forger with the key, other headers, and claims that the library never writes."""

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

from asgi_auth import Settings
from asgi_auth.crypto.keys import KeyRing
from tests.support import INSTALLATION, SECRET

ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
KEYS = KeyRing([SECRET.encode()], [], Settings.issuer, Settings.audience)
KEYS.bind(INSTALLATION)
KEY: bytes = KEYS.signing[0].private
HEADER = KEYS.signing[0].header


def encode(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def decode(segment: str) -> bytes:
    return base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4))


def compact(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode()


def forge(
    header: bytes | dict[str, Any], payload: bytes | dict[str, Any], key: bytes = KEY, digest: str = "sha256"
) -> str:
    """A token with a true MAC over whatever it is given."""
    parts = [item if isinstance(item, bytes) else compact(item) for item in (header, payload)]
    signed = ".".join(encode(part) for part in parts)
    return f"{signed}.{encode(hmac.new(key, signed.encode(), getattr(hashlib, digest)).digest())}"


HEADERS: dict[str, Any] = {
    "alg none": HEADER | {"alg": "none"},
    "alg None": HEADER | {"alg": "None"},
    "alg HS512": HEADER | {"alg": "HS512"},
    "alg RS256": HEADER | {"alg": "RS256"},
    "alg in lower case": HEADER | {"alg": "hs256"},
    "no alg": {"kid": HEADER["kid"], "typ": "at+jwt"},
    "typ JWT": HEADER | {"typ": "JWT"},
    "typ in upper case": HEADER | {"typ": "AT+JWT"},
    "no typ": {"alg": "HS256", "kid": HEADER["kid"]},
    "another kid": HEADER | {"kid": "000000000000"},
    "an empty kid": HEADER | {"kid": ""},
    "a path as kid": HEADER | {"kid": "../../dev/null"},
    "no kid": {"alg": "HS256", "typ": "at+jwt"},
    "crit": HEADER | {"crit": ["x"], "x": 1},
    "an empty crit": HEADER | {"crit": []},
    "b64 false": HEADER | {"b64": False, "crit": ["b64"]},
    "jwk": HEADER | {"jwk": {"kty": "oct", "k": encode(KEY)}},
    "jku": HEADER | {"jku": "https://evil.example/keys"},
    "x5u": HEADER | {"x5u": "https://evil.example/key"},
    "zip": HEADER | {"zip": "DEF"},
    "another order": dict(reversed(HEADER.items())),
    "white space": json.dumps(HEADER).encode(),
    "a doubled name": compact(HEADER)[:-1] + b',"alg":"HS256"}',
    "no JSON": b"{",
    "a list": b"[]",
}


CLAIMS: dict[str, Callable[[dict[str, Any]], Any]] = {
    "exp is a bool": lambda c: c | {"exp": True},
    "exp is huge": lambda c: c | {"exp": 2**40},
    "exp is enormous": lambda c: c | {"exp": 10**400},
    "exp is before iat": lambda c: c | {"exp": c["iat"] - 1},
    "iat is in the future": lambda c: c | {"iat": c["iat"] + 31},
    "nbf": lambda c: c | {"nbf": c["iat"]},
    "aud is a list": lambda c: c | {"aud": [c["aud"]]},
    "aud is the beginning of ours": lambda c: c | {"aud": c["aud"][:-1]},
    "aud is longer than ours": lambda c: c | {"aud": c["aud"] + "2"},
    "aud in upper case": lambda c: c | {"aud": c["aud"].upper()},
    "iss is the beginning of ours": lambda c: c | {"iss": c["iss"][:-1]},
    "iss with a slash": lambda c: c | {"iss": c["iss"] + "/"},
    "iss is empty": lambda c: c | {"iss": ""},
    "roles holds a number": lambda c: c | {"roles": [1]},
    "roles is an object": lambda c: c | {"roles": {"admin": True}},
    "sub is empty": lambda c: c | {"sub": ""},
    "sub is no id": lambda c: c | {"sub": "admin"},
    "sub is in upper case": lambda c: c | {"sub": c["sub"].upper()},
    "sub has no hyphens": lambda c: c | {"sub": c["sub"].replace("-", "")},
    "sub ends with a line": lambda c: c | {"sub": c["sub"] + "\n"},
    "sub is long": lambda c: c | {"sub": c["sub"] * 9},
    "sid is empty": lambda c: c | {"sid": ""},
    "sid is no id": lambda c: c | {"sid": "x"},
    "sid is in upper case": lambda c: c | {"sid": c["sid"].upper()},
    "gen is negative": lambda c: c | {"gen": -1},
    "a doubled claim": lambda c: compact(c)[:-1] + b',"sub":"another user"}',
    "white space": lambda c: json.dumps(c).encode(),
    "an escape that isn't needed": lambda c: compact(c).replace(b'"iss"', b'"\\u0069ss"'),
    "UTF-16": lambda c: compact(c).decode().encode("utf-16"),
    "a byte order mark": lambda c: b"\xef\xbb\xbf" + compact(c),
    "broken UTF-8": lambda c: compact(c | {"x": "?"}).replace(b"?", b"\xff"),
    "half a surrogate pair": lambda c: compact(c | {"x": "?"}).replace(b"?", b"\\ud800"),
    "NaN": lambda c: compact(c | {"x": 0}).replace(b":0}", b":NaN}"),
    "deep nesting": lambda c: compact(c)[:-1] + b',"x":' + b"[" * 2500 + b"]" * 2500 + b"}",
    "a list": lambda _: b"[]",
    "nothing": lambda _: b" ",
}  # fmt: skip
