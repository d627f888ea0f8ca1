"""Rate limits: notation, each key, what is shared and what isn't, and that no answer tells who has an account."""

import asyncio
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import urlencode

import pytest

from asgi_auth import Argon2, MemoryCounters, Passwords, RateLimits
from asgi_auth.errors import RateLimitedError, StorageUnavailableError
from asgi_auth.model.limits import Rule, parse_rules
from asgi_auth.model.records import Window
from asgi_auth.runtime.library import endpoints_of_library
from tests.features.flows import Flows
from tests.features.limited import WRONG, limited, login
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import EMAIL, PASSWORD, Answer, bearer, change_password, make_auth


async def token(app: Flows, **fields: str) -> Answer:
    headers = {"content-type": "application/x-www-form-urlencoded"}
    return await app.client.post("/auth/token", body=urlencode(fields).encode(), headers=headers)


def in_session(app: Flows, pair: Any) -> list[Callable[[], Any]]:
    """The ways to guess a password for who is logged in."""
    headers, fields = bearer(pair), {"new_email": "b@example.com", "password": WRONG}
    return [
        lambda: change_password(app.client, pair, "another battery staple", current=WRONG),
        lambda: app.client.post("/auth/close-account", {"password": WRONG}, headers=headers),
        lambda: app.client.post("/auth/change-email", fields, headers=headers),
    ]


def test_rules_are_read_and_put_in_one_order() -> None:
    assert parse_rules("7/d/all,5/15m/account, 10/m/ip,1/2h/ip") == [
        Rule("ip", 60, 10),
        Rule("ip", 7200, 1),
        Rule("account", 900, 5),
        Rule("all", 86400, 7),
    ]
    assert parse_rules("3/30s/ip") == [Rule("ip", 30, 3)]
    assert parse_rules("") == []


@pytest.mark.parametrize(
    "text", ["10", "10/m", "0/m/ip", "10/0m/ip", "10/w/ip", "10/m/user", "-1/m/ip", "1.5/m/ip", "10/m/ip;5/h/ip"]
)
def test_wrong_notation_is_refused_when_made(text: str) -> None:
    with pytest.raises(ValueError, match="no limit"):
        RateLimits(rules={"login": text})


def test_two_limits_for_the_same_are_refused_when_made() -> None:
    with pytest.raises(ValueError, match="the same twice"):
        RateLimits(rules={"login": "10/60s/ip, 5/m/ip"})


def test_an_endpoint_that_is_not_there_is_refused_when_made() -> None:
    with pytest.raises(ValueError, match="there is no endpoint sign_in"):
        make_auth(features=[Passwords(), RateLimits(rules={"sign_in": "1/m/ip"})])
    assert make_auth(features=[Passwords(), RateLimits(rules={"magic_link": "1/m/ip"})])


def test_every_endpoint_that_takes_secrets_or_sends_mail_has_limits_by_default() -> None:
    wanted = "login token register forgot_password reset_password verify_email resend_verification refresh"
    wanted += " change_password change_email close_account magic_link magic_link_login"
    wanted += " request_unlock unlock confirm_email_change"

    assert set(wanted.split()) <= {item.name for item in endpoints_of_library() if item.rules or item.guesses}


async def test_an_account_is_limited_over_all_addresses_and_spellings() -> None:
    async with limited(rules={"login": "3/m/account"}) as app:
        spellings = [EMAIL, EMAIL.upper(), "Ada@Example.com", EMAIL]
        answers = [await login(app, email, ip=f"192.0.2.{number}") for number, email in enumerate(spellings)]

        assert [answer.status for answer in answers] == [401, 401, 401, 429]
        assert (await login(app, "bob@example.com")).status == 401


async def test_an_address_is_limited_over_all_accounts_and_other_addresses_are_not() -> None:
    async with limited(rules={"login": "3/m/ip"}) as app:
        answers = [await login(app, f"u{number}@example.com") for number in range(4)]

        assert [answer.status for answer in answers] == [401, 401, 401, 429]
        assert (await login(app, ip="192.0.2.8")).status == 401


async def test_all_together_may_be_limited() -> None:
    async with limited(rules={"register": "2/m/all"}) as app:
        answers = [await app.register(f"u{number}@example.com") for number in range(3)]

        assert [answer.status for answer in answers] == [201, 201, 429]


async def test_several_limits_hold_at_once_and_end_with_their_period() -> None:
    async with limited(rules={"login": "2/m/ip, 3/h/ip"}) as app:
        seen = []
        for seconds in (0, 0, 0, 59, 1, 0, 3539, 1):
            app.clock.move(seconds)
            seen.append((await login(app)).status)

        assert seen == [401, 401, 429, 429, 401, 429, 429, 401]


async def test_an_empty_rule_is_no_limit() -> None:
    async with limited(rules={"login": ""}) as app:
        assert {(await login(app)).status for _ in range(15)} == {401}


async def test_the_answer_says_when_to_try_again_and_which_limit_it_was() -> None:
    async with limited(rules={"login": "9/m/ip, 1/5m/account"}) as app:
        await login(app)
        app.clock.move(10)

        answer = await login(app)

    assert (answer.status, answer.json["code"]) == (429, "rate_limited")
    assert answer.header("content-type") == "application/problem+json"
    assert answer.header("retry-after") == "290"
    assert answer.header("ratelimit-policy") == '"account";q=1;w=300'
    assert answer.header("ratelimit") == '"account";r=0;t=290'


async def test_an_office_behind_one_address_logs_in() -> None:
    async with limited() as app:
        for number in range(50):
            assert (await app.register(f"u{number}@example.com")).status == 201

        answers = [await login(app, f"u{number}@example.com", PASSWORD) for number in range(50)]

        assert {answer.status for answer in answers} == {200}


