"""From an access token to an identity: the hot path. A cached token costs a lookup, and no query."""

from collections.abc import Collection, Mapping
from time import monotonic
from types import MappingProxyType
from typing import Any, TypeAlias

from asgi_auth.bounds.replica import reading_replica
from asgi_auth.errors import InvalidTokenError, TokenExpiredError, TokenRevokedError
from asgi_auth.model.frozen import frozen
from asgi_auth.sessions.acting import ended, limited_by_actor
from asgi_auth.sessions.ended import Key, key_of
from asgi_auth.sessions.generations import UsedGenerations
from asgi_auth.sessions.identity import CLIENT, SESSION, Identity, Transport
from asgi_auth.sessions.resources import ProtectedResource
from asgi_auth.sessions.revocation import Revocation
from asgi_auth.sessions.source import Source
from asgi_auth.sessions.tokens import ACT, AccessTokens, Claims
from asgi_auth.settings import Settings
from asgi_auth.storage import Storage

#: The claims of a token, typed and raw, the key of its session, and the table that has it when the session has ended.
Entry: TypeAlias = tuple[Claims, Mapping[str, Any], Key, Mapping[Key, int]]


class TokenVerifier:
    """Verifies tokens once, caches a bounded number, and checks expiry and revocation at every use."""

    def __init__(  # noqa: PLR0917 (each is a collaborator)
        self,
        access_tokens: AccessTokens,
        revocation: Revocation,
        storage: Storage,
        settings: Settings,
        source: Source,
        used: UsedGenerations,
    ) -> None:
        """Take the verifier's sources; `source` is that of its identities, `used` records what clients have."""
        self._tokens = access_tokens
        self._revocation = revocation
        self._storage = storage
        self._leeway = settings.leeway
        self._is_strict = settings.revocation == "strict"
        self._size = settings.token_cache
        self._source = source
        self._now = source.now
        self._used = used
        self._cache: dict[str, Entry] = {}
        #: The same for the tokens of clients, by audience and token: none of them is among those of the service itself.
        self._of_clients: dict[tuple[str, str], Entry] = {}
        revocation.on_lowered.append(self._drop)
        revocation.on_swept.append(self.forget)

    def cached(self, token: str, transport: Transport) -> Identity | None:
        """Return the identity of a cached token, without a query; None when the token must be verified."""
        entry, revocation = self._cache.get(token), self._revocation
        if entry is None or monotonic() > revocation.fresh_until:
            return None
        claims, raw, key, ended_ones = entry
        if key in ended_ones or self._now() >= claims.exp + self._leeway:
            return None
        return Identity(claims, raw, revocation.roles.get(claims.sub, claims.roles), transport, self._source)

    def cached_client(self, token: str, resource: ProtectedResource) -> Identity | None:
        """Return the identity of a client's cached token for a resource, without a query, as `cached` does."""
        entry, revocation = self._of_clients.get((resource.url, token)), self._revocation
        if entry is None or monotonic() > revocation.fresh_until:
            return None
        claims, raw, key, ended_ones = entry
        if key in ended_ones or self._now() >= claims.exp + self._leeway:
            return None
        return self._client_of(claims, raw)

    async def verify_client(self, token: str, resource: ProtectedResource) -> Identity:
        """Return the identity of the client whose token for a resource this is. Raises what `verify` raises."""
        claims, raw, *_ = self._of_clients.get((resource.url, token)) or self._read(token, resource)
        identity = await self._judged(claims, raw, self._client_of(claims, raw))
        await self._used.add(claims.sid, claims.gen)
        return identity

    def _client_of(self, claims: Claims, raw: Mapping[str, Any]) -> Identity:
        """Make the identity of a client: it has no roles, and those of its user limit its scopes."""
        return Identity.of_client(claims, raw, self._revocation.roles.get(claims.sub), self._source)

    async def verify(self, token: str, transport: Transport) -> Identity:
        """Return the identity that the token of a client proves; raises InvalidTokenError and its subclasses.

        Records that the client has this generation of tokens.
        """
        claims, raw, *_ = self._cache.get(token) or self._read(token)
        identity = await self._identity(claims, raw, transport)
        await self._used.add(claims.sid, claims.gen)
        return identity

    async def verify_now(self, token: str, resource: ProtectedResource | None = None) -> Identity:
        """Return the identity of a token that a client has shown to another service, as the database knows it now.

        With a `resource`, the token must be that of a client for it. Raises InvalidTokenError and its subclasses; here
        a token ends at the second.
        """
        claims, raw = self._tokens.read(token, *_about(resource))
        if self._now() >= claims.exp:
            raise TokenExpiredError
        seen = MappingProxyType(raw)
        if resource is None:
            shown = Identity(claims, seen, claims.roles, "bearer", self._source)
        else:
            shown = Identity.of_client(claims, seen, None, self._source)
        identity = await self.confirm(shown)
        await self._used.add(identity.session_id, claims.gen)
        return identity

    async def verify_issued(self, token: str, transport: Transport) -> Identity:
        """Return the identity of a token that was just made, and may never reach the client."""
        claims, raw, *_ = self._read(token)
        return await self._identity(claims, raw, transport)

    async def _identity(self, claims: Claims, raw: Mapping[str, Any], transport: Transport) -> Identity:
        roles = self._revocation.roles.get(claims.sub, claims.roles)
        return await self._judged(claims, raw, Identity(claims, raw, roles, transport, self._source))

    async def _judged(self, claims: Claims, raw: Mapping[str, Any], identity: Identity) -> Identity:
        now = self._now()
        if now >= claims.exp + self._leeway:
            raise TokenExpiredError
        if ACT in raw:
            return await self.confirm(identity)
        # The age of a token from the future is unknown, so that the database decides about it; and about one that may
        # name more methods than its session has.
        if self._revocation.is_fresh() and claims.iat <= now:
            dead, key = self._revocation.dead, key_of(claims.sid)
            if key in dead.table_of(key):
                raise TokenRevokedError
            if dead.is_doubtful(key):
                return await self._settled(identity)
            if claims.sid not in self._revocation.lowered:
                return identity
        return await self.confirm(identity)

    async def _settled(self, identity: Identity) -> Identity:
        """Ask the database for a session that may have ended with all others, and keep the answer."""
        dead = self._revocation.dead
        # Those that were known before the database is asked.
        sweeps = dead.sweeps
        try:
            current = await self.confirm(identity)
        except TokenRevokedError:
            dead.learn(identity.session_id, int(self._now()))
            raise
        dead.found_live(identity.session_id, sweeps)
        return current

    async def confirm(self, identity: Identity) -> Identity:
        """Return the identity with the current roles and methods, read from the database.

        Raises TokenRevokedError when the session or its user is not active any more, and StorageUnavailableError when
        the database cannot prove that it is the current one.
        """
        await self._revocation.database.require()
        if identity.kind not in {SESSION, CLIENT}:
            return await self._confirm_owner(identity)
        with reading_replica(allowed=self._is_strict and ACT not in identity.claims):
            access = await self._storage.access(identity.session_id, int(self._now()))
        if access is None or not access.alive:
            raise TokenRevokedError if identity.actor is None else ended()
        if access.user_id != identity.id:
            raise InvalidTokenError
        current = identity.as_of(access)
        if ACT not in identity.claims:
            return current
        return await limited_by_actor(current, self._storage, self._source.permissions, int(self._now()))

    async def _confirm_owner(self, identity: Identity) -> Identity:
        """Limit a credential without a session to what its user may do now."""
        user = await self._storage.user(identity.id)
        if user is None or user.status != "active":
            raise TokenRevokedError
        roles = tuple(role for role in identity.roles if role in user.roles)
        return identity.with_roles(roles).limited_to(self._source.permissions.of(user.roles))

    def forget(self) -> None:
        """Empty the cache; the next use of each token verifies it again."""
        self._cache.clear()
        self._of_clients.clear()

    def _read(self, token: str, resource: ProtectedResource | None = None) -> Entry:
        claims, raw = self._tokens.read(token, *_about(resource))
        cache: dict[Any, Entry] = self._cache if resource is None else self._of_clients
        name: Any = token if resource is None else (resource.url, token)
        fixed, key = MappingProxyType(frozen(raw)), key_of(claims.sid)
        entry = (claims, fixed, key, self._revocation.dead.table_of(key))
        # A token from the future is not cached, so that the fast path needs no look at `iat`; nor is one of an
        # impersonation.
        if claims.iat <= self._now() and ACT not in raw:
            make_room(cache, self._size)
            cache[name] = entry
        # Afterwards, because another thread may learn of it meanwhile: then one of the two drops the token.
        if claims.sid in self._revocation.lowered or claims.sid in self._revocation.dead:
            cache.pop(name, None)
        return entry

    def _drop(self, session_ids: Collection[str]) -> None:
        """Drop the tokens of sessions, so that the fast path needs no look at lowered ones."""
        dropped = set(session_ids)
        # A copy, because other threads may add entries meanwhile.
        caches: tuple[dict[Any, Entry], ...] = (self._cache, self._of_clients)
        for cache in caches:
            for name, (claims, *_) in list(cache.items()):
                if claims.sid in dropped:
                    cache.pop(name, None)


def _about(resource: ProtectedResource | None) -> tuple[str, ...]:
    """Return audience and issuer of the tokens of clients for a resource; nothing for those of users."""
    return () if resource is None else (resource.url, resource.issuer)


def make_room(cache: dict[Any, Any], size: int) -> None:
    """Drop the oldest eighth of a cache that has reached `size` entries."""
    if len(cache) >= size:
        # A copy, because other threads may add entries meanwhile.
        for old in list(cache)[: size // 8 + 1]:
            cache.pop(old, None)
