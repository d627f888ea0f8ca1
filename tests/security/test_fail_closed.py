"""What can't be checked is refused: the database away at each call in turn, crypto that raises, a hook that breaks."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from asgi_auth import Argon2, Auth, AuthApp, AuthMiddleware, Passwords, Sessions
from asgi_auth.crypto.argon2 import PasswordHasher
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.feature import Call, Feature, LoginAttempt, PasswordService
from asgi_auth.storage.driver import Connection
from asgi_auth.storage.sqlite import SQLite
from tests.support import EMAIL, PASSWORD, Client, CountingStorage, bearer, login, make_auth, register, who

ACCOUNT = {"email": EMAIL, "password": PASSWORD}
REQUESTS = {
    "me": ("GET", "/auth/me", None),
    "sessions": ("GET", "/auth/sessions", None),
    "export": ("GET", "/auth/me/export", None),
    "logout": ("POST", "/auth/logout", None),
    "login": ("POST", "/auth/login", ACCOUNT),
    "change": ("POST", "/auth/change-password", {"current_password": PASSWORD, "new_password": "another battery"}),
    "host": ("GET", "/", None),
}


@pytest.mark.parametrize("name", REQUESTS)
@pytest.mark.parametrize("error", [StorageUnavailableError, ValueError])
async def test_without_the_database_no_one_gets_anything(name: str, error: type[Exception]) -> None:
    method, path, body = REQUESTS[name]
    storage = CountingStorage()
    async with make_auth(storage, revocation="strict") as auth:
        await register(auth)
        headers = bearer(await login(auth))
        client = Client(AuthMiddleware(who, auth, mount="/auth", required=True))

        async def away(_: str) -> None:
            raise error

        storage.before = away
        answer = await client.request(method, path, json_body=body, headers=headers)
        storage.before = None

        assert answer.status == (503 if error is StorageUnavailableError else 500)
        assert EMAIL not in answer.body.decode()
        assert answer.cookies == {}
        assert (await client.get("/", headers=headers)).status == 200


async def test_a_logout_that_was_not_written_is_not_told_as_done() -> None:
    storage = CountingStorage()
    async with make_auth(storage, max_revocation_lag=60) as auth:
        await register(auth)
        pair = await login(auth)
        client = Client(AuthApp(auth))

        async def away(_: str) -> None:
            raise StorageUnavailableError

        for path, body in (
            ("/logout", None),
            ("/logout-all", None),
            ("/logout", {"refresh_token": pair.refresh_token}),
        ):
            storage.before = away
            answer = await client.post(path, body, headers=bearer(pair) if body is None else {})
            storage.before = None
            assert answer.status == 503
            listed = (await client.get("/sessions", headers=bearer(pair))).json["sessions"]
            assert len(listed) == 1


async def test_a_hasher_that_fails_lets_no_one_in(auth: Auth, client: Client) -> None:
    await register(auth)
    auth[PasswordService].hasher = BrokenHasher(Argon2.cheap())
    answer = await client.post("/auth/login", ACCOUNT)

    assert (answer.status, answer.json["code"]) == (500, "internal_error")


@pytest.mark.parametrize("broken", ["verify", "decode"])
async def test_a_signature_that_can_not_be_checked_is_none(
    auth: Auth, client: Client, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    def fails(*_: Any) -> Any:
        raise ValueError

    await register(auth)
    pair = await login(auth)
    if broken == "verify":
        tokens = auth.access_tokens
        use = tokens._use_keys()
        monkeypatch.setattr(tokens, "_use", use._replace(verifiers=dict.fromkeys(use.verifiers, fails)))
    else:
        monkeypatch.setattr("asgi_auth.sessions.token_text.base64url_decode", fails)

    answer = await client.get("/", headers=bearer(pair))

    assert (answer.json["id"], answer.json["error"]) == ("", "invalid_token")


class Broken(Feature):
    """A feature of the host's own whose hooks fail."""

    def __init__(self, *hooks: str) -> None:
        self.hooks = hooks

    async def authenticate(self, scope: object) -> None:  # noqa: ARG002 (a hook)
        self._fail("authenticate")

    async def before(self, call: Call) -> None:  # noqa: ARG002 (a hook)
        self._fail("before")

    async def before_login(self, login: LoginAttempt) -> None:  # noqa: ARG002 (a hook)
        self._fail("before_login")

    async def second_factor(self, login: LoginAttempt) -> tuple[str, ...]:  # noqa: ARG002 (a hook)
        self._fail("second_factor")
        return ()

    def _fail(self, hook: str) -> None:
        if hook in self.hooks:
            raise RuntimeError(hook)


