"""Lockout: wrong passwords make an account wait, and only its password; recovery stays open."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from asgi_auth import Account, Argon2, EmailChange, Lockout, MagicLink, PasswordReset, Passwords, Sessions
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.feature import Feature, PasswordService
from asgi_auth.features.defaults import defaults
from asgi_auth.model.records import Event
from tests.features.flows import NEW_PASSWORD, Flows, flows
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import EMAIL, PASSWORD, Answer, CountingHasher, bearer, change_password

WRONG = "not the right one"


@asynccontextmanager
async def locking(storage: str = "sqlite://", **options: int) -> AsyncIterator[Flows]:
    """An app with a lockout, by default after 3 wrong passwords, and without rate limits."""
    features = [
        Passwords(argon2=Argon2.cheap()),
        Sessions(),
        Account(),
        EmailChange(),
        PasswordReset(),
        MagicLink(),
        Lockout(**{"after": 3} | options),
    ]
    async with flows(storage, features=features) as app:
        yield app


async def fail(app: Flows, times: int, email: str = EMAIL) -> list[int]:
    return [(await app.login(WRONG, email)).status for _ in range(times)]


async def guess(app: Flows, token: str, path: str, **fields: Any) -> Answer:
    return await app.client.post(f"/auth/{path}", fields, headers=bearer(token))


def test_both_are_on_by_default() -> None:
    assert {"RateLimits", "Lockout"} <= {type(feature).__name__ for feature in defaults(mail=False)}


@pytest.mark.parametrize(
    "options",
    [{"after": 0}, {"after": 101}, {"pause": 0}, {"longest": 59}, {"memory": 3600}, {"memory": 10**9}],
)
def test_bounds_that_make_no_sense_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="after is"):
        Lockout(**options)


async def test_pauses_grow_to_an_hour_and_the_right_password_waits_as_well() -> None:
    pauses = []
    async with locking(after=10) as app:
        await app.register()
        assert await fail(app, 10) == [401] * 10
        for _ in range(9):
            refused = await app.login()
            assert (refused.status, refused.json["code"]) == (429, "account_locked")
            pauses.append(int(refused.header("retry-after") or 0))
            app.clock.move(pauses[-1] - 1)
            assert (await app.login()).header("retry-after") == "1"
            app.clock.move(1)
            assert (await app.login(WRONG)).status == 401

    assert pauses == [60, 120, 240, 480, 960, 1920, 3600, 3600, 3600]


async def test_an_attacker_has_fifteen_guesses_in_the_first_hour() -> None:
    async with locking(after=10) as app:
        end, guesses = app.clock.at + 3600, 0
        while app.clock.at < end:
            guesses += (await app.login(WRONG)).status == 401
            app.clock.move(10)

    assert guesses == 15


async def test_during_a_pause_no_password_is_looked_at() -> None:
    async with locking() as app:
        hasher = app.auth[PasswordService].hasher = CountingHasher()
        await fail(app, 3)

        await fail(app, 5)

        assert len(hasher.verified) == 3


async def test_a_right_password_clears_its_own_account_only() -> None:
    async with locking() as app:
        await app.register()
        await app.register("eve@example.com")
        await fail(app, 2)
        await fail(app, 2, "eve@example.com")

        assert (await app.login()).status == 200

        assert await fail(app, 4) == [401, 401, 401, 429]
        assert await fail(app, 2, "eve@example.com") == [401, 429]


async def test_a_day_without_attempts_forgets() -> None:
    async with locking() as app:
        await fail(app, 3)
        app.clock.move(86400)

        assert await fail(app, 4) == [401, 401, 401, 429]


async def test_known_and_unknown_accounts_are_locked_alike() -> None:
    seen = []
    async with locking() as app:
        await app.register()
        for email in (EMAIL, "nobody@example.com", "no address"):
            answers = [await app.login(WRONG, email) for _ in range(5)]
            seen.append([(answer.status, answer.headers, answer.body) for answer in answers])

    assert seen[0] == seen[1] == seen[2]


async def test_guesses_at_all_endpoints_are_counted_together() -> None:
    async with locking(after=3) as app:
        await app.register()
        pair = (await app.login()).json["access_token"]

        statuses = [
            (await change_password(app.client, pair, NEW_PASSWORD, current=WRONG)).status,
            (await guess(app, pair, "close-account", password=WRONG)).status,
            (await guess(app, pair, "change-email", new_email="b@example.com", password=WRONG)).status,
            (await change_password(app.client, pair, NEW_PASSWORD)).status,
            (await app.login()).status,
        ]

    assert statuses == [401, 401, 401, 429, 200]


async def test_who_guesses_in_a_session_is_locked_in_it() -> None:
    async with locking() as app:
        await app.register()
        stolen, own = [(await app.login()).json["access_token"] for _ in range(2)]

        guesses = [(await guess(app, stolen, "close-account", password=WRONG)).status for _ in range(4)]

        assert guesses == [401, 401, 401, 429]
        assert (await change_password(app.client, stolen, NEW_PASSWORD)).status == 429
        assert (await change_password(app.client, own, NEW_PASSWORD)).status == 204


async def test_strangers_lock_no_one_out_of_a_live_session() -> None:
    async with locking() as app:
        await app.register()
        pair = (await app.login()).json["access_token"]
        await fail(app, 9)

        asked = await guess(app, pair, "change-email", new_email="b@example.com", password=PASSWORD)

        assert asked.status == 202
        assert (await app.login()).status == 429
        assert (await change_password(app.client, pair, NEW_PASSWORD)).status == 204
        assert (await app.login(NEW_PASSWORD)).status == 200


async def test_a_strangers_session_is_no_way_around_the_lock_of_another_account() -> None:
    async with locking() as app:
        await app.register("eve@example.com")
        eve = await app.headers(email="eve@example.com")
        body = {"email": EMAIL, "password": WRONG}

        statuses = [(await app.client.post("/auth/login", body, headers=eve)).status for _ in range(4)]

    assert statuses == [401, 401, 401, 429]


async def test_right_passwords_in_a_session_lock_nothing() -> None:
    async with locking() as app:
        await app.register()
        pair = (await app.login()).json["access_token"]
        for _ in range(5):
            body = {"new_email": "b@example.com", "password": PASSWORD}
            assert (await guess(app, pair, "change-email", **body)).status == 202

        assert await fail(app, 4) == [401, 401, 401, 429]


async def test_sessions_refresh_and_magic_links_go_on() -> None:
    async with locking() as app:
        await app.register()
        pair = (await app.login()).json
        await fail(app, 4)

        me = await app.client.get("/auth/me", headers=bearer(pair["access_token"]))
        refreshed = await app.client.post("/auth/refresh", {"refresh_token": pair["refresh_token"]})
        await app.client.post("/auth/magic-link", {"email": EMAIL})
        entered = await app.client.post("/auth/magic-link/login", {"token": (await app.mail("magic_link")).token})

        assert (me.status, refreshed.status, entered.status) == (200, 200, 200)
        assert (await app.login()).status == 429


async def test_a_new_password_by_mail_opens_the_door_again() -> None:
    async with locking() as app:
        await app.register()
        await fail(app, 4)

        await app.client.post("/auth/forgot-password", {"email": EMAIL})
        body = {"token": (await app.mail("reset_password")).token, "new_password": NEW_PASSWORD}
        assert (await app.client.post("/auth/reset-password", body)).status == 204

        assert (await app.login(NEW_PASSWORD)).status == 200


async def test_a_counter_that_cannot_count_lets_no_one_in(monkeypatch: pytest.MonkeyPatch) -> None:
    async with locking() as app:
        await app.register()

        async def away(*_: object, **__: object) -> None:
            raise StorageUnavailableError

        monkeypatch.setattr(type(app.auth.storage), "begin_guess", away)
        answer = await app.login()

    assert (answer.status, answer.json["code"]) == (503, "storage_unavailable")


async def test_a_refusal_is_told_to_the_features() -> None:
    heard: list[Event] = []

    class Ears(Feature):
        async def observe(self, event: Event) -> None:
            heard.append(event)

    async with flows(features=[Passwords(argon2=Argon2.cheap()), Lockout(after=1), Ears()]) as app:
        await fail(app, 2)

    (locked,) = [event for event in heard if event.name == "lockout"]
    assert (locked.user_id, locked.client.address, locked.data["endpoint"]) == (None, "192.0.2.7", "login")


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_parallel_guesses_do_not_get_around_it_and_a_restart_forgets_nothing(
    driver: str, fresh: Callable[[str], str]
) -> None:
    async with locking(fresh(driver)) as app:
        await app.register()
        first = await asyncio.gather(*(app.login(WRONG) for _ in range(32)))
        app.clock.move(60)
        second = await asyncio.gather(*(app.login(WRONG) for _ in range(32)))

    async with locking(fresh(driver)) as app:
        app.clock.move(60)
        assert (await app.login()).status == 429
    assert sorted(answer.status for answer in first) == [401] * 3 + [429] * 29
    assert sorted(answer.status for answer in second) == [401] + [429] * 31
