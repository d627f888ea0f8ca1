"""From an access token to an identity: the hot path. A token seen before costs a look-up, and no query."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from asgi_auth.errors import TokenExpiredError, TokenRevokedError
from asgi_auth.sessions.identity import Identity, Transport
from asgi_auth.sessions.tokens import Claims

if TYPE_CHECKING:
    from asgi_auth.auth import Auth


class TokenVerifier:
    """Verifies tokens once, remembers a bounded number, and judges expiry and revocation at every use."""

    def __init__(self, auth: "Auth") -> None:
        """Belong to an `Auth`."""
        self._auth = auth
        self._now = auth.now
        self._load = auth.users.find
        self._leeway = auth.settings.leeway
        self._size = auth.settings.token_cache
        self._tokens = auth.access_tokens
        self._revocation = auth.revocation
        self._seen: dict[str, tuple[Claims, Mapping[str, Any]]] = {}

    def cached(self, token: str, transport: Transport) -> Identity | None:
        """Recognise a token seen before, without a query; None when it must be looked at more closely."""
        seen = self._seen.get(token)
        if seen is None or not self._revocation.is_fresh():
            return None
        claims, raw = seen
        if claims.sid in self._revocation.dead or self._now() >= claims.exp + self._leeway:
            return None
        roles = self._revocation.roles.get(claims.sub, claims.roles)
        return Identity(claims, raw, roles, transport, self._load, self._now)

    async def verify(self, token: str, transport: Transport) -> Identity:
        """Return who the token speaks for; raises InvalidTokenError and those below it."""
        claims, raw = self._seen.get(token) or self._verify(token)
        if self._now() >= claims.exp + self._leeway:
            raise TokenExpiredError
        if self._revocation.is_fresh():
            if claims.sid in self._revocation.dead:
                raise TokenRevokedError
            roles = self._revocation.roles.get(claims.sub, claims.roles)
        else:
            roles = await self._ask(claims)
        return Identity(claims, raw, roles, transport, self._load, self._now)

    def forget(self) -> None:
        """Forget every token; the next use of each verifies it again."""
        self._seen.clear()

    def _verify(self, token: str) -> tuple[Claims, Mapping[str, Any]]:
        claims, raw = self._tokens.read(token)
        make_room(self._seen, self._size)
        entry = self._seen[token] = (claims, MappingProxyType(raw))
        return entry

    async def _ask(self, claims: Claims) -> tuple[str, ...]:
        """Ask the database for this session."""
        access = await self._auth.storage.access(claims.sid, int(self._now()))
        if access is None or not access.alive:
            raise TokenRevokedError
        return access.roles


def make_room(memory: dict[Any, Any], size: int) -> None:
    """Drop an eighth of what is remembered when there is as much as `size`, the oldest first."""
    if len(memory) >= size:
        # A list, as other threads may add meanwhile.
        for old in list(memory)[: size // 8 + 1]:
            memory.pop(old, None)
