"""One visit of a logged-in user to the page of an app."""

import asyncio
from collections.abc import Callable
from typing import Any

from tests.hosts.inprocess import running
from tests.support import Client, bearer, login, make_auth, register


async def visit(app: Callable[[Any], Any]) -> str:
    """Send a request of a logged-in user through an app that is made with the `Auth`; return the id of the user."""
    async with make_auth() as auth:
        user_id = await register(auth)
        made = app(auth)
        async with running(made):
            answer = await Client(made, bearer(await login(auth))).get("/")
            assert answer.status == 200, answer.body
            await asyncio.sleep(0.05)
    return user_id