@pytest.mark.parametrize("hook", ["before", "before_login", "second_factor"])
async def test_a_hook_that_fails_refuses(hook: str) -> None:
    broken = Broken()
    async with make_auth(features=[Passwords(argon2=Argon2.cheap()), Sessions(), broken]) as auth:
        user_id = await register(auth)
        broken.hooks = (hook,)

        answer = await Client(AuthApp(auth)).post("/login", ACCOUNT)

        assert (answer.status, answer.json["code"]) == (500, "internal_error")
        assert await auth.storage.sessions(user_id, 0, 0) == []


async def test_a_hook_that_fails_to_recognise_lets_no_one_in() -> None:
    reached: list[Scope] = []

    async def host(scope: Scope, _receive: Receive, _send: Send) -> None:
        reached.append(scope)

    async with make_auth(features=[Passwords(argon2=Argon2.cheap()), Broken("authenticate")]) as auth:
        answer = await Client(AuthMiddleware(host, auth)).get("/")

    assert (answer.status, reached) == (500, [])


async def test_cancelling_is_passed_on_and_answers_nothing() -> None:
    async def cancelled(_: str) -> None:
        raise asyncio.CancelledError

    storage = CountingStorage()
    async with make_auth(storage, max_revocation_lag=60) as auth:
        await register(auth)
        storage.before = cancelled

        with pytest.raises(asyncio.CancelledError):
            await Client(AuthApp(auth)).post("/login", ACCOUNT)
        storage.before = None

        assert (await Client(AuthApp(auth)).post("/login", ACCOUNT)).status == 200


async def test_no_transaction_is_open_while_a_password_is_hashed_or_a_mail_is_sent() -> None:
    open_ones: list[int] = []
    storage = Watched()
    async with make_auth(storage, mailer=lambda _: open_ones.append(storage.depth)) as auth:
        auth[PasswordService].hasher = WatchingHasher(storage, open_ones)
        client = Client(AuthApp(auth))

        await client.post("/register", ACCOUNT)
        await auth.mail.idle()
        headers = bearer((await client.post("/login", ACCOUNT)).json["access_token"])
        await client.post("/forgot-password", {"email": EMAIL})
        await auth.mail.idle()
        await client.post("/change-password", REQUESTS["change"][2], headers=headers)
        await auth.mail.idle()

    assert len(open_ones) >= 6
    assert set(open_ones) == {0}


class BrokenHasher(PasswordHasher):
    """Has no memory left."""

    def _matches(self, hashed: str, password: str) -> bool:
        raise MemoryError(len(hashed) + len(password))


class WatchingHasher(PasswordHasher):
    """Notes how many transactions are open while it works."""

    def __init__(self, storage: "Watched", noted: list[int]) -> None:
        super().__init__(Argon2.cheap())
        self.storage = storage
        self.noted = noted

    async def hash(self, password: str) -> str:
        self.noted.append(self.storage.depth)
        return await super().hash(password)

    async def verify(self, hashed: str | None, password: str) -> bool:
        self.noted.append(self.storage.depth)
        return await super().verify(hashed, password)


class Watched(SQLite):
    """Knows how many transactions are open."""

    def __init__(self) -> None:
        super().__init__(":memory:")
        self.depth = 0
        begin = self._driver.transaction

        @asynccontextmanager
        async def counting() -> AsyncIterator[Connection]:
            async with begin() as connection:
                self.depth += 1
                try:
                    yield connection
                finally:
                    self.depth -= 1

        self._driver.transaction = counting  # type: ignore[method-assign]
