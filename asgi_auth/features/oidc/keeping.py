"""The tokens of users at providers, kept for hosts that call the API of a provider for their users.

They are sealed by the vault, each set in a credential of its own, which opens nothing. One caller of all processes
refreshes a set, because a provider may end all tokens of a refresh token that comes twice (RFC 9700, section 4.14.2).
"""

import asyncio
import hashlib
from collections.abc import Mapping
from typing import Any, ClassVar
from weakref import WeakValueDictionary

import msgspec

from asgi_auth._per_loop import PerLoop
from asgi_auth.auth import Auth
from asgi_auth.crypto.vault import place_of
from asgi_auth.errors import NotFoundError, ProviderLoginNeededError, ProviderUnavailableError
from asgi_auth.feature import Credential, Record, new_id
from asgi_auth.features.oidc.connections import Connection, is_token
from asgi_auth.features.oidc.errors import ProviderRefusedError
from asgi_auth.features.oidc.profile import Profile
from asgi_auth.model.concealed import Concealed
from asgi_auth.model.records import KEPT
from asgi_auth.storage import Storage

KIND = KEPT + "oidc"
#: The longest life of an access token that is believed, in seconds.
LONGEST = 10**8
#: Seconds before its end in which an access token is refreshed.
MARGIN = 60
#: Seconds for which one caller alone refreshes: a request to a provider takes five at most.
LEASE = 10
#: A time after all changes.
FAR = 2**40
#: Seconds between two looks at a set that another process refreshes, and the number of looks.
PAUSE, LOOKS = 0.1, 60


class ProviderToken(Concealed, Record, frozen=True, kw_only=True):
    """A valid access token of a user at a provider; `expires_at` is in seconds since 1970, None where it is unknown."""

    concealed: ClassVar[frozenset[str]] = frozenset({"access_token"})

    access_token: str
    token_type: str = "Bearer"
    scope: str = ""
    expires_at: int | None = None


class Tokens(ProviderToken, frozen=True, kw_only=True):
    """The same with the refresh token, as it is sealed."""

    concealed: ClassVar[frozenset[str]] = frozenset({"access_token", "refresh_token"})

    refresh_token: str = ""

    @classmethod
    def of(cls, answer: Mapping[str, Any], now: float, refresh_token: str = "") -> "Tokens":
        """Read the answer of a token endpoint (RFC 6749, 5.1); `refresh_token` is the one to keep without a new one."""
        seconds, further, scope = answer.get("expires_in"), answer.get("refresh_token"), answer.get("scope")
        kind = answer.get("token_type")
        return cls(
            access_token=answer["access_token"],
            token_type=kind if isinstance(kind, str) and kind.isascii() and kind.isalpha() else "Bearer",
            scope=scope if isinstance(scope, str) else "",
            expires_at=int(now) + max(0, min(seconds, LONGEST)) if type(seconds) is int else None,
            refresh_token=further if is_token(further) else refresh_token,
        )

    def lives(self, now: float, margin: int) -> bool:
        """Tell whether the access token is valid for some more seconds."""
        return self.expires_at is None or now < self.expires_at - margin

    def shown(self) -> ProviderToken:
        """Return the access token alone."""
        found = {name: getattr(self, name) for name in ProviderToken.__struct_fields__}
        return ProviderToken(**found)


