"""Sequences with all defaults: strangers slow down strangers alone, and no pause tells who has an account."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from asgi_auth import Argon2, AuthMiddleware, MemoryCounters, Passwords
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.feature import Feature, PasswordService
from asgi_auth.features.defaults import defaults
from asgi_auth.model.records import User, new_id
from asgi_auth.storage import Storage
from tests.browsers import COOKIE
from tests.features.flows import Flows, flows
from tests.storage.conftest import FILES_AND_SERVERS, connect
from tests.support import EMAIL, PASSWORD, Answer, Client, bearer, change_password, who

HOME, OFFICE, EVIL = "198.51.100.7", "192.0.2.44", "203.0.113.66"
UNKNOWN, WRONG = "nobody@example.com", "not the right one"


@asynccontextmanager
async def all_defaults(storage: str | Storage = "sqlite://", **options: Any) -> AsyncIterator[Flows]:
    """An app with the default features and the cheapest hash, and a user."""
    others: list[Feature] = [item for item in defaults(mail=True) if not isinstance(item, Passwords)]
    async with flows(storage, features=[Passwords(argon2=Argon2.cheap()), *others], **options) as app:
        await app.auth.start()
        service = app.auth[PasswordService]
        user = User(id=new_id(app.clock()), email=EMAIL, email_canonical=EMAIL, created_at=0, updated_at=0)
        await app.auth.storage.add_user(user, service.credential(user.id, await service.hasher.hash(PASSWORD)))
        yield app


async def log_in(
    app: Flows, ip: str, password: str = PASSWORD, email: str = EMAIL, client: Client | None = None
) -> Answer:
    body = {"email": email, "password": password}
    return await (client or app.client).post("/auth/login", body, scope={"client": (ip, 1)})


async def storm(app: Flows, email: str = EMAIL, ip: str = EVIL) -> None:
    """Guess until the account is locked for strangers."""
    for number in range(40):
        if (await log_in(app, ip, WRONG, email)).json["code"] == "account_locked":
            return
        app.clock.move(7 if number else 0)
    raise AssertionError


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_known_clients_log_in_while_strangers_are_locked(driver: str, fresh: Callable[[str], str]) -> None:
    async with all_defaults(fresh(driver)) as app:
        browser = Client(AuthMiddleware(who, app.auth, mount="/auth"), COOKIE, keep_cookies=True)
        assert (await log_in(app, OFFICE, client=browser)).status == 200
        assert (await log_in(app, HOME)).status == 200

        await storm(app)

        assert (await log_in(app, EVIL)).status == 429
        assert (await log_in(app, "198.51.100.200")).status == 429
        assert (await log_in(app, HOME)).status == 200
        assert (await log_in(app, EVIL, client=browser)).status == 200
        assert (await log_in(app, OFFICE)).status == 429


async def test_each_known_client_has_guesses_of_its_own() -> None:
    async with all_defaults() as app:
        for ip in (HOME, OFFICE):
            assert (await log_in(app, ip)).status == 200

        await storm(app, ip=HOME)

        assert (await log_in(app, HOME)).json["code"] == "account_locked"
        assert (await log_in(app, OFFICE)).status == 200
        assert (await log_in(app, EVIL, WRONG)).status == 401


@pytest.mark.parametrize("counters", ["database", "memory"])
async def test_many_device_cookies_of_one_thief_are_no_way_around_the_limits(counters: str) -> None:
    own: dict[str, Any] = {"counters": MemoryCounters()} if counters == "memory" else {}
    async with all_defaults(**own) as app:
        devices = [Client(AuthMiddleware(who, app.auth, mount="/auth"), COOKIE, keep_cookies=True) for _ in range(13)]
        for device in devices:
            assert (await log_in(app, EVIL, client=device)).status == 200
            app.clock.move(7)
        assert (await log_in(app, HOME)).status == 200

        judged = 0
        for device in devices:
            while (await log_in(app, EVIL, WRONG, client=device)).status == 401:
                judged += 1
                app.clock.move(6)

        assert judged <= 100 + 10
        assert (await log_in(app, HOME)).json["code"] == "account_locked"
        # The mail opens the account for the owner, whose network is that of a known client.
        await app.client.post("/auth/request-unlock", {"email": EMAIL}, scope={"client": (HOME, 1)})
        token = (await app.mail("unlock")).token
        assert (await app.client.post("/auth/unlock", {"token": token}, scope={"client": (HOME, 1)})).status == 204
        assert (await log_in(app, HOME)).status == 200
        # A day later the known clients are known again.
        app.clock.move(86400)
        assert (await log_in(app, HOME)).status == 200


async def test_a_session_goes_on_while_all_others_are_locked() -> None:
    async with all_defaults() as app:
        pair = (await log_in(app, HOME)).json["access_token"]
        await storm(app)
        await storm(app, ip=HOME)

        assert (await app.client.get("/auth/me", headers=bearer(pair))).status == 200
        assert (await change_password(app.client, pair, "another battery staple")).status == 204


@pytest.mark.parametrize("path", ["forgot-password", "request-unlock", "resend-verification"])
async def test_a_mail_can_be_asked_for_whatever_others_have_asked(path: str) -> None:
    async with all_defaults() as app:
        for number in range(400):
            await app.client.post(f"/auth/{path}", {"email": EMAIL}, scope={"client": (f"203.0.113.{number % 200}", 1)})

        answer = await app.client.post(f"/auth/{path}", {"email": EMAIL}, scope={"client": (HOME, 1)})

    assert answer.status == 202


async def test_a_newcomer_registers_whatever_others_have_sent_for_the_address() -> None:
    async with all_defaults(enumeration="hide") as app:
        body = {"email": "new@example.com", "password": PASSWORD}
        statuses = [
            (await app.client.post("/auth/register", body, scope={"client": (EVIL, 1)})).status for _ in range(61)
        ]

        assert statuses[-1] == 429
        assert (await app.client.post("/auth/register", body, scope={"client": (HOME, 1)})).status == 202


@pytest.mark.parametrize("counters", ["database", "memory"])
async def test_the_owners_logins_change_nothing_that_a_stranger_sees(counters: str) -> None:
    own: dict[str, Any] = {"counters": MemoryCounters()} if counters == "memory" else {}
    seen = []
    async with all_defaults(**own) as app:
        for email in (EMAIL, UNKNOWN):
            answers = []
            for step in range(60):
                answer = await log_in(app, EVIL, WRONG, email)
                answers.append((answer.status, answer.headers, answer.body))
                if email == EMAIL and step % 4 == 1:
                    await log_in(app, HOME, PASSWORD if step % 8 == 1 else WRONG)
                app.clock.move(37)
            seen.append(answers)
            app.clock.move(86400 * 2)

    assert [item[0] for item in seen[0]] == [item[0] for item in seen[1]]
    assert seen[0] == seen[1]


async def test_an_unlock_changes_nothing_that_a_stranger_sees() -> None:
    async with all_defaults() as app:
        for _ in range(11):
            app.clock.move(7)
            answers = [(await log_in(app, EVIL, WRONG, email)).json["code"] for email in (EMAIL, UNKNOWN)]
        assert answers == ["account_locked"] * 2
        await app.client.post("/auth/request-unlock", {"email": EMAIL}, scope={"client": (HOME, 1)})
        token = (await app.mail("unlock")).token
        assert (await app.client.post("/auth/unlock", {"token": token}, scope={"client": (HOME, 1)})).status == 204

        assert (await log_in(app, HOME)).status == 200
        assert [(await log_in(app, EVIL, WRONG, email)).status for email in (EMAIL, UNKNOWN)] == [429, 429]


async def test_a_success_forgets_the_wrong_passwords_of_its_own_network_only() -> None:
    async with all_defaults() as app:
        for ip, times in ((HOME, 4), (EVIL, 5)):
            for _ in range(times):
                assert (await log_in(app, ip, WRONG)).status == 401
        assert (await log_in(app, HOME)).status == 200
        app.clock.move(61)

        assert [(await log_in(app, EVIL, WRONG)).status for _ in range(6)] == [401] * 5 + [429]


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_right_passwords_at_once_all_succeed(
    driver: str, fresh: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """No limit refuses them. They have the time that a busy machine takes for so many logins."""
    monkeypatch.setattr("asgi_auth.limits.rules.LONGEST_WAIT", 120)
    async with all_defaults(connect(driver, fresh(driver), timeout=120)) as app:
        answers = await asyncio.gather(*(log_in(app, HOME) for _ in range(20)))
        again = await asyncio.gather(*(log_in(app, HOME) for _ in range(20)))

    assert {(answer.status, answer.header("ratelimit-policy")) for answer in [*answers, *again]} == {(200, None)}


async def test_wrong_passwords_among_right_ones_are_counted_exactly() -> None:
    async with all_defaults() as app:
        sent = [WRONG] * 12 + [PASSWORD] * 4
        answers = await asyncio.gather(*(log_in(app, EVIL, password) for password in sent))

    assert [answer.status for answer in answers[:12]].count(401) == 10
    assert {answer.status for answer in answers[12:]} <= {200, 429}


async def test_what_the_server_did_not_judge_is_no_guess(monkeypatch: pytest.MonkeyPatch) -> None:
    async with all_defaults() as app:
        hasher = app.auth[PasswordService].hasher

        async def away(*_: object) -> None:
            raise StorageUnavailableError

        async def broken(*_: object) -> bool:
            raise RuntimeError

        async def gone(*_: object) -> bool:
            raise asyncio.CancelledError

        for name, fail, status in (("verify", away, 503), ("verify", broken, 500)):
            with monkeypatch.context() as patch:
                patch.setattr(hasher, name, fail)
                assert {(await log_in(app, HOME)).status for _ in range(25)} == {status}
            app.clock.move(61)
        with monkeypatch.context() as patch:
            patch.setattr(hasher, "verify", gone)
            for _ in range(12):
                with pytest.raises(asyncio.CancelledError):
                    await log_in(app, HOME)
        app.clock.move(61)

        assert [(await log_in(app, HOME, WRONG)).status for _ in range(11)] == [401] * 10 + [429]


async def test_a_wrong_password_that_could_not_be_counted_is_not_told(monkeypatch: pytest.MonkeyPatch) -> None:
    async with all_defaults() as app:

        async def away(*_: object, **__: object) -> None:
            raise StorageUnavailableError

        monkeypatch.setattr(type(app.auth.storage), "end_guess", away)

        assert (await log_in(app, HOME, WRONG)).status == 503
        assert (await log_in(app, HOME)).status == 200
