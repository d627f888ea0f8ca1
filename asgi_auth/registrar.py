"""Registrations that a mail finishes: nothing is made before the owner of the address has agreed (pre-hijacking)."""

import msgspec

from asgi_auth import events
from asgi_auth.feature import Feature
from asgi_auth.one_time import Purpose, Requested
from asgi_auth.records import Client, Credential, Record, Token, User


class Pending(Record, frozen=True, kw_only=True):
    """What a registration token holds: the account as it will be."""

    user: User
    credential: Credential


class Registrar(Feature):
    """Keeps registrations in the tokens that are mailed. `EmailVerification` is one; `auth[Registrar]` finds it."""

    def __init__(self, registration: Purpose, verification: Purpose) -> None:
        """Take the bounds of tokens that make an account, and of those that verify the address of one."""
        self.registration = registration
        self.verification = verification

    async def invite(self, canonical: str, user: User | None, client: Client) -> Requested:
        """Mail a user a link to verify the address; None mails nothing."""
        return await self.auth.one_time.ask(self.verification, subject=canonical, user=user, client=client)

    async def begin(self, user: User, credential: Credential, client: Client) -> Requested:
        """Mail the token; to the owner of a known address a notice instead, after the same work."""
        known = await self.auth.storage.user_by_email(user.email_canonical)
        active = known is None or known.status == "active"
        return await self.auth.one_time.ask(
            self.registration,
            subject=user.email_canonical,
            to=(known or user).email if active else None,
            notice="already_registered" if known else None,
            data=msgspec.to_builtins(Pending(user=user, credential=credential)),
            client=client,
        )

    async def finish(self, token: Token, client: Client) -> User:
        """Make the account, its address verified. Raises the purpose's error when there is one meanwhile."""
        pending = msgspec.convert(token.data, Pending)
        now = int(self.auth.now())
        user = msgspec.structs.replace(pending.user, email_verified=True, created_at=now, updated_at=now)
        async with self.auth.storage.transaction() as storage:
            won = await storage.use_token(token.id, now) and await storage.add_user(user, pending.credential)
        if not won:
            raise self.registration.error
        await self.auth.emit(events.REGISTER, user_id=user.id, client=client)
        await self.auth.emit(events.EMAIL_VERIFY, user_id=user.id, client=client)
        return user
