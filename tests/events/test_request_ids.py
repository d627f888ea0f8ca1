"""One call has one request id, in all of its events: over HTTP and in process."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from asgi_auth import Auth, Outbox, Passwords
from asgi_auth.errors import InvalidCredentialsError
from asgi_auth.feature import Event
from asgi_auth.model.event_types import ACTIONS
from tests.support import EMAIL, PASSWORD, cheap, login, make_auth, register

Step = Callable[[Auth, str], Awaitable[Any]]


async def log_in(auth: Auth, _: str) -> None:
    await login(auth)


async def change_password(auth: Auth, _: str) -> None:
    identity = await auth.authenticate((await login(auth)).access_token)
    await auth[Passwords].change_password(
        current_password=PASSWORD, new_password="another horse battery", identity=identity
    )


STEPS: dict[str, Step] = {
    "login": log_in,
    "change_password": change_password,
    "end_sessions": lambda auth, user_id: auth.end_sessions(user_id),
    "set_status": lambda auth, user_id: auth.users.set_status(user_id, "disabled"),
    "changed": lambda auth, user_id: auth.users.changed(user_id),
    "delete": lambda auth, user_id: auth.users.delete(user_id),
}


@pytest.mark.parametrize("step", STEPS)
async def test_a_call_in_process_has_one_request_id(step: str) -> None:
    seen: list[Event] = []
    async with make_auth(features=cheap(mail=True), mailer=Outbox(), verification="optional") as auth:
        user_id = await register(auth)
        for _ in range(2):
            await login(auth)
        for name in ACTIONS:
            for outcome in ("success", "failure"):
                auth.on(name, seen.append, outcome=outcome)
        await STEPS[step](auth, user_id)

    ids = [event.client.request_id for event in seen if event.name != "mail"]
    assert len(ids) >= 1
    assert all(ids)
    assert len(set(ids)) == (2 if step == "change_password" else 1)


async def test_refusals_and_further_calls_have_ids_of_their_own() -> None:
    seen: list[Event] = []
    async with make_auth() as auth:
        await register(auth)
        for outcome in ("success", "failure"):
            auth.on("login", seen.append, outcome=outcome)
        await login(auth)
        with pytest.raises(InvalidCredentialsError):
            await auth[Passwords].login(email=EMAIL, password="wrong horse battery")

    assert len({event.client.request_id for event in seen}) == 2