async def test_what_an_address_may_not_do_uses_up_no_calls_of_an_account() -> None:
    async with limited(rules={"login": "2/m/ip, 4/m/account"}) as app:
        for _ in range(9):
            await login(app)

        assert [(await login(app, ip="192.0.2.8")).status for _ in range(3)] == [401, 401, 429]


async def test_all_that_takes_a_password_shares_one_counter() -> None:
    async with limited() as app:
        statuses = []
        for number in range(6):
            statuses.append((await login(app, ip=f"192.0.2.{number}")).status)
            statuses.append((await token(app, grant_type="password", username=EMAIL.upper(), password=WRONG)).status)

    assert statuses == [401, 400] * 5 + [429] * 2


async def test_a_session_is_limited_by_its_own_guesses_and_not_by_those_of_strangers() -> None:
    async with limited() as app:
        await app.register()
        pair = (await app.login()).json["access_token"]
        assert [(await login(app, ip="192.0.2.8")).status for _ in range(11)][-1] == 429

        statuses = [(await guess()).status for _ in range(4) for guess in in_session(app, pair)]

    assert statuses == [401] * 10 + [429] * 2


async def test_the_token_endpoint_answers_as_oauth2_and_refreshes_by_another_limit() -> None:
    async with limited(rules={"token": "2/m/account", "refresh": "3/m/ip"}) as app:
        await app.register()
        pair = (await token(app, grant_type="password", username=EMAIL, password=PASSWORD)).json
        for _ in range(2):
            await token(app, grant_type="password", username=EMAIL, password=WRONG)

        guess = await token(app, grant_type="password", username=EMAIL, password=WRONG)
        refreshed = [
            await token(app, grant_type="refresh_token", refresh_token=pair["refresh_token"]) for _ in range(3)
        ]
        both = await app.client.post("/auth/refresh", {"refresh_token": pair["refresh_token"]})

    assert (guess.status, guess.json["error"], guess.json.keys()) == (
        429,
        "temporarily_unavailable",
        {"error", "error_description"},
    )
    assert guess.header("retry-after") == "60"
    assert [answer.status for answer in refreshed] == [200] * 3
    assert both.status == 429


class CountedCounters(MemoryCounters):
    """Knows how often a limit was asked for."""

    asked = 0

    async def limit(self, windows: Sequence[Window], now: int) -> tuple[int, int] | None:
        self.asked += 1
        return await super().limit(windows, now)


async def test_refreshes_are_counted_by_the_process_for_itself() -> None:
    counters = CountedCounters()
    async with limited(rules={"refresh": "2/m/ip"}, counters=counters) as app:
        await app.register()
        pair = (await app.login()).json
        before = counters.asked

        answers = [await app.client.post("/auth/refresh", {"refresh_token": pair["refresh_token"]}) for _ in range(3)]

        assert [answer.status for answer in answers] == [200, 200, 429]
        assert counters.asked == before == 3


async def test_ones_own_success_resets_no_counter() -> None:
    async with limited(rules={"login": "4/m/ip"}) as app:
        await app.register("eve@example.com")
        statuses = []
        for _ in range(3):
            statuses.append((await login(app)).status)
            statuses.append((await login(app, "eve@example.com", PASSWORD)).status)

        assert statuses == [401, 200, 401, 200, 429, 429]


async def test_a_known_and_an_unknown_account_are_refused_alike() -> None:
    seen = []
    async with limited(rules={"login": "2/m/account", "register": ""}) as app:
        await app.register()
        for email in (EMAIL, "nobody@example.com"):
            answers = [await login(app, email) for _ in range(4)]
            seen.append([(answer.status, answer.headers, answer.body) for answer in answers])

    assert seen[0] == seen[1]


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_parallel_calls_are_counted_exactly_and_a_restart_forgets_nothing(
    driver: str, fresh: Callable[[str], str]
) -> None:
    async with limited(fresh(driver), {"login": "40/m/ip, 5/m/account"}) as app:
        answers = await asyncio.gather(*(login(app) for _ in range(32)))
        (row,) = await app.auth.storage.run("SELECT COUNT(*) AS n FROM {counters}", {})  # type: ignore[attr-defined]
        rows = await app.auth.storage.run("SELECT * FROM {counters}", {})  # type: ignore[attr-defined]

    async with limited(fresh(driver), {"login": "40/m/ip, 5/m/account"}) as app:
        assert (await login(app, ip="192.0.2.8")).status == 429
    assert sorted(answer.status for answer in answers) == [401] * 5 + [429] * 27
    assert row["n"] == 2
    assert min(row["count"] for row in rows) == 5
    assert "@" not in repr([dict(item) for item in rows])
    assert "192.0.2" not in repr([dict(item) for item in rows])


async def test_in_process_the_account_is_limited_too() -> None:
    auth = make_auth(features=[Passwords(argon2=Argon2.cheap()), RateLimits(rules={"register": "1/m/account"})])
    async with auth:
        await auth[Passwords].register(email=EMAIL, password=PASSWORD)
        with pytest.raises(RateLimitedError):
            await auth[Passwords].register(email=EMAIL, password=PASSWORD)


async def test_without_the_database_it_is_503(monkeypatch: pytest.MonkeyPatch) -> None:
    async with limited() as app:

        async def away(*_: object) -> None:
            raise StorageUnavailableError

        monkeypatch.setattr(type(app.auth.storage), "limit", away)
        answer = await login(app)

    assert (answer.status, answer.json["code"]) == (503, "storage_unavailable")
