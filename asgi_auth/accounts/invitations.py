"""Invitations: their tokens, and the mail with a link that sets a password."""

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

    def __init__(self, purpose: Purpose, one_time: OneTimeTokens) -> None:
        """Take the purpose of the tokens, and the tokens."""
        self.purpose = purpose
        self._one_time = one_time

    async def store(self, storage: Storage, user: User, invitation: Invitation) -> str:
        """Store an invitation in a transaction, which voids the earlier ones; return the secret of its link."""
        token, secret = self._one_time.draft(self.purpose, user, {"invitation": msgspec.to_builtins(invitation)})
        await storage.add_token(token)
        await storage.void_tokens(user.id, token.created_at, self.purpose.name, keep=token.id)
        return secret

    async def send(self, user: User, secret: str, client: Client, language: str) -> None:
        """Mail the link of an invitation."""
        await self._one_time.mail(self.purpose, user, secret, client, language=language)
