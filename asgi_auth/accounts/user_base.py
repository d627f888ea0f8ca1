"""What all parts of `auth.users` share: the collaborators, the look-up of a user, and who changes it."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

from asgi_auth.accounts.factors import Factors
from asgi_auth.accounts.invitations import InvitationService
from asgi_auth.accounts.letters import Letters
from asgi_auth.accounts.passwords import PasswordService
from asgi_auth.accounts.registration import RegistrationService
from asgi_auth.accounts.resets import ResetService
from asgi_auth.accounts.unique_values import UniqueValues
from asgi_auth.errors import UserNotFoundError
from asgi_auth.model.records import Client, User
from asgi_auth.sessions.event_sink import EventSink
from asgi_auth.sessions.identity import Identity
from asgi_auth.sessions.permissions import PermissionMap
from asgi_auth.sessions.revocation import Revocation
from asgi_auth.sessions.service import SessionService
from asgi_auth.settings import Settings
from asgi_auth.storage import Storage


class Judge(Protocol):
    """An administrator whose rights are judged in the transaction of each change."""

    @property
    def id(self) -> str:
        """The id of the administrator."""

    async def judge(self, storage: Storage, user_id: str, gives: Sequence[str] | None = None) -> None:
        """Lock the administrator and the user; raise to refuse a change of the user, or roles that it `gives`."""


#: The user who makes a change, for its events: a caller, one that is judged as well, or None for the host itself.
By: TypeAlias = Identity | Judge | None


class UserFeature(Protocol):
    """The part of a feature that stores something about users."""

    async def exported(self, user: User) -> Mapping[str, Any]:
        """Return what the feature stores about a user in tables of its own."""

    async def before_delete(self, storage: Storage, user: User) -> None:
        """Run in the transaction that deletes a user."""


@dataclass(frozen=True, kw_only=True)
class UserParts:
    """The collaborators of `auth.users`.

    `passwords` and `registration` give services of features. `start` opens the storage. `mails` are the purposes of
    the mails that the features send.
    """

    storage: Storage
    settings: Settings
    events: EventSink
    revocation: Revocation
    sessions: SessionService
    permissions: PermissionMap
    factors: Factors
    letters: Letters
    passwords: Callable[[], PasswordService]
    registration: Callable[[], RegistrationService | None]
    invitations: Callable[[], InvitationService | None]
    resets: Callable[[], ResetService | None]
    features: Sequence[UserFeature]
    mails: Collection[str]
    now: Callable[[], float]
    start: Callable[[], Awaitable[None]]


class UserBase:
    """The base of the parts of `auth.users`."""

    def __init__(self, parts: UserParts) -> None:
        """Take the collaborators."""
        self._parts = parts
        self._storage = parts.storage
        self.unique_values: UniqueValues = UniqueValues(parts.settings.fields, parts.now)

    async def get(self, user_id: str) -> User:
        """Read a user by id."""
        return found(await self.find(user_id))

    async def find(self, user_id: str) -> User | None:
        """Read a user by id; None when there is none."""
        await self._parts.start()
        return await self._storage.user(user_id)

    @property
    def _now(self) -> int:
        return int(self._parts.now())

    @asynccontextmanager
    async def _changing(self, user_id: str, by: By, gives: Sequence[str] | None = None) -> AsyncIterator[Storage]:
        """Hold the transaction of a change, after its author was judged."""
        await self._parts.start()
        async with self._storage.transaction() as storage:
            if by is not None and not isinstance(by, Identity):
                await by.judge(storage, user_id, gives)
            yield storage

    async def _emit(self, name: str, user_id: str, by: By, client: Client, **data: Any) -> None:
        await self._parts.events.emit(name, user_id=user_id, client=client, data=data, actor=actor_of(by))

    async def _ended(self, user_id: str, session_ids: Sequence[str], by: By, client: Client) -> None:
        """Revoke sessions that a transaction has ended, and emit their events."""
        await self._parts.sessions.ended(user_id, session_ids, client, actor_of(by))


def actor_of(by: By) -> str | None:
    """Return the id of the user who makes a change."""
    return (by.id or None) if by is not None else None


def called_by(client: Client | None) -> Client:
    """Return the client of a call, with an id that all its events share."""
    return (client or Client()).identified()


def found(user: User | None) -> User:
    """Return the user; raise UserNotFoundError without one."""
    if user is None:
        raise UserNotFoundError
    return user
