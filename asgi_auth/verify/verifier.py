"""Verifies the access tokens of an issuer in another service (RFC 9068, section 4; RFC 8725)."""

import ssl
import time
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from asgi_auth.crypto.jwk import verifier_of
from asgi_auth.crypto.keys import ALGORITHMS
from asgi_auth.errors import InvalidTokenError, TokenExpiredError
from asgi_auth.model.frozen import frozen
from asgi_auth.model.records import User
from asgi_auth.outgoing import Outgoing
from asgi_auth.runtime.attach import check_packages
from asgi_auth.sessions.identity import Identity
from asgi_auth.sessions.source import UNDECLARED, Source
from asgi_auth.sessions.token_text import Parts, parts_of
from asgi_auth.sessions.tokens import ACT, Claims
from asgi_auth.sources.kinds import checks_options
from asgi_auth.verify.remote_keys import RemoteKeys

#: What the header of an access token has, and nothing else.
HEADER = frozenset({"alg", "kid", "typ"})


class Verifier:
    """Reads the access tokens that an `Auth` with the feature `Issuer` makes, by its public keys.

    `issuer` is its `Settings.issuer`, and `audience` its `Settings.audience`. A token is accepted until it expires,
    also when its session has ended: ask `POST /introspect` where that matters. Tokens of sessions in which an
    administrator acts for a user are refused, as their end could not be seen; `actors=True` accepts them. Needs the
    extras `http` and `asymmetric`.
    """

    @checks_options
    def __init__(
        self,
        issuer: str,
        audience: str,
        *,
        jwks_url: str | None = None,
        leeway: int = 30,
        actors: bool = False,
        development: bool = False,
        verify: ssl.SSLContext | None = None,
        now: Callable[[], float] = time.time,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the issuer. The keys are at `<issuer>/.well-known/jwks.json`, or at `jwks_url`.

        `development` allows `http` to this machine; `verify` names the certificate authorities; `now` and `clock` are
        for tests. Raises ValueError for a URL that is not https, and without the packages of the extras.
        """
        check_packages("Verifier", {"httpx2": "http", "cryptography": "asymmetric"})
        if not audience or not 0 <= leeway <= 60:
            raise ValueError("a Verifier needs an audience, and a leeway of 0 to 60 seconds")
        self._outgoing = Outgoing(development=development, verify=verify)
        self._keys = RemoteKeys(
            self._outgoing.check(jwks_url or f"{issuer.rstrip('/')}/.well-known/jwks.json"), self._outgoing, clock
        )
        self._issuer = self._outgoing.check(issuer)
        self._audience = audience
        self._leeway = leeway
        self._actors = actors
        self._now = now
        self._source = Source(_no_user, now, UNDECLARED, lambda: None)

    async def authenticate(self, token: str) -> Identity:
        """Return the identity that a token proves, with the roles and claims of the token.

        Raises InvalidTokenError, TokenExpiredError, or ProviderUnavailableError while no keys could be fetched.
        """
        parts = parts_of(token)
        kid, algorithm = _header(parts)
        key = await self._keys.find(kid)
        if key is None or key.algorithm != algorithm or not parts.is_verified_by(verifier_of(key)):
            raise InvalidTokenError
        claims, raw = parts.claims(Claims)
        self._check(claims, raw)
        return Identity(claims, MappingProxyType(frozen(raw)), claims.roles, "bearer", self._source)

    async def close(self) -> None:
        """Close the connections of the running event loop."""
        await self._keys.close()
        await self._outgoing.close()

    def _check(self, claims: Claims, raw: Mapping[str, Any]) -> None:
        now, earliest = self._now(), raw.get("nbf", 0)
        if claims.iss != self._issuer or claims.aud != self._audience or not claims.sub:
            raise InvalidTokenError
        if not isinstance(earliest, int) or max(claims.iat, earliest) > now + self._leeway:
            raise InvalidTokenError
        if not claims.iat <= claims.exp < 2**40 or (ACT in raw and not self._actors):
            raise InvalidTokenError
        if now >= claims.exp + self._leeway:
            raise TokenExpiredError


def _header(parts: Parts) -> tuple[str, str]:
    """Return key id and algorithm of a header that has exactly its three members. Raises InvalidTokenError."""
    header = parts.header_members()
    if header.keys() != HEADER or header["typ"] != "at+jwt" or header["alg"] not in ALGORITHMS[1:]:
        raise InvalidTokenError
    return header["kid"], header["alg"]


async def _no_user(_: str) -> User | None:
    """Return no user: this service has no accounts."""
    return None