class KeptTokens:
    """Seals, stores and refreshes tokens. Without `keeps`, nothing is stored."""

    def __init__(self, auth: Auth, connections: Mapping[str, Connection], *, keeps: bool) -> None:
        """Take the connections to providers, by name."""
        self._auth = auth
        self._connections = connections
        self._keeps = keeps
        #: One lock for each set that is being refreshed in this process.
        self._locks: PerLoop[WeakValueDictionary[str, asyncio.Lock]] = PerLoop(lambda _: None)
        #: The versions of sets whose refresh has failed, and when.
        self._failed: dict[str, tuple[int, float]] = {}

    def sealed(self, profile: Profile, answer: Mapping[str, Any]) -> Profile:
        """Return a profile with the tokens of a login, sealed: it may wait in the database."""
        if not self._keeps:
            return profile
        raw = msgspec.json.encode(Tokens.of(answer, self._auth.now()))
        return msgspec.structs.replace(profile, tokens=self._auth.vault.seal(raw, _about(profile)))

    def credential(self, identity: Credential, profile: Profile, earlier: Tokens | None = None) -> Credential | None:
        """Return the credential that keeps the tokens of a login beside that of its account; None without tokens."""
        if not profile.tokens:
            return None
        tokens = msgspec.json.decode(self._auth.vault.open(profile.tokens, _about(profile)), type=Tokens)
        if earlier is not None and not tokens.refresh_token:
            # Some providers give one at the first consent only.
            tokens = msgspec.structs.replace(tokens, refresh_token=earlier.refresh_token)
        now = self._auth.now()
        made = Credential(
            id=new_id(now),
            user_id=identity.user_id,
            kind=KIND,
            identifier=identity.id,
            secret="",
            data={"provider": identity.data.get("provider", "")},
            created_at=int(now),
            updated_at=int(now),
        )
        return msgspec.structs.replace(made, secret=self._seal(made, tokens))

    async def keep(self, identity: Credential, profile: Profile) -> None:
        """Keep the tokens of a login with a linked account, in place of the earlier ones."""
        while (made := self.credential(identity, profile)) is not None:
            found = await self._auth.storage.find_credential(KIND, identity.id)
            if found is None:
                if await self._added(made, identity):
                    return
                continue
            newer = self.credential(identity, profile, self._opened(found[1]))
            tokens = self._opened(newer) if newer is not None else None
            if tokens is None or await self._replaced(found[1], tokens) is not None:
                return

    async def _added(self, made: Credential, identity: Credential) -> bool:
        """Add the first set, unless the account was unlinked or closed meanwhile; False if another login was faster."""
        async with self._auth.storage.transaction() as storage:
            # An unlink that waits for this lock deletes the set, and one that had it is seen.
            user = await storage.update_user(made.user_id, {}, made.updated_at)
            linked = await storage.find_credential(identity.kind, identity.identifier)
            is_gone = user is None or user.status == "closed" or linked is None or linked[1].id != identity.id
            return is_gone or await storage.add_credential(made)

    async def drop(self, storage: Storage, identity: Credential) -> None:
        """Delete the tokens of an account at a provider, in the transaction that unlinks it and has locked its user."""
        found = await storage.find_credential(KIND, identity.id)
        if found is not None:
            await storage.delete_credential(identity.user_id, found[1].id)

    async def access_token(self, user_id: str, provider: str) -> ProviderToken:
        """Return a valid access token, refreshed if it is about to expire."""
        row = await self._row(user_id, provider)
        tokens = self._opened(row)
        if tokens is not None and tokens.lives(self._auth.now(), MARGIN):
            return tokens.shown()
        locks = self._locks.get()
        locks = self._locks.set(WeakValueDictionary()) if locks is None else locks
        lock = locks.setdefault(row.id, asyncio.Lock())
        async with lock:
            return (await self._valid(await self._row(user_id, provider))).shown()

    async def _valid(self, row: Credential) -> Tokens:
        """Return tokens that live, from a set that this process alone looks at here."""
        now, tokens = self._auth.now(), self._opened(row)
        if tokens is None:
            raise ProviderLoginNeededError
        if tokens.lives(now, MARGIN):
            return tokens
        if not tokens.refresh_token:
            if tokens.lives(now, 0):
                return tokens
            raise ProviderLoginNeededError
        self._check_failed(row, now)
        # By the tokens, and not by the version of the row: the same ones may be sealed anew meanwhile.
        digest = hashlib.sha256(b"oidc refresh " + row.id.encode() + msgspec.json.encode(tokens)).hexdigest()
        if (await self._auth.storage.count(digest, await self._shared_now(), LEASE)).count != 1:
            return await self._of_another_process(row, tokens)
        return await self._refreshed(row, tokens)

    async def _shared_now(self) -> int:
        """Return the time of the database, since the clocks of processes differ.

        The processes of a database without a clock are on one machine, and share its clock.
        """
        shared = (await self._auth.storage.changes_since(FAR)).now
        return int(self._auth.now() if shared is None else shared)

    async def _refreshed(self, row: Credential, tokens: Tokens) -> Tokens:
        """Ask the provider for new tokens, and store them."""
        connection = self._connections[str(row.data["provider"])]
        try:
            answer = await connection.refresh(tokens.refresh_token)
        except ProviderRefusedError as refusal:
            if not refusal.ends_grant:
                raise self._failure(row, refusal.cause) from None
            # Not asked again: the user has to log in there.
            await self._stored(row, msgspec.structs.replace(tokens, refresh_token=""), tokens)
            raise ProviderLoginNeededError from None
        except ProviderUnavailableError as error:
            raise self._failure(row, error.reason) from error
        return await self._stored(row, Tokens.of(answer, self._auth.now(), tokens.refresh_token), tokens)

    async def _stored(self, row: Credential, tokens: Tokens, used: Tokens) -> Tokens:
        """Store new tokens, unless a login has stored others meanwhile; return those that are stored."""
        while await self._replaced(row, tokens) is None:
            found = await self._auth.storage.find_credential(KIND, row.identifier)
            current = self._opened(found[1]) if found is not None else None
            if found is None or current is None:
                raise NotFoundError
            if current != used:
                return current
            # The same tokens, sealed anew.
            row = found[1]
        return tokens

    async def _of_another_process(self, row: Credential, used: Tokens) -> Tokens:
        """Wait for the tokens that another process gets. Raises ProviderUnavailableError when none come."""
        for _ in range(LOOKS):
            await asyncio.sleep(PAUSE)
            found = await self._auth.storage.find_credential(KIND, row.identifier)
            if found is None:
                raise NotFoundError
            tokens = self._opened(found[1]) if found[1].version != row.version else None
            if tokens is not None and tokens != used:
                if tokens.lives(self._auth.now(), 0):
                    return tokens
                raise ProviderLoginNeededError
        raise ProviderUnavailableError("another process got no new tokens")

    def _failure(self, row: Credential, reason: str) -> ProviderUnavailableError:
        """Note that a refresh has failed, and return its error."""
        now = self._auth.now()
        self._failed = {key: each for key, each in self._failed.items() if abs(now - each[1]) < LEASE}
        self._failed[row.id] = (row.version, now)
        return ProviderUnavailableError(reason)

    def _check_failed(self, row: Credential, now: float) -> None:
        """Raise ProviderUnavailableError where the same refresh has just failed: callers do not queue up for it."""
        version, at = self._failed.get(row.id, (-1, 0.0))
        if version == row.version and abs(now - at) < LEASE:
            raise ProviderUnavailableError("the tokens could not be refreshed a moment ago")

    async def _row(self, user_id: str, provider: str) -> Credential:
        """Return the newest set of a user that is active. Raises NotFoundError."""
        storage = self._auth.storage
        found = [each for each in await storage.credentials(user_id, KIND) if each.data.get("provider") == provider]
        user = await storage.user(user_id) if found and provider in self._connections else None
        if user is None or user.status != "active":
            raise NotFoundError("No tokens of this user at this provider are kept.")
        return max(found, key=_age)

    async def _replaced(self, row: Credential, tokens: Tokens) -> Credential | None:
        secret, now = self._seal(row, tokens), int(self._auth.now())
        return await self._auth.storage.change_credential(row, secret=secret, now=now)

    def _seal(self, row: Credential, tokens: Tokens) -> str:
        return self._auth.vault.seal(msgspec.json.encode(tokens), place_of(row))

    def _opened(self, row: Credential) -> Tokens | None:
        """Return the tokens of a set; None where no secret of the configuration opens it."""
        try:
            return msgspec.json.decode(self._auth.vault.open(row.secret, place_of(row)), type=Tokens)
        except ValueError:
            return None


def _age(row: Credential) -> tuple[int, str]:
    return row.updated_at, row.id


def _about(profile: Profile) -> str:
    """Return what the tokens of a login are sealed about, before its account is known."""
    return f"oidc login {profile.identifier}"
