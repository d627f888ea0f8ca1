"""What features hear of, and what is known of the call that runs."""

import asyncio
import contextvars
import logging
from typing import Any

import pytest

from asgi_auth import Argon2, Auth, Identity, Lockout, Passwords, Sessions
from asgi_auth.accounts.passwords import PasswordService
from asgi_auth.errors import AccountLockedError, InvalidCredentialsError, UnauthorizedError
from asgi_auth.events import stream
from asgi_auth.feature import Call, Feature, post
from asgi_auth.feature.call import running
from asgi_auth.model.records import Client as Caller
from asgi_auth.model.records import Event
from asgi_auth.validation.fields import Email, Secret
from tests.support import EMAIL, PASSWORD, login, make_auth, register

ACCOUNT = {"email": EMAIL, "password": PASSWORD}


class Ears(Feature):
    """Wants logins only."""

    observes = ("login",)

    def __init__(self) -> None:
        self.heard: list[str] = []

    async def observe(self, event: Event) -> None:
        self.heard.append(event.name)


def features(*more: Feature) -> list[Feature]:
    return [Passwords(argon2=Argon2.cheap()), Sessions(), *more]


async def test_a_feature_hears_of_nothing_that_it_does_not_want(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING, "asgi_auth")
    made: list[str] = []

    def noted(**values: Any) -> Event:
        made.append(values["name"])
        return Event(**values)

    monkeypatch.setattr(stream, "Event", noted)
    ears = Ears()
    async with make_auth(features=features(ears)) as auth:
        await register(auth)
        for _ in range(2):
            await login(auth)

    assert ears.heard == ["login"] * 2
    assert made == ["login"] * 2


class Watcher(Feature):
    """Keeps the notes of every call, and what was known of them when something happened."""

    def __init__(self) -> None:
        self.notes: list[dict[str, Any]] = []
        self.seen: list[tuple[str, str | None]] = []

    async def before(self, call: Call) -> None:
        assert running.get() is call.notes
        call.notes["mine"] = call.endpoint.name
        self.notes.append(call.notes)

    async def observe(self, event: Event) -> None:
        self.seen.append((event.name, (running.get() or {}).get("mine")))


async def test_the_notes_of_a_call_are_known_while_it_runs_and_are_empty_afterwards() -> None:
    watcher = Watcher()
    async with make_auth(features=features(watcher)) as auth:
        await register(auth)
        assert running.get() is None
        with pytest.raises(UnauthorizedError):
            await auth[Passwords].login(email=EMAIL, password="not the right one")
        await auth.emit("login")

    assert watcher.seen == [("register", "register"), ("login", None), ("login", None)]
    assert watcher.notes == [{}, {}]


async def test_a_task_that_a_call_has_begun_keeps_no_password() -> None:
    tasks: list[asyncio.Task[contextvars.Context]] = []

    class Starter(Feature):
        async def before(self, call: Call) -> None:  # noqa: ARG002 (a hook)
            async def later() -> contextvars.Context:
                await asyncio.sleep(0.01)
                return contextvars.copy_context()

            tasks.append(asyncio.create_task(later()))

    async with make_auth(features=features(Starter())) as auth:
        await register(auth)
        context = await tasks[0]

    assert context[running] == {}
    assert PASSWORD not in repr(dict(context))


class Transfer(Feature):
    """Names another account, and wants the password of the caller."""

    @post("/transfer", guesses="password")
    async def transfer(
        self,
        *,
        email: Email,  # noqa: ARG002 (limits read it)
        password: Secret,
        identity: Identity,
        client: Caller = Caller(),
    ) -> None:
        """Ask for the password."""
        await self.auth[PasswordService].reauthenticate(identity, password, client)


async def locked(auth: Auth, email: str) -> bool:
    """Guess once."""
    try:
        await auth[Passwords].login(email=email, password="not the right one")
    except InvalidCredentialsError:
        return False
    except AccountLockedError:
        return True
    raise AssertionError


async def test_a_right_password_forgets_no_guesses_at_an_account_that_was_only_named() -> None:
    async with make_auth(features=features(Lockout(after=4), Transfer())) as auth:
        await register(auth, "victim@example.com")
        await register(auth)
        identity = await auth.authenticate(str((await login(auth)).access_token))
        for _ in range(2):
            assert not await locked(auth, "victim@example.com")

        await auth[Transfer].transfer(email="victim@example.com", password=PASSWORD, identity=identity)

        # The transfer was counted as the third.
        assert not await locked(auth, "victim@example.com")
        assert await locked(auth, "victim@example.com")
