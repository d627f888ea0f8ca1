"""Credentials that a login adds to an account, such as an account at a provider with the same address.

A credential opens the account from then on. So it is stored when every factor was shown, and never before: a pending
login carries it along.
"""

from collections.abc import Callable

import msgspec

from asgi_auth.accounts.ways_in import take_over
from asgi_auth.errors import InvalidCredentialsError
from asgi_auth.model import event_types as events
from asgi_auth.model.records import Client, Credential, Record, User
from asgi_auth.sessions.event_sink import EventSink
from asgi_auth.sessions.second_factors import SecondFactorGate
from asgi_auth.sessions.service import SessionService
from asgi_auth.storage import Storage


class Link(Record, frozen=True, kw_only=True):
    """A credential that a login adds to the account of an address, which its caller has proven to own."""

    credential: Credential
    email_canonical: str
    #: What is kept beside it, such as the tokens of the login.
    kept: Credential | None = None

    def owner(self, user: User) -> User:
        """Return the user as the link makes it: with a verified address."""
        same = user.email_canonical == self.email_canonical
        return msgspec.structs.replace(user, email_verified=True) if same else user


class Links:
    """Stores the credentials of links."""

    def __init__(
        self,
        storage: Storage,
        sessions: SessionService,
        second_factors: SecondFactorGate,
        events: EventSink,
        now: Callable[[], float],
    ) -> None:
        """Take the collaborators."""
        self._storage = storage
        self._sessions = sessions
        self._second_factors = second_factors
        self._events = events
        self._now = now

    async def add(self, link: Link, client: Client) -> None:
        """Store the credential of a link. Raises InvalidCredentialsError when the account has changed meanwhile.

        An account whose address was never verified may be that of a stranger (pre-hijacking): all that opens it is
        taken away. Second factors stay, as one of them was shown for this login.
        """
        user_id, now, ended = link.credential.user_id, int(self._now()), list[str]()
        async with self._storage.transaction() as storage:
            before = await storage.user(user_id)
            is_verified = before is not None and before.email_verified
            if not is_verified:
                # The credentials before the user, as an unlink locks them: one order of locks prevents deadlocks.
                kinds = {each.kind for each in await storage.credentials(user_id)}
                factors = {kind for kind in kinds if self._second_factors.is_factor(kind)}
                ended = await take_over(storage, user_id, now, spare=factors)
            user = await storage.update_user(user_id, {}, now)
            if user is None or user.status != "active" or user.email_canonical != link.email_canonical:
                raise InvalidCredentialsError
            if user.email_verified != is_verified:
                raise InvalidCredentialsError
            if not is_verified:
                await storage.update_user(user_id, {"email_verified": True}, now)
            if not await storage.add_credential(link.credential):
                raise InvalidCredentialsError
            if link.kept is not None:
                await storage.add_credential(link.kept)
        await self._sessions.ended(user_id, ended, client)
        if not is_verified:
            await self._events.emit(events.EMAIL_VERIFY, user_id=user_id, client=client)
        data = {"provider": link.credential.data.get("provider", "")}
        await self._events.emit(events.IDENTITY_LINK, user_id=user_id, client=client, data=data)
