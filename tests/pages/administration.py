"""An app with administrators and its pages, and what a browser reads on them."""

import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from asgi_auth import Admin, AuthMiddleware, Outbox, Pages, SecondFactors, Totp
from tests.features.administration import PERMISSIONS, World
from tests.pages.surfer import Page, Surfer
from tests.support import PASSWORD, Client, Clock, cheap, make_auth, who


class Site(World):
    """The world of administration, and a browser."""

    async def log_in(self, name: str, language: str = "en") -> Surfer:
        """Log in as a user of the world, in a browser of its own."""
        surfer = Surfer(AuthMiddleware(who, self.auth, mount="/auth"))
        surfer.client.headers["accept-language"] = language
        await surfer.submit(await surfer.get("login"), "/login", email=f"{name}@example.com", password=PASSWORD)
        return surfer


@asynccontextmanager
async def administered_pages(*, second_factor: bool = False, **options: Any) -> AsyncIterator[Site]:
    """Run an app with an owner, a helper, a reader, an editor and a user."""
    clock, outbox = Clock(), Outbox()
    features = [*cheap(mail=True), SecondFactors(), Totp(), Admin(second_factor=second_factor), Pages()]
    options |= {"features": features, "mailer": outbox, "permissions": PERMISSIONS}
    async with make_auth(clock=clock, **options) as auth:
        site = Site(auth, clock, outbox, Client(AuthMiddleware(who, auth, mount="/auth")))
        for name in ("owner", "helper", "reader", "editor"):
            await site.add(name, name)
        await site.add("user")
        yield site


def users_in(page: Page) -> list[str]:
    return re.findall(r'<th scope="row"><a href="[^"]*admin/users/[^"]+">([^<@]+)@', page.answer.body.decode())


def events_in(page: Page) -> int:
    return page.answer.body.count(b'<th scope="row"><code>')
