"""Access tokens (JWT, RFC 9068) and refresh tokens (derived from session and generation, never stored)."""

import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

import jwt
import msgspec
from jwt.utils import base64url_encode

from asgi_auth.crypto.jwk import verifier_of
from asgi_auth.crypto.keys import KeyRing, SigningKey
from asgi_auth.errors import InvalidTokenError, TokenExpiredError
from asgi_auth.model.records import Session, is_id
from asgi_auth.sessions.token_text import MAX_NESTED, MAX_TOKEN, is_nested, parts_of
from asgi_auth.settings import Settings

REFRESH = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(0|[1-9][0-9]{0,8})\.[A-Za-z0-9_-]{43}")
RESERVED = frozenset(
    {"iss", "aud", "sub", "sid", "jti", "iat", "exp", "nbf", "amr", "auth_time", "roles", "gen", "ins", "act"}
)


#: The claim with the user who acts for the subject (RFC 8693, 4.1), and the member of `Session.data` behind it.
ACT, ACTOR = "act", "actor"


class Claims(msgspec.Struct, frozen=True):
    """The claims of every access token that the library issues (RFC 9068, section 2.2).

    `gen` is the number of refreshes of the session before the token. `ins` names the installation in tokens that a
    configured signing key signs; other tokens have a key of their installation.
    """

    iss: str
    aud: str
    sub: str
    sid: str
    jti: str
    iat: int
    exp: int
    auth_time: int
    amr: tuple[str, ...]
    roles: tuple[str, ...]
    gen: int
    ins: str = ""


class _Use(NamedTuple):
    """A list of keys in use: how the first one signs, and how each verifies."""

    keys: list[SigningKey]
    header: str
    sign: Callable[[bytes], bytes]
    verifiers: dict[str, Callable[[bytes, bytes], bool]]
    binding: str


