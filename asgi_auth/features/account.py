"""The own account: change extra fields, take everything away as JSON, close it."""

from typing import Literal

from asgi_auth.accounts.passwords import PasswordService
from asgi_auth.errors import BusyError, InvalidCredentialsError, UnauthorizedError
from asgi_auth.feature import Feature, get, patch, post
from asgi_auth.mail import Letter
from asgi_auth.model import event_types as events
from asgi_auth.model.records import Client, Stored, UserInfo
from asgi_auth.sessions.identity import Identity
from asgi_auth.validation.fields import Secret


class Account(Feature):
    """What users do with their own data.

    `closing="hard"` deletes an account with all that hangs on it; `soft` keeps the data, and nobody logs in.
    """

    needs = (PasswordService,)
    mails = ("account_closed",)

    def __init__(self, *, closing: Literal["soft", "hard"] = "soft") -> None:
        """Take the settings; raises ValueError."""
        if closing not in {"soft", "hard"}:
            raise ValueError("closing is soft or hard")
        self.closing = closing

    @patch("/me", partial=True)
    async def update_me(self, *, identity: Identity, **data: object) -> UserInfo:
        """Change extra fields of the own account; those that aren't sent stay."""
        return UserInfo.of(await self.auth.users.set_data(identity.id, **data))

    @get("/me/export")
    async def export(self, *, identity: Identity) -> Stored:
        """Give all that is stored about the own account."""
        stored = await self.auth.storage.stored(identity.id)
        if stored is None:
            raise UnauthorizedError
        return stored

    @post(
        "/close-account",
        status=204,
        ends_session=True,
        takes_password=True,
        event=events.ACCOUNT_CLOSE,
        errors=(InvalidCredentialsError, BusyError),
    )
    async def close_account(self, *, password: Secret, identity: Identity, client: Client = Client()) -> None:
        """Close the own account, with the password; every session ends."""
        user, _ = await self.auth[PasswordService].reauthenticate(identity, password, client)
        if self.closing == "hard":
            await self.auth.users.delete(user.id)
        else:
            await self.auth.users.set_status(user.id, "closed")
        if self.auth.mail.mailer is None:
            return
        language = self.auth.texts.choose(client.accept_language)
        self.auth.one_time.post(Letter(purpose="account_closed", to=user.email, language=language))
