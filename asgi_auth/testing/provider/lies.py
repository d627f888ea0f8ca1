"""Lies of a provider: what it changes of an honest answer, and a list of those that a client must refuse."""

import math
import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from asgi_auth.testing.provider import forgeries
from asgi_auth.testing.provider.forgeries import Forge, honest

#: As a changed value: the name is left out.
ABSENT: Final = object()
#: Half of a surrogate pair: JSON can write it, and no encoding has it.
HALF: Final = "\ud800"
Changes = Mapping[str, Any]


def changed(honest_values: Mapping[str, Any], changes: Changes) -> dict[str, Any]:
    """Apply changes: a value replaces another, a function gets the honest value, and ABSENT leaves the name out."""
    result = dict(honest_values)
    for name, value in changes.items():
        result[name] = value(result.get(name)) if callable(value) else value
    return {name: value for name, value in result.items() if value is not ABSENT}


@dataclass(frozen=True)
class Lie:
    """What a provider changes. Each mapping has the names to change, as `changed` reads them.

    `claims` and `header` are those of the ID token, and `forge` makes it of them. `body` replaces all claims.
    `callback` has the parameters that the browser carries back, `tokens` the members of the token response, `user` the
    claims at the userinfo endpoint, and `metadata` the members of the discovery document.
    """

    claims: Changes = field(default_factory=dict)
    header: Changes = field(default_factory=dict)
    forge: Forge = honest
    body: Any = None
    callback: Changes = field(default_factory=dict)
    tokens: Changes = field(default_factory=dict)
    user: Changes = field(default_factory=dict)
    metadata: Changes = field(default_factory=dict)


def plus(seconds: float) -> Callable[[Any], Any]:
    """Return a change that moves a time."""
    return lambda value: value + seconds


def text(value: Any) -> str:
    """Change a value to its text."""
    return str(value)


