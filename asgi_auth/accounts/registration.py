"""Registrations that a mail finishes: nothing is made before the owner of the address has agreed (pre-hijacking)."""

from typing import Any

import msgspec

from asgi_auth.accounts.one_time_tokens import Purpose, Requested
from asgi_auth.accounts.ownership_proof import OWN
from asgi_auth.feature import Feature
from asgi_auth.model import event_types as events
from asgi_auth.model.records import Client, Credential, OneTimeToken, Record, User
from asgi_auth.storage import Storage

PENDING = "pending"


class Pending(Record, frozen=True, kw_only=True):
    """What the token of a registration holds: the account as it will be."""

    user: User
    credential: Credential

    @classmethod
    def of(cls, token: OneTimeToken) -> "Pending | None":
        """Read it from a token; None when that isn't about a registration."""
        return msgspec.convert(token.data[PENDING], cls) if PENDING in token.data else None


class RegistrationService(Feature):
    """Keeps registrations in the tokens that are mailed. `EmailVerification` is one.

    Several may wait for one address: each is finished by the password that it was made with, and voids the others.
    """

    def __init__(self, registration: Purpose, verification: Purpose) -> None:
        """Take the bounds of tokens that make an account, and of those that verify the address of one."""
        self.registration = registration
        self.verification = verification

    async def send_verification(self, user: User, client: Client, *, earlier: str = "") -> Requested:
        """Mail a link to verify the address, at the wish of the user."""
        return await self.auth.one_time.ask(
            self.verification,
            subject=user.email_canonical,
            user=user,
            data={OWN: True},
            earlier=earlier,
            client=client,
        )

    async def start(self, user: User, credential: Credential, client: Client) -> Requested:
        """Mail the token; to the owner of a known address a notice instead, after the same work."""
        known = await self.auth.storage.user_by_email(user.email_canonical)
        active = known is None or known.status == "active"
        return await self.auth.one_time.ask(
            self.registration,
            subject=user.email_canonical,
            to=(known or user).email if active else None,
            notice="already_registered" if known else None,
            data={OWN: True, PENDING: msgspec.to_builtins(Pending(user=user, credential=credential))},
            client=client,
        )

    async def resend(self, canonical: str, request: str, user_id: str, client: Client) -> Requested:
        """Mail once more what an address waits for: a verification, a registration, or nothing, after the same work.

        `request` is the asker's earlier one, `user_id` who is logged in: without either the code wants the password.
        """
        storage, now = self.auth.storage, int(self.auth.now())
        known = await storage.user_by_email(canonical)
        found = await storage.recall_token(request, self.registration.name, canonical, now)
        own = found is not None and found.id == request and bool(found.data.get(OWN))
        data: dict[str, Any] = {OWN: own or (known is not None and known.id == user_id)}
        pending = Pending.of(found) if found is not None and known is None else None
        if pending is not None:
            data[PENDING] = msgspec.to_builtins(pending)
        wanted = known is not None and known.status == "active" and not known.email_verified
        # One purpose for all, whose bounds then tell nothing.
        return await self.auth.one_time.ask(
            self.verification,
            subject=canonical,
            user=known if wanted else None,
            to=pending.user.email if pending else None,
            letter=self.registration.name if pending else "",
            data=data,
            earlier=request,
            client=client,
        )

    async def complete(self, token: OneTimeToken, pending: Pending, client: Client) -> User:
        """Make the account, its address verified. Raises the purpose's error when there is one meanwhile."""
        now = int(self.auth.now())
        user = msgspec.structs.replace(pending.user, email_verified=True, created_at=now, updated_at=now)
        async with self.auth.storage.transaction() as storage:
            won = await storage.use_token(token.id, now) and await storage.add_user(user, pending.credential)
            if won:
                await self.void(storage, user.email_canonical)
        if not won:
            raise self.registration.error
        await self.auth.emit(events.REGISTER, user_id=user.id, client=client)
        await self.auth.emit(events.EMAIL_VERIFY, user_id=user.id, client=client)
        return user

    async def void(self, storage: Storage, canonical: str) -> None:
        """Void all registrations that wait for an address."""
        for purpose in (self.registration, self.verification):
            await storage.void_subject(canonical, int(self.auth.now()), purpose.name)
