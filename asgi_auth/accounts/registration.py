"""Registrations that a mail completes: no account exists before its owner has agreed (pre-hijacking)."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import deepcopy
from typing import Any

import msgspec

from asgi_auth.accounts.letters import notice_to
from asgi_auth.accounts.one_time_tokens import OneTimeTokens
from asgi_auth.accounts.ownership_proof import OWN
from asgi_auth.accounts.passwords import KIND as PASSWORD
from asgi_auth.accounts.purpose import Purpose
from asgi_auth.model import event_types as events
from asgi_auth.model.answers import Requested
from asgi_auth.model.records import Client, Credential, OneTimeToken, Record, User, new_id
from asgi_auth.sessions.event_sink import EventSink
from asgi_auth.storage import Storage
from asgi_auth.validation.email_address import Address
from asgi_auth.validation.user_field import Field

PENDING = "pending"


class Pending(Record, frozen=True, kw_only=True):
    """What the token of a registration holds: the account as it will be."""

    user: User
    credential: Credential
    amr: tuple[str, ...] = ()
    """The methods that the registration has shown (RFC 8176), for the login by the code of the mail."""

    @property
    def has_password(self) -> bool:
        """Whether the account gets a password, which shows that a caller with the mailed link made the registration."""
        return self.credential.kind == PASSWORD

    @property
    def secret(self) -> str:
        """The hash of the password; empty for an account without one, which no password opens."""
        return self.credential.secret if self.has_password else ""

    @classmethod
    def of(cls, token: OneTimeToken) -> "Pending | None":
        """Read the registration in a token; None for a token of another kind."""
        return msgspec.convert(token.data[PENDING], cls) if PENDING in token.data else None


def new_user(
    declared: Sequence[Field], address: Address, data: Mapping[str, object], now: float, user_id: str = ""
) -> User:
    """Return the user of a registration; the declared fields that are not in `data` have their defaults."""
    return User(
        id=user_id or new_id(now),
        email=address.display,
        email_canonical=address.canonical,
        data={item.name: deepcopy(item.default) for item in declared} | dict(data),
        created_at=int(now),
        updated_at=int(now),
    )


class RegistrationService:
    """Keeps registrations in the tokens that are mailed: `auth[RegistrationService]`, of `EmailVerification`.

    Several may wait for one address: each is completed by the password that it was made with, and voids the others. One
    without a password is completed by the code with its request alone, and its mail has no link: the owner of the
    mailbox who clicks the link of a stranger's registration would give the account to that stranger.
    """

    def __init__(  # noqa: PLR0917 (each is a collaborator)
        self,
        registration: Purpose,
        verification: Purpose,
        one_time: OneTimeTokens,
        storage: Storage,
        events: EventSink,
        now: Callable[[], float],
        add: Callable[[Storage, User, Credential | None], Awaitable[User | None]],
    ) -> None:
        """Take the purposes of tokens that make an account and that verify one, and the collaborators.

        `add` adds a user in a transaction.
        """
        self._add = add
        self.registration = registration
        self.verification = verification
        self._one_time = one_time
        self._storage = storage
        self._events = events
        self._now = now

    async def send_verification(self, user: User, client: Client, *, earlier: str = "") -> Requested:
        """Mail a link to verify the address, at the request of the user."""
        return await self._one_time.ask(
            self.verification,
            subject=user.email_canonical,
            user=user,
            data={OWN: True},
            earlier=earlier,
            client=client,
        )

    async def start(
        self, user: User, credential: Credential, client: Client, *, amr: tuple[str, ...] = ()
    ) -> Requested:
        """Mail the token of a registration; a known address gets a notice instead, in equal time.

        `amr` are the methods that the registration has shown.
        """
        pending = Pending(user=user, credential=credential, amr=amr)
        known = await self._storage.user_by_email(user.email_canonical)
        return await self._one_time.ask(
            self.registration,
            subject=user.email_canonical,
            to=(known or user).email,
            notice=notice_to(known, active="already_registered"),
            data={OWN: True, PENDING: msgspec.to_builtins(pending)},
            client=client,
            voids="nothing",
            by_link=pending.has_password,
        )

    async def resend(self, canonical: str, request: str, user_id: str, client: Client) -> Requested:
        """Mail once more what an address waits for: a verification, a registration, or nothing, after equal work.

        `request` is that of the caller's earlier mail, `user_id` the logged-in caller: without either, the code
        requires the password.
        """
        storage, now = self._storage, int(self._now())
        known = await storage.user_by_email(canonical)
        found = await storage.recall_token(request, self.registration.name, canonical, now)
        earlier = found if found is not None and found.id == request and found.data.get(OWN) else None
        own = earlier is not None
        if known is not None:
            # A registration that waits proves nothing about an account that another caller has made meanwhile.
            own = known.id in {user_id, earlier.user_id if earlier is not None else None}
        data: dict[str, Any] = {OWN: own}
        pending = Pending.of(found) if found is not None and known is None else None
        if pending is not None and not (own or pending.has_password):
            # The caller could not use the code.
            pending = None
        if pending is not None:
            data[PENDING] = msgspec.to_builtins(pending)
        unverified = known is not None and not known.email_verified
        notice = notice_to(known)
        # One purpose for all: its bounds then tell nothing about the account.
        return await self._one_time.ask(
            self.verification,
            subject=canonical,
            user=known if unverified or notice else None,
            notice=notice,
            to=pending.user.email if pending else None,
            letter=self.registration.name if pending else "",
            data=data,
            earlier=request,
            client=client,
            by_link=pending is None or pending.has_password,
        )

    async def complete(self, token: OneTimeToken, pending: Pending, client: Client) -> User:
        """Make the account, with a verified address.

        Raises the purpose's error when the address is taken by now, and ValidationError for a unique value that is. The
        token stays valid then.
        """
        now = int(self._now())
        user = msgspec.structs.replace(pending.user, email_verified=True, created_at=now, updated_at=now)
        async with self._storage.transaction() as storage:
            won = await storage.use_token(token.id, now)
            added = await self._make(storage, user, pending.credential) if won else None
            if added is not None:
                await self.void(storage, added.email_canonical)
        if added is None:
            raise self.registration.error
        user = added
        await self._events.emit(events.REGISTER, user_id=user.id, client=client)
        await self._events.emit(events.EMAIL_VERIFY, user_id=user.id, client=client)
        return user

    async def _make(self, storage: Storage, user: User, credential: Credential) -> User | None:
        """Add a user with its credential; None for a taken address.

        Raises the purpose's error when another user has the passkey, or the account at a provider, by now.
        """
        if credential.kind == PASSWORD:
            return await self._add(storage, user, credential)
        added = await self._add(storage, user, None)
        if added is None or await storage.add_credential(msgspec.structs.replace(credential, user_id=added.id)):
            return added
        raise self.registration.error

    async def void(self, storage: Storage, canonical: str) -> None:
        """Void all registrations that wait for an address."""
        for purpose in (self.registration, self.verification):
            await storage.void_subject(canonical, int(self._now()), purpose.name)
