"""Email change: requested with the password, confirmed at the new address, announced to the old one."""

from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from asgi_auth.accounts.letters import notice_to
from asgi_auth.accounts.one_time_tokens import ADDRESS
from asgi_auth.accounts.ownership_proof import OWN, REFUSALS
from asgi_auth.accounts.passwords import PasswordService
from asgi_auth.accounts.purpose import TOKEN_LIMITS, TOKEN_OR_CODE, Purpose
from asgi_auth.accounts.user_editing import partly_shown
from asgi_auth.errors import (
    BusyError,
    FreshLoginRequiredError,
    InvalidCredentialsError,
    InvalidOneTimeTokenError,
    RateLimitedError,
    SecondFactorNeededError,
    UserExistsError,
    ValidationError,
)
from asgi_auth.feature import Feature, Form, Page, Section, post
from asgi_auth.model import event_types as events
from asgi_auth.model.answers import Requested
from asgi_auth.model.limits import Rule
from asgi_auth.model.records import NO_USER_ID, Client, User
from asgi_auth.sessions.identity import Identity
from asgi_auth.sources.kinds import checks_options
from asgi_auth.validation.email_address import parse_email
from asgi_auth.validation.fields import Email, Line, Secret, TokenText
from asgi_auth.validation.reasons import Reason

HOUR = 3600
#: The most requests for another address that an account may make in an hour.
MOST = 10


class EmailChange(Feature):
    """Moves an account to another address after its owner has confirmed a mail there.

    `ttl`: seconds until the link expires; `quiet`: seconds between two mails; `link`: a page of yours, with `{token}`.
    """

    needs: ClassVar[tuple[type, ...]] = (PasswordService,)
    needs_mail = True
    mails: ClassVar[tuple[str, ...]] = ("change_email", "email_change_requested", "email_changed", "already_registered")
    room: ClassVar[Path | None] = Path(__file__).parent
    pages: ClassVar[Sequence[Page]] = (
        Page(name="confirm_email_change", endpoint="confirm_email_change", links=("account",)),
    )
    forms: ClassVar[Sequence[Form]] = (
        Form(endpoint="change_email", page="account", after="confirm_email_change", said="mail_sent"),
        Form(endpoint="confirm_email_change", page="confirm_email_change", after="account", said="email_changed"),
    )
    sections: ClassVar[Sequence[Section]] = (Section(name="change_email", endpoint="change_email", order=20),)

    @checks_options
    def __init__(self, *, ttl: int = 3600, quiet: int = 60, link: str | None = None) -> None:
        """Take the settings."""
        self.purpose: Purpose = Purpose("change_email", "/confirm-email-change", ttl=ttl, quiet=quiet, link=link)

    @post(
        "/change-email",
        status=202,
        guesses="password",
        event=events.EMAIL_CHANGE,
        errors=(InvalidCredentialsError, FreshLoginRequiredError, SecondFactorNeededError, BusyError, RateLimitedError),
    )
    async def change_email(
        self, *, new_email: Email, password: Secret = "", identity: Identity, client: Client = Client()
    ) -> Requested:
        """Mail a link to the new address, with the password or a fresh login. An earlier request becomes void."""
        user = await self.auth[PasswordService].prove(identity, password, client)
        await self._limit(user.id)
        address = parse_email(new_email, "new_email", public=not self.auth.settings.private_addresses)
        if address.display == user.email:
            raise ValidationError({"new_email": [Reason("same_address")]})
        taken = await self.auth.storage.user_by_email(address.canonical)
        if taken is not None and taken.id == user.id:
            # The user changes the capitals of their address.
            taken = None
        requested = await self.auth.one_time.ask(
            self.purpose,
            subject=address.canonical,
            user=user,
            to=address.display,
            notice=notice_to(taken, active="already_registered"),
            data={
                "display": address.display,
                "canonical": address.canonical,
                ADDRESS: user.email_canonical,
                OWN: True,
            },
            client=client,
            voids="user",
        )
        self._tell("email_change_requested", user, address.display, client)
        return requested

    @post(
        "/confirm-email-change",
        status=204,
        limits=TOKEN_LIMITS,
        schema=TOKEN_OR_CODE,
        event=events.EMAIL_CHANGE,
        errors=(InvalidOneTimeTokenError, *REFUSALS),
    )
    async def confirm_email_change(
        self,
        *,
        token: TokenText = "",
        request: Line = "",
        code: Line = "",
        password: Secret = "",
        identity: Identity | None = None,
        client: Client = Client(),
    ) -> None:
        """Change your address by the mailed token, logged in or with the password, or by the code with its request."""
        error = self.purpose.error
        found = await self.auth.one_time.find((self.purpose,), token, request, code)
        await self.auth.ownership.require(
            found,
            error,
            self.auth.get(PasswordService),
            by_link=bool(token),
            password=password,
            identity=identity,
            client=client,
        )
        user_id, now = found.user_id or NO_USER_ID, int(self.auth.now())
        changes = {"email": found.data["display"], "email_canonical": found.data["canonical"], "email_verified": True}
        try:
            async with self.auth.storage.transaction() as storage:
                old = await self.auth.one_time.redeem(storage, found, error, void=True)
                await storage.update_user(user_id, changes, now)
                await storage.delete_tokens_about(old.email_canonical)
        except UserExistsError:
            raise error from None
        self._tell("email_changed", old, found.data["display"], client)
        await self.auth.emit(events.EMAIL_CHANGE, user_id=user_id, client=client)

    async def _limit(self, user_id: str) -> None:
        """Bound the mails that an account can send to strangers. Raises RateLimitedError."""
        now = int(self.auth.now())
        counter = await self.auth.counters.count(self.auth.limiter.key("change_email", user_id), now, HOUR)
        if counter.count > MOST:
            raise RateLimitedError(counter.expires_at - now, Rule("account", HOUR, MOST))

    def _tell(self, purpose: str, user: User, new: str, client: Client) -> None:
        """Write to the old address; the mail shows only a part of the new one."""
        self.auth.letters.notify(purpose, user, client, {"new_email": partly_shown(new)})
