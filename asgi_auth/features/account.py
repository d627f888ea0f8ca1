"""Your account: read it, change extra fields, export everything as JSON, close it."""

from typing import ClassVar, Literal

from asgi_auth.accounts.passwords import PasswordService
from asgi_auth.errors import BusyError, InvalidCredentialsError, UnauthorizedError
from asgi_auth.feature import Client, Endpoint, Feature, Identity, Secret, UserInfo, get, patch, post
from asgi_auth.model import event_types as events
from asgi_auth.model.records import Stored


class Account(Feature):
    """Read, change, export and close your account.

    `closing="hard"` deletes a closed account with all its data; `soft` keeps the data, and refuses every login.
    """

    mails: ClassVar[tuple[str, ...]] = ("account_closed",)

    def __init__(self, *, closing: Literal["soft", "hard"] = "soft") -> None:
        """Take the settings; raises ValueError."""
        if closing not in {"soft", "hard"}:
            raise ValueError("closing is soft or hard")
        self.closing = closing

    @property
    def endpoints(self) -> list[Endpoint]:
        """The endpoints; `close_account` takes a password, so it needs the feature `Passwords`."""
        auth = vars(self).get("auth")
        left_out = {"close_account"} if auth is not None and auth.get(PasswordService) is None else set()
        return [endpoint for endpoint in super().endpoints if endpoint.name not in left_out]

    @get("/me")
    async def me(self, *, identity: Identity) -> UserInfo:
        """Return your account."""
        return UserInfo.of(await identity.load())

    @patch("/me", partial=True)
    async def update_me(self, *, identity: Identity, **data: object) -> UserInfo:
        """Change extra fields of your account. Fields that are not sent stay as they are."""
        return UserInfo.of(await self.auth.users.set_data(identity.id, **data))

    @get("/me/export")
    async def export(self, *, identity: Identity) -> Stored:
        """Return everything that is stored about your account."""
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
        """Close your account, with the password. Every session ends."""
        user, _ = await self.auth[PasswordService].reauthenticate(identity, password, client)
        if self.closing == "hard":
            await self.auth.users.delete(user.id)
        else:
            await self.auth.users.set_status(user.id, "closed")
        if self.auth.letters.can_send:
            self.auth.letters.send(self.auth.letters.write("account_closed", user.email, client))
