"""What the tests of flows by mail share: an app with an outbox, and the steps that people take."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs, urlsplit

from asgi_auth import Auth, AuthMiddleware, Outbox
from asgi_auth.mail import Mail
from tests.support import EMAIL, PASSWORD, Answer, Client, Clock, bearer, make_auth, who

NEW_PASSWORD = "another battery staple"


@dataclass
class Flows:
    """An app, its mails and its clock."""

    auth: Auth
    outbox: Outbox
    clock: Clock
    client: Client

    async def register(self, email: str = EMAIL, password: str = PASSWORD) -> Answer:
        return await self.client.post("/auth/register", {"email": email, "password": password})

    async def login(self, password: str = PASSWORD, email: str = EMAIL) -> Answer:
        return await self.client.post("/auth/login", {"email": email, "password": password})

    async def headers(self, password: str = PASSWORD, email: str = EMAIL) -> dict[str, str]:
        return bearer(str((await self.login(password, email)).json["access_token"]))

    async def mail(self, purpose: str, to: str | None = None) -> Mail:
        return await self.outbox.next(purpose, to)

    async def no_more_mail(self) -> None:
        """Nothing is under way, nothing has arrived."""
        await self.auth.mail.idle()
        assert self.outbox.mails == []

    async def verified(self, email: str = EMAIL, password: str = PASSWORD) -> None:
        """An account whose address is verified."""
        await self.register(email, password)
        assert (await self.verify((await self.mail("verify_email")).token, password)).status == 204

    async def verify(self, token: str, password: str = PASSWORD) -> Answer:
        """Follow the link of a mail, and enter the password."""
        return await self.client.post("/auth/verify-email", {"token": token, "password": password})


@asynccontextmanager
async def flows(storage: Any = "sqlite://", **options: Any) -> AsyncIterator[Flows]:
    """Run an app whose mails go to an outbox."""
    outbox, clock = Outbox(), Clock()
    async with make_auth(storage, clock=clock, mailer=outbox, **options) as auth:
        yield Flows(auth, outbox, clock, Client(AuthMiddleware(who, auth, mount="/auth")))


def token_in(link: str) -> str:
    """The token as the page of the link reads it."""
    (token,) = parse_qs(urlsplit(link).query)["token"]
    return token