class AccessTokens:
    """Makes and reads access tokens. Reading accepts only the exact bytes that `make` can produce."""

    def __init__(
        self, settings: Settings, keys: KeyRing, now: Callable[[], float], is_user_id: Callable[[str], bool]
    ) -> None:
        """Take the keys, which are known after the start; `is_user_id` tells whether a text has the shape of an id."""
        self._settings = settings
        self._now = now
        self._is_user_id = is_user_id
        self._keys = keys
        self._use: _Use | None = None

    def make(
        self,
        session: Session,
        roles: tuple[str, ...],
        custom: Mapping[str, Any],
        *,
        issuer: str | None = None,
        audience: str | None = None,
        ttl: int | None = None,
        client: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[str, int]:
        """Sign a token for a session; return the token and its lifetime in seconds.

        A token of a `client` that the user has let in has the claims `client_id` and `scope` of RFC 9068, and issuer,
        audience and lifetime of its own.
        """
        use = self._use_keys()
        now = int(self._now())
        actor = session.data.get(ACTOR)
        # A session in which another user acts has no refresh token. Its token is checked in the database each time.
        expires = session.expires_at if actor else min(now + (ttl or self._settings.access_ttl), session.expires_at)
        self._check_given(session, custom)
        claims = {
            "iss": issuer or self._settings.issuer,
            "aud": audience or self._settings.audience,
            "sub": session.user_id,
            "sid": session.id,
            "jti": secrets.token_urlsafe(12),
            "iat": now,
            "exp": expires,
            "auth_time": session.auth_time,
            "amr": session.amr,
            "roles": roles,
            "gen": session.generation,
            **({"ins": use.binding} if use.binding else {}),
            **({ACT: {"sub": actor["id"], "sid": actor["session"]}} if actor else {}),
            **custom,
            **client,
        }
        return _signed(use, claims), expires - now

    def _check_given(self, session: Session, custom: Mapping[str, Any]) -> None:
        if taken := RESERVED.intersection(custom):
            raise ValueError(f"these claims are reserved: {', '.join(sorted(taken))}")
        if not self._is_user_id(session.user_id):
            raise ValueError(f"{session.user_id!r} is not the id of a user; the library's own table needs UUIDs")

    def read(self, token: str, audience: str | None = None, issuer: str | None = None) -> tuple[Claims, dict[str, Any]]:
        """Verify a token and return its claims, typed and raw (RFC 8725; RFC 9068, section 4).

        It must be for the `audience` and by the `issuer`, by default those of the settings.
        Raises InvalidTokenError, or TokenExpiredError for a genuine token that has expired.
        """
        parts = parts_of(token)
        verify = self._use_keys().verifiers.get(parts.header)
        if verify is None and self._keys.reload():
            # Another process signs with a key that is new in the file.
            verify = self._use_keys().verifiers.get(parts.header)
        if verify is None or not parts.is_verified_by(verify):
            raise InvalidTokenError
        claims, raw = parts.claims(Claims)
        if "nbf" in raw:
            raise InvalidTokenError
        self._check_claims(claims, audience or self._settings.audience, issuer or self._settings.issuer)
        return claims, raw

    def _use_keys(self) -> "_Use":
        """Encode the header of each key, once for a list of keys: tokens of the key must have exactly this header."""
        keys, use = self._keys.signing, self._use
        if use is None or keys is not use.keys:
            # In one piece, because another thread may make a token meanwhile.
            use = self._use = _Use(
                keys,
                _header_segment(keys[0]),
                _signer(keys[0]),
                {_header_segment(key): verifier_of(key) for key in keys},
                self._keys.token_binding,
            )
        return use

    def _check_claims(self, claims: Claims, audience: str, issuer: str) -> None:
        now, settings = self._now(), self._settings
        if claims.iss != issuer or claims.aud != audience or claims.ins != self._keys.token_binding:
            raise InvalidTokenError
        if not self._is_user_id(claims.sub) or not is_id(claims.sid) or not 0 <= claims.gen < 2**40:
            raise InvalidTokenError
        if claims.iat > now + settings.leeway or not claims.iat <= claims.exp < 2**40:
            raise InvalidTokenError
        if now >= claims.exp + settings.leeway:
            raise TokenExpiredError


def _signed(use: _Use, claims: dict[str, Any]) -> str:
    """Sign claims with the first key."""
    payload = msgspec.json.encode(claims)
    if is_nested(payload):
        raise ValueError(f"the claims have over {MAX_NESTED} lists and objects; add fewer")
    signed = f"{use.header}.{base64url_encode(payload).decode()}"
    token = f"{signed}.{base64url_encode(use.sign(signed.encode())).decode()}"
    if len(token) > MAX_TOKEN:
        raise ValueError(f"the access token is over {MAX_TOKEN} bytes; add fewer claims")
    return token


#: What the keys of refresh tokens are for: those of users, and those of clients.
PURPOSES = ("refresh token", "refresh token of a client")


class RefreshTokens:
    """Makes and reads refresh tokens: session id, generation, and a MAC over both. Forged tokens need no query.

    With `grant`, they are those of clients, whose MACs have a key of their own.
    """

    def __init__(self, keys: KeyRing) -> None:
        """Take the keys: the newest makes tokens, all keys verify."""
        self._keys = keys

    def make(self, session_id: str, generation: int, *, grant: bool = False) -> str:
        """Make the token of a generation. The same arguments always give the same token."""
        return _refresh_text(self._keys.derived(PURPOSES[grant])[0], session_id, generation)

    def read(self, token: str, *, grant: bool = False) -> tuple[str, int]:
        """Return session id and generation of a genuine token; raise InvalidTokenError for all others."""
        match = REFRESH.fullmatch(token)
        if match is None:
            raise InvalidTokenError
        session_id, generation = match[1], int(match[2])
        for key in self._keys.derived(PURPOSES[grant]):
            if hmac.compare_digest(_refresh_text(key, session_id, generation), token):
                return session_id, generation
        raise InvalidTokenError


def _refresh_text(key: bytes, session_id: str, generation: int) -> str:
    body = f"{session_id}.{generation}"
    mac = hmac.digest(key, body.encode(), "sha256")
    return f"{body}.{base64url_encode(mac).decode()}"


def _header_segment(key: SigningKey) -> str:
    """Encode the token header of a key, byte for byte as PyJWT does."""
    if key.private is not None:
        return jwt.PyJWS().encode(b"", key.private, key.algorithm, headers=key.header).partition(".")[0]
    text = msgspec.json.encode(dict(sorted(key.header.items())))
    return base64url_encode(text).decode()


def _signer(key: SigningKey) -> Callable[[bytes], bytes]:
    """Bind PyJWT's algorithm to the key; its own `encode` would encode the header again for each token."""
    algorithm = jwt.get_algorithm_by_name(key.algorithm)
    prepared = algorithm.prepare_key(key.private)
    return lambda signed: algorithm.sign(signed, prepared)
