"""Password resets that an administrator asks for: the password is useless at once, and a mail sets a new one."""

from asgi_auth.accounts.one_time_tokens import OneTimeTokens
from asgi_auth.accounts.purpose import Purpose
from asgi_auth.model.records import Client, User
from asgi_auth.storage import Storage

#: The mail to the user.
LETTER = "password_disabled"


class ResetService:
    """Mails the links of resets: `auth[ResetService]`, of the feature `PasswordReset`."""

    def __init__(self, purpose: Purpose, one_time: OneTimeTokens) -> None:
        """Take the purpose of the tokens, and the tokens."""
        self._purpose = purpose
        self._one_time = one_time

    async def store(self, storage: Storage, user: User) -> str:
        """Store a token in a transaction; return the secret of its link."""
        token, secret = self._one_time.draft(self._purpose, user, {})
        await storage.add_token(token)
        return secret

    async def send(self, user: User, secret: str, client: Client) -> None:
        """Mail the link."""
        await self._one_time.mail(self._purpose, user, secret, client, name=LETTER)
