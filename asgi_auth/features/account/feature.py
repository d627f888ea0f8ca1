"""Your account: read it, change extra fields, export everything as JSON, close it."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar, Literal

from asgi_auth.accounts.authority import Owner
from asgi_auth.accounts.letters import INACTIVE
from asgi_auth.accounts.passwords import PasswordService
from asgi_auth.bounds.replica import each_from_replica
from asgi_auth.errors import (
    BusyError,
    FreshLoginRequiredError,
    InvalidCredentialsError,
    LastAdministratorError,
    SecondFactorNeededError,
    UnauthorizedError,
    UserNotFoundError,
)
from asgi_auth.feature import (
    Client,
    Endpoint,
    Feature,
    Form,
    Identity,
    Page,
    Secret,
    Section,
    Served,
    UserInfo,
    get,
    patch,
    post,
)
from asgi_auth.model import event_types as events
from asgi_auth.model.stored import Stored
from asgi_auth.sources.kinds import checks_options
from asgi_auth.validation.numbers import check_whole


class Account(Feature):
    """Read, change, export and close your account.

    `closing="hard"` deletes a closed account with all its data; `soft` keeps the data, and refuses every login.
    `reopen` decides when the address of an account that was closed softly may register again: that many seconds later
    the account is deleted with all its data. With None, the account is kept, and the address stays taken. Until then
    `auth.users.set_status(id, "active")` opens the account again.
    """

    mails: ClassVar[tuple[str, ...]] = ("account_closed", *INACTIVE.values())
    room: ClassVar[Path | None] = Path(__file__).parent
    pages: ClassVar[Sequence[Page]] = (
        Page(name="account", endpoint="me", path="/account", login=True, focus=False),
        Page(name="reauthenticate", endpoint="me", path="/reauthenticate", login=True, links=("account",)),
    )
    forms: ClassVar[Sequence[Form]] = (
        Form(endpoint="update_me", page="account", after="account", said="saved"),
        Form(endpoint="close_account", page="account", after="login", said="account_closed"),
    )
    sections: ClassVar[Sequence[Section]] = (
        Section(name="profile", endpoint="me", order=10),
        Section(name="export", endpoint="export", order=80, group="data"),
        Section(name="close_account", endpoint="close_account", order=90, group="data"),
    )

    @checks_options
    def __init__(self, *, closing: Literal["soft", "hard"] = "soft", reopen: int | None = None) -> None:
        """Take the settings; raises ValueError."""
        if reopen is not None and closing == "hard":
            raise ValueError("reopen is for accounts that are closed softly")
        if reopen is not None:
            check_whole(reopen=reopen)
        self.closing = closing
        self.reopen = reopen

    @property
    def endpoints(self) -> list[Endpoint]:
        """The endpoints; `close_account` takes a password, so it needs the feature `Passwords`."""
        auth = vars(self).get("auth")
        left_out = {"close_account"} if auth is not None and auth.get(PasswordService) is None else set()
        return [endpoint for endpoint in super().endpoints if endpoint.name not in left_out]

    @get("/me", replica=True)
    async def me(self, *, identity: Identity) -> UserInfo:
        """Return your account."""
        return UserInfo.of(await identity.load())

    @patch("/me", partial=True, acting=True)
    async def update_me(self, *, identity: Identity, **data: object) -> UserInfo:
        """Change extra fields of your account. Fields that are not sent stay as they are."""
        return UserInfo.of(await self.auth.users.store_data(identity.id, data))

    @get("/me/export", replica=True, limits="10/m/account, 60/h/account")
    async def export(self, *, identity: Identity, served: Served | None = None) -> Stored:
        """Return everything that is stored about your account."""
        try:
            stored = await self.auth.users.export(identity.id, events=served is None)
        except UserNotFoundError:
            raise UnauthorizedError from None
        return (
            stored if served is None else stored.paged(each_from_replica(self.auth.storage.stored_events(identity.id)))
        )

    @post(
        "/close-account",
        status=204,
        ends_session=True,
        guesses="password",
        event=events.ACCOUNT_CLOSE,
        errors=(
            InvalidCredentialsError,
            FreshLoginRequiredError,
            SecondFactorNeededError,
            LastAdministratorError,
            BusyError,
        ),
    )
    async def close_account(self, *, password: Secret = "", identity: Identity, client: Client = Client()) -> None:
        """Close your account, with the password or a fresh login. Every session ends."""
        user = await self.auth[PasswordService].prove(identity, password, client)
        owner = Owner(identity, self.auth.permissions)
        if self.closing == "hard":
            await self.auth.users.delete(user.id, by=owner)
        else:
            await self.auth.users.set_status(user.id, "closed", by=owner)
        if self.auth.letters.can_send:
            self.auth.letters.send(self.auth.letters.write("account_closed", user.email, client))

    async def purge(self, now: int, batch: int) -> int:
        """Delete a batch of the accounts that were closed more than `reopen` seconds ago."""
        if self.reopen is None:
            return 0
        return await self.auth.users.delete_closed(now - self.reopen, batch)
