"""Invitations: their tokens, and the mail with a link that sets a password."""

from collections.abc import Callable

import msgspec

from asgi_auth.accounts.one_time_tokens import OneTimeTokens
from asgi_auth.accounts.purpose import Purpose
from asgi_auth.model.records import Client, OneTimeToken, Record, User
from asgi_auth.storage import Storage


class Invitation(Record, frozen=True, kw_only=True):
    """What the token of an invitation holds.

    `roles` are given at the acceptance, when the inviter, `by`, is looked at again; `judged`: as an administrator.
    """

    roles: tuple[str, ...] = ()
    by: str | None = None
    judged: bool = False

    @classmethod
    def of(cls, token: OneTimeToken) -> "Invitation":
        """Read the token of an invitation."""
        return msgspec.convert(token.data["invitation"], cls)


class InvitationService:
    """Stores and mails invitations: `auth[InvitationService]`, of the feature `Invitations`."""

    def __init__(self, purpose: Purpose, one_time: OneTimeTokens, now: Callable[[], float]) -> None:
        """Take the purpose of the tokens, the tokens, and the clock."""
        self.purpose = purpose
        self._one_time = one_time
        self._now = now

    async def store(self, storage: Storage, user: User, invitation: Invitation) -> str:
        """Store an invitation in a transaction, which voids the earlier ones; return the secret of its link."""
        token, secret = self._one_time.draft(self.purpose, user, {"invitation": msgspec.to_builtins(invitation)})
        await storage.add_token(token)
        await storage.void_tokens(user.id, token.created_at, self.purpose.name, keep=token.id)
        return secret

    async def open(self, storage: Storage, user_id: str) -> OneTimeToken | None:
        """Return the newest open invitation of a user."""
        return next(iter(await storage.tokens(user_id, self.purpose.name, int(self._now()))), None)

    async def roles_of(self, storage: Storage, user_id: str) -> tuple[str, ...]:
        """Return the roles that the open invitation of a user gives."""
        token = await self.open(storage, user_id)
        return Invitation.of(token).roles if token is not None else ()

    async def send(self, user: User, secret: str, client: Client, language: str) -> None:
        """Mail the link of an invitation."""
        await self._one_time.mail(self.purpose, user, secret, client, language=language)
