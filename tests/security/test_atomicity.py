"""Every flow is all or nothing: the database goes away, or the client, before each of its statements in turn."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from asgi_auth.errors import StorageUnavailableError
from tests.features.flows import NEW_PASSWORD, Flows, flows
from tests.support import EMAIL, PASSWORD, Answer, CountingStorage

Call = Callable[[], Awaitable[Answer]]
Flow = Callable[[Flows], Awaitable[Call]]
STATE = {
    "users": "SELECT email_canonical, email_verified, status FROM auth_users ORDER BY email_canonical",
    "passwords": "SELECT version FROM auth_credentials ORDER BY created_at, version",
    "sessions": "SELECT generation FROM auth_sessions WHERE revoked_at IS NULL ORDER BY generation",
    "tokens": "SELECT purpose FROM auth_tokens WHERE used_at IS NULL ORDER BY purpose",
}


@dataclass
class Trouble:
    """What happens instead of the statement of a number."""

    error: type[BaseException]
    countdown: int

    async def __call__(self, _: str) -> None:
        self.countdown -= 1
        if self.countdown == 0:
            raise self.error


async def registering(app: Flows) -> Call:
    return lambda: app.register("eve@example.com")


async def finishing_a_registration(app: Flows) -> Call:
    await app.register("eve@example.com")
    token = (await app.mail("register")).token
    return lambda: app.client.post("/auth/verify-email", {"token": token, "password": PASSWORD})


async def logging_in(app: Flows) -> Call:
    return app.login


async def refreshing(app: Flows) -> Call:
    body = {"refresh_token": (await app.login()).json["refresh_token"]}
    return lambda: app.client.post("/auth/refresh", body)


async def logging_out(app: Flows) -> Call:
    headers = await app.headers()
    return lambda: app.client.post("/auth/logout", headers=headers)


async def changing_the_password(app: Flows) -> Call:
    headers = await app.headers()
    await app.login()
    body = {"current_password": PASSWORD, "new_password": NEW_PASSWORD}
    return lambda: app.client.post("/auth/change-password", body, headers=headers)


async def resetting_the_password(app: Flows) -> Call:
    await app.login()
    await app.client.post("/auth/forgot-password", {"email": EMAIL})
    body = {"token": (await app.mail("reset_password")).token, "new_password": NEW_PASSWORD}
    return lambda: app.client.post("/auth/reset-password", body)


async def changing_the_address(app: Flows) -> Call:
    body = {"new_email": "grace@example.org", "password": PASSWORD}
    await app.client.post("/auth/change-email", body, headers=await app.headers())
    token = (await app.mail("change_email")).token
    return lambda: app.client.post("/auth/confirm-email-change", {"token": token, "password": PASSWORD})


async def closing_the_account(app: Flows) -> Call:
    headers = await app.headers()
    return lambda: app.client.post("/auth/close-account", {"password": PASSWORD}, headers=headers)


FLOWS = [
    registering,
    finishing_a_registration,
    logging_in,
    refreshing,
    logging_out,
    changing_the_password,
    resetting_the_password,
    changing_the_address,
    closing_the_account,
]


async def tried(flow: Flow, trouble: Trouble) -> tuple[Any, Any, int, int]:
    """The rows before and after a call that has trouble, its status (0 when cancelled), and that of a second call."""
    storage = CountingStorage()
    async with flows(storage, max_revocation_lag=60, verification="required", enumeration="hide") as app:
        await app.register()
        token = (await app.mail("register")).token
        await app.client.post("/auth/verify-email", {"token": token, "password": PASSWORD})
        app.clock.move(61)
        call = await flow(app)
        before = await rows(storage)
        storage.before = trouble
        try:
            status = (await call()).status
        except asyncio.CancelledError:
            status = 0
        storage.before = None
        await app.auth.mail.idle()
        return before, await rows(storage), status, (await call()).status


async def rows(storage: CountingStorage) -> dict[str, list[Any]]:
    return {name: [tuple(row) for row in await storage.run(text, {})] for name, text in STATE.items()}


@pytest.mark.parametrize("error", [StorageUnavailableError, OSError, asyncio.CancelledError])
@pytest.mark.parametrize("flow", FLOWS)
async def test_a_flow_that_breaks_off_leaves_nothing_or_everything(flow: Flow, error: type[BaseException]) -> None:
    _, done, status, _ = await tried(flow, Trouble(error, 0))
    assert status < 300

    number, undone, status = 0, 0, 503
    while status in {0, 500, 503}:
        number += 1
        before, after, status, again = await tried(flow, Trouble(error, number))

        assert after in (before, done), f"statement {number}"
        assert after == done or again < 300, "a second try succeeds"
        undone += after == before != done
    assert number > 1
    assert after == done
    assert undone > 0


@pytest.mark.parametrize("error", [StorageUnavailableError, asyncio.CancelledError])
async def test_a_refresh_that_breaks_off_at_any_moment_is_repeated_and_never_looks_like_theft(
    error: type[BaseException],
) -> None:
    number, status = 0, 503
    while status in {0, 503}:
        number += 1
        _, _, status, again = await tried(refreshing, Trouble(error, number))

        assert again == 200
    assert number > 1