ELSEWHERE = "https://elsewhere.example"
#: Lies about the signature of the ID token (RFC 7515, RFC 8725).
SIGNATURES = {
    "alg none": Lie(forge=forgeries.unsigned("none")),
    "alg none in other letters": Lie(forge=forgeries.unsigned("nOnE")),
    "alg none and a signature": Lie(header={"alg": "none"}),
    "no signature": Lie(forge=forgeries.stripped),
    "no alg": Lie(header={"alg": ABSENT}),
    "HS256 with the public key": Lie(forge=forgeries.hmac_of_public_key),
    "HS256 with the client secret": Lie(forge=forgeries.hmac_of_client_secret),
    "a foreign key with the same kid": Lie(forge=forgeries.foreign_key),
    "an unknown kid": Lie(header={"kid": "unknown"}, forge=forgeries.foreign_key),
    "a key in the header": Lie(forge=forgeries.key_in_header),
    "an address of keys in the header": Lie(header={"jku": f"{ELSEWHERE}/jwks"}, forge=forgeries.foreign_key),
    "another algorithm in the header": Lie(header={"alg": "RS512"}),
    "a critical header": Lie(header={"crit": ["x"], "x": True}),
    "a large header": Lie(header={"x": "x" * 100_000}),
    "changed claims": Lie(forge=forgeries.changed_claims),
    "no token at all": Lie(tokens={"id_token": "token"}),
    "a number as token": Lie(tokens={"id_token": 7}),
    "no ID token": Lie(tokens={"id_token": ABSENT}),
    "an object as error": Lie(tokens={"error": {}}),
    "a list as claims": Lie(body=[{"sub": "1"}]),
}
#: Lies in the claims of the ID token (OpenID Connect Core 1.0, 3.1.3.7).
CLAIMS = {
    "another iss": Lie(claims={"iss": ELSEWHERE}),
    "iss with one more slash": Lie(claims={"iss": lambda value: value + "/"}),
    "iss in capitals": Lie(claims={"iss": lambda value: value.upper()}),
    "a list as iss": Lie(claims={"iss": lambda value: [value]}),
    "no iss": Lie(claims={"iss": ABSENT}),
    "another aud": Lie(claims={"aud": "another"}),
    "two aud, no azp": Lie(claims={"aud": lambda value: [value, "another"], "azp": ABSENT}),
    "two aud, another azp": Lie(claims={"aud": lambda value: [value, "another"], "azp": "another"}),
    "one aud, another azp": Lie(claims={"azp": "another"}),
    "an empty list as aud": Lie(claims={"aud": []}),
    "aud that holds the client id": Lie(claims={"aud": lambda value: f"{value} another"}),
    "no aud": Lie(claims={"aud": ABSENT}),
    "expired": Lie(claims={"exp": plus(-7200)}),
    "exp as text": Lie(claims={"exp": text}),
    "exp as true": Lie(claims={"exp": True}),
    "exp as no number": Lie(claims={"exp": math.nan}),
    "exp without an end": Lie(claims={"exp": math.inf}),
    "no exp": Lie(claims={"exp": ABSENT}),
    "issued long ago": Lie(claims={"iat": plus(-7200)}),
    "issued in the future": Lie(claims={"iat": plus(7200)}),
    "iat as text": Lie(claims={"iat": text}),
    "iat as no number": Lie(claims={"iat": math.nan}),
    "no iat": Lie(claims={"iat": ABSENT}),
    "another nonce": Lie(claims={"nonce": secrets.token_urlsafe(32)}),
    "an empty nonce": Lie(claims={"nonce": ""}),
    "a list as nonce": Lie(claims={"nonce": lambda value: [value]}),
    "half a pair as nonce": Lie(claims={"nonce": HALF}),
    "no nonce": Lie(claims={"nonce": ABSENT}),
    "an empty sub": Lie(claims={"sub": ""}),
    "a number as sub": Lie(claims={"sub": 7}),
    "a long sub": Lie(claims={"sub": "x" * 256}),
    "no sub": Lie(claims={"sub": ABSENT}),
    "at_hash of another access token": Lie(claims={"at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}),
    "at_hash of half a pair": Lie(claims={"at_hash": HALF}),
}
#: Lies in what the browser carries back (RFC 6749, 4.1.2; RFC 9207).
CALLBACKS = {
    "no iss in the callback": Lie(callback={"iss": ABSENT}),
    "iss of another provider in the callback": Lie(callback={"iss": ELSEWHERE}),
    "another state": Lie(callback={"state": lambda value: value[:-1] + ("A" if value[-1] != "A" else "B")}),
    "no state": Lie(callback={"state": ABSENT}),
    "an unknown code": Lie(callback={"code": "unknown"}),
    "no code": Lie(callback={"code": ABSENT}),
}
#: Lies at the userinfo endpoint (OpenID Connect Core 1.0, 5.3.2), asked where the ID token lacks the claims.
USERS = {
    "userinfo with another sub": Lie(user={"sub": "another"}),
    "userinfo without sub": Lie(user={"sub": ABSENT}),
}
#: Lies in the metadata (OpenID Connect Discovery 1.0, 4.3).
METADATA = {
    "metadata of another issuer": Lie(metadata={"issuer": ELSEWHERE}),
    "metadata without an issuer": Lie(metadata={"issuer": ABSENT}),
    "metadata without a token endpoint": Lie(metadata={"token_endpoint": ABSENT}),
    "metadata without keys": Lie(metadata={"jwks_uri": ABSENT}),
    "a token endpoint without TLS": Lie(metadata={"token_endpoint": "http://elsewhere.example/token"}),
    "a file as keys": Lie(metadata={"jwks_uri": "file:///etc/passwd"}),
    "an empty text as keys": Lie(metadata={"jwks_uri": ""}),
    "an empty text as authorization endpoint": Lie(metadata={"authorization_endpoint": ""}),
    "a list as token endpoint": Lie(metadata={"token_endpoint": []}),
    "a script as authorization endpoint": Lie(metadata={"authorization_endpoint": "javascript:alert(1)"}),
}
#: All of them, by name.
LIES = SIGNATURES | CLAIMS | CALLBACKS | USERS | METADATA
