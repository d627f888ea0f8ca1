"""Unlock: a mailed link opens an account that others have locked by guessing."""

from asgi_auth.accounts.one_time_tokens import TOKEN_OR_CODE, Purpose, Requested
from asgi_auth.errors import InvalidOneTimeTokenError
from asgi_auth.feature import Feature, post
from asgi_auth.limits.rules import open_account
from asgi_auth.model import event_types as events
from asgi_auth.model.records import Client
from asgi_auth.validation.email_address import parse_email
from asgi_auth.validation.fields import Email, Line, TokenText


class Unlock(Feature):
    """Opens a locked account for whoever reads its mail: with the password they log in, the link itself does not.

    `ttl`: seconds the link lives; `quiet`: seconds between two mails; `link`: a page of your own, with `{token}` in it.
    """

    needs_mail = True
    mails = ("unlock",)

    def __init__(self, *, ttl: int = 3600, quiet: int = 60, link: str | None = None) -> None:
        """Take the settings."""
        self.purpose = Purpose("unlock", "/unlock", ttl=ttl, quiet=quiet, link=link)

    @post("/request-unlock", status=202)
    async def request_unlock(self, *, email: Email, request: Line = "", client: Client = Client()) -> Requested:
        """Mail a link to unlock the account; the answer is the same for every address."""
        canonical = parse_email(email).canonical
        known = await self.auth.storage.user_by_email(canonical)
        user = known if known is not None and known.status == "active" else None
        return await self.auth.one_time.ask(self.purpose, subject=canonical, user=user, client=client, earlier=request)

    @post("/unlock", status=204, schema=TOKEN_OR_CODE, errors=(InvalidOneTimeTokenError,))
    async def unlock(
        self, *, token: TokenText = "", request: Line = "", code: Line = "", client: Client = Client()
    ) -> None:
        """Unlock the account by the mailed token, or by the code with its request."""
        found = await self.auth.one_time.find((self.purpose,), token, request, code)
        async with self.auth.storage.transaction() as storage:
            user = await self.auth.one_time.redeem(storage, found, self.purpose.error)
        await open_account(self.auth, user.email_canonical, client)
        await self.auth.emit(events.UNLOCK, user_id=user.id, client=client)
