"""Access tokens (JWT, RFC 9068) and refresh tokens (derived from session and generation, never stored)."""

import hmac
import re
import secrets
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

import jwt
import msgspec
from jwt.utils import base64url_decode, base64url_encode

from asgi_auth.crypto.keys import KeyRing, SigningKey
from asgi_auth.errors import InvalidTokenError, TokenExpiredError
from asgi_auth.model.records import Session, is_id
from asgi_auth.settings import Settings

MAX_TOKEN = 8192
MAX_NESTED = 256
COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
REFRESH = re.compile(r"([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})\.(0|[1-9][0-9]{0,8})\.[A-Za-z0-9_-]{43}")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
CANONICAL_ENDS = (ALPHABET, "", ALPHABET[::16], ALPHABET[::4])
OBJECT = msgspec.json.Decoder(dict[str, Any])
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
        self._signing: list[SigningKey] = []

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
        self._use_keys()
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
            **({"ins": self._binding} if self._binding else {}),
            **({ACT: {"sub": actor["id"], "sid": actor["session"]}} if actor else {}),
            **custom,
            **client,
        }
        return self._signed(claims), expires - now

    def _check_given(self, session: Session, custom: Mapping[str, Any]) -> None:
        if taken := RESERVED.intersection(custom):
            raise ValueError(f"these claims are reserved: {', '.join(sorted(taken))}")
        if not self._is_user_id(session.user_id):
            raise ValueError(f"{session.user_id!r} is not the id of a user; the library's own table needs UUIDs")

    def _signed(self, claims: dict[str, Any]) -> str:
        payload = msgspec.json.encode(claims)
        if _is_nested(payload):
            raise ValueError(f"the claims have over {MAX_NESTED} lists and objects; add fewer")
        signed = f"{self._header}.{base64url_encode(payload).decode()}"
        token = f"{signed}.{base64url_encode(self._sign(signed.encode())).decode()}"
        if len(token) > MAX_TOKEN:
            raise ValueError(f"the access token is over {MAX_TOKEN} bytes; add fewer claims")
        return token

    def read(self, token: str, audience: str | None = None, issuer: str | None = None) -> tuple[Claims, dict[str, Any]]:
        """Verify a token and return its claims, typed and raw (RFC 8725; RFC 9068, section 4).

        It must be for the `audience` and by the `issuer`, by default those of the settings.
        Raises InvalidTokenError, or TokenExpiredError for a genuine token that has expired.
        """
        if len(token) > MAX_TOKEN or COMPACT.fullmatch(token) is None:
            raise InvalidTokenError
        signed, _, signature = token.rpartition(".")
        header, _, body = signed.partition(".")
        self._use_keys()
        verify = self._verifiers.get(header)
        if verify is None or not (_is_canonical(body) and _is_canonical(signature)):
            raise InvalidTokenError
        try:
            if not verify(signed.encode(), base64url_decode(signature)):
                raise InvalidTokenError
            payload = base64url_decode(body)
            if _is_nested(payload):
                raise InvalidTokenError
            raw = OBJECT.decode(payload)
            claims = msgspec.convert(raw, Claims)
        except (ValueError, msgspec.MsgspecError):
            raise InvalidTokenError from None
        if msgspec.json.encode(raw) != payload or "nbf" in raw:
            raise InvalidTokenError
        self._check_claims(claims, audience or self._settings.audience, issuer or self._settings.issuer)
        return claims, raw

    def _use_keys(self) -> None:
        """Encode the header of each key, once for an installation: tokens of the key must have exactly this header."""
        keys = self._keys.signing
        if keys is not self._signing:
            self._header = _header_segment(keys[0])
            self._sign = _signer(keys[0])
            self._verifiers = {_header_segment(key): _verifier(key) for key in keys}
            self._signing = keys
            self._binding = self._keys.token_binding

    def _check_claims(self, claims: Claims, audience: str, issuer: str) -> None:
        now, settings = self._now(), self._settings
        if claims.iss != issuer or claims.aud != audience or claims.ins != self._binding:
            raise InvalidTokenError
        if not self._is_user_id(claims.sub) or not is_id(claims.sid) or not 0 <= claims.gen < 2**40:
            raise InvalidTokenError
        if claims.iat > now + settings.leeway or not claims.iat <= claims.exp < 2**40:
            raise InvalidTokenError
        if now >= claims.exp + settings.leeway:
            raise TokenExpiredError


class RefreshTokens:
    """Makes and reads refresh tokens: session id, generation, and a MAC over both. Forged tokens need no query."""

    def __init__(self, keys: KeyRing) -> None:
        """Take the keys: the newest makes tokens, all keys verify."""
        self._keys = keys

    def make(self, session_id: str, generation: int) -> str:
        """Make the token of a generation. The same arguments always give the same token."""
        return _refresh_text(self._keys.derived("refresh token")[0], session_id, generation)

    def read(self, token: str) -> tuple[str, int]:
        """Return session id and generation of a genuine token; raise InvalidTokenError for all others."""
        match = REFRESH.fullmatch(token)
        if match is None:
            raise InvalidTokenError
        session_id, generation = match[1], int(match[2])
        for key in self._keys.derived("refresh token"):
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


def _verifier(key: SigningKey) -> Callable[[bytes, bytes], bool]:
    """Bind PyJWT's algorithm to the one key that may use it."""
    algorithm = jwt.get_algorithm_by_name(key.algorithm)
    prepared = algorithm.prepare_key(key.public)
    return lambda signed, signature: algorithm.verify(signed, prepared, signature)


def _is_canonical(segment: str) -> bool:
    """Tell whether a base64url text is canonical: unused bits are zero (RFC 4648, 3.5)."""
    return segment[-1] in CANONICAL_ENDS[len(segment) % 4]


def _is_nested(payload: bytes) -> bool:
    """Tell whether a payload may nest too deeply: the limit of parsers depends on the Python version."""
    return payload.count(b"[") + payload.count(b"{") > MAX_NESTED
