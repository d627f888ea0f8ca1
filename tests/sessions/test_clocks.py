"""Revocation depends on no clock: processes whose clocks differ learn of each other's ends, and never too late."""

import asyncio
import logging
import time
from collections.abc import Callable
from typing import Any

import pytest

from asgi_auth import Auth
from asgi_auth.errors import InvalidTokenError
from asgi_auth.model.answers import TokenPair
from tests.sessions.test_revocation import eventually
from tests.storage.conftest import opened
from tests.support import Clock, login, make_auth, register
from tests.variants import more

SKEWS = (-3 * 86400, more(-600), -6, more(6), 40, more(600), 3 * 86400)
DAY = 86400


class Shifted(Clock):
    """The clock of the machine, shifted by some seconds."""

    def __init__(self, seconds: float) -> None:
        super().__init__(seconds)

    def __call__(self) -> float:
        return time.time() + self.at


@pytest.fixture(params=["sqlite", "postgres18"])
def url(request: pytest.FixtureRequest, fresh: Callable[[str], str]) -> str:
    return fresh(request.param)


@pytest.fixture
def server_url(fresh: Callable[[str], str]) -> str:
    return fresh("postgres18")


async def knows(auth: Auth, session_id: str) -> bool:
    return session_id in auth.revocation.dead


async def refuses(auth: Auth, pair: TokenPair) -> bool:
    try:
        await auth.authenticate(str(pair.access_token))
    except InvalidTokenError:
        return True
    return False


@pytest.mark.parametrize("skew", SKEWS)
async def test_an_end_reaches_a_process_with_another_clock_and_comes_back(url: str, skew: int) -> None:
    async with make_auth(url) as right, make_auth(url, clock=Shifted(skew)) as wrong:
        user_id = await register(right)
        for here, there in ((right, wrong), (wrong, right)):
            pair = await login(right)
            session = (await right.authenticate(str(pair.access_token))).session_id
            other = await login(right)

            assert await here.end_sessions(user_id, only=session) in ([session], [])

            assert await eventually(lambda there=there, session=session: knows(there, session))  # type: ignore[misc]
            assert await eventually(lambda pair=pair: refuses(right, pair))  # type: ignore[misc]
            assert not await refuses(right, other)


@pytest.mark.parametrize("skew", SKEWS)
async def test_a_changed_role_reaches_a_process_with_another_clock(url: str, skew: int) -> None:
    async with make_auth(url, clock=Shifted(skew)) as wrong, make_auth(url) as right:
        user_id = await register(right)
        pair = await login(right)
        await right.authenticate(str(pair.access_token))

        await wrong.users.set_roles(user_id, ["admin"])

        async def is_admin() -> bool:
            return (await right.authenticate(str(pair.access_token))).roles == ("admin",)

        assert await eventually(is_admin)


@pytest.mark.parametrize("skew", [-3 * DAY, 3 * DAY])
async def test_a_process_that_starts_later_knows_what_a_wrong_clock_ended(url: str, skew: int) -> None:
    async with make_auth(url) as right, make_auth(url, clock=Shifted(skew)) as wrong:
        user_id = await register(right)
        pair = await login(right)
        await wrong.end_sessions(user_id)
        await wrong.users.set_roles(user_id, ["admin"])
        again = await login(right)
        await wrong.users.set_roles(user_id, [])

    async with make_auth(url) as later:
        assert await refuses(later, pair)
        assert (await later.authenticate(str(again.access_token))).roles == ()


@pytest.mark.parametrize("ahead", [0, 6, 29])
@pytest.mark.parametrize("behind", [0, 6, 29])
async def test_within_the_leeway_no_token_is_refused(url: str, ahead: int, behind: int) -> None:
    if ahead + behind > 30:
        behind = 30 - ahead
    async with make_auth(url, clock=Shifted(ahead)) as fast, make_auth(url, clock=Shifted(-behind)) as slow:
        await register(fast)
        for maker, judge in ((fast, slow), (slow, fast)):
            pair = await login(maker)
            assert (await judge.authenticate(str(pair.access_token))).is_authenticated
            assert (await judge.refresh(str(pair.refresh_token))).access_token


async def test_a_token_from_the_future_is_asked_about(url: str) -> None:
    async with make_auth(url, clock=Shifted(20)) as fast, make_auth(url) as slow:
        user_id = await register(fast)
        pair = await login(fast)
        assert not await refuses(slow, pair)

        await fast.storage.end_sessions(user_id, int(fast.now()))

        assert await refuses(slow, pair)


@pytest.mark.parametrize("skew", [-600, 40, 600])
async def test_a_difference_to_the_databases_clock_is_said_once_and_makes_the_process_ask(
    server_url: str, skew: int, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "asgi_auth")
    clock = Shifted(skew)
    async with make_auth(server_url, clock=clock) as wrong, make_auth(server_url) as right:
        for _ in range(3):
            await wrong.revocation.sync()
            await right.revocation.sync()
        findings = [item for item in wrong.check() if item.setting == "clock"]
        said = [record.getMessage() for record in caplog.records if "the clock of this process" in record.getMessage()]

        assert (wrong.revocation.is_fresh(), right.revocation.is_fresh()) == (False, True)
        assert [item.setting for item in right.check() if item.setting == "clock"] == []
        assert len(findings) == len(said) == 1
        assert f"{abs(skew)} seconds {'ahead of' if skew > 0 else 'behind'}" in findings[0].reason

        clock.at = 0
        await wrong.revocation.sync()

        assert wrong.revocation.is_fresh()
        assert not any(item.setting == "clock" for item in wrong.check())


async def test_a_slow_query_is_no_difference_of_clocks(server_url: str) -> None:
    async with make_auth(server_url, leeway=0) as auth:
        await auth.revocation.sync()
        watch = auth.revocation.clock

        for database, difference in ((105.0, 0), (100.0, 0), (99.0, -1), (112.0, 2)):
            watch.compare(100.0, database, 110.0)
            assert watch.difference == difference


async def test_an_end_that_is_committed_late_is_not_missed(server_url: str) -> None:
    async with make_auth(server_url) as here, make_auth(server_url) as there:
        user_id = await register(here)
        late, early = await login(here), await login(here)
        ids = [(await here.authenticate(str(pair.access_token))).session_id for pair in (late, early)]
        async with here.storage.transaction() as inside:
            await inside.end_sessions(user_id, int(time.time()), only=ids[0])
            await there.end_sessions(user_id, only=ids[1])
            for _ in range(3):
                await there.revocation.sync()
            assert ids[0] not in there.revocation.dead

        await there.revocation.sync()

        assert ids[0] in there.revocation.dead


async def test_after_a_restore_of_the_database_the_feed_goes_on(fresh: Callable[[str], str]) -> None:
    async with make_auth(fresh("sqlite")) as auth, opened("sqlite", fresh("sqlite")) as other:
        user_id = await register(auth)
        for _ in range(3):
            await login(auth)
        await auth.end_sessions(user_id)
        await auth.revocation.sync()
        pair = await login(auth)
        await other.run("DELETE FROM {changes}", {})
        await other.run("DELETE FROM sqlite_sequence", {})

        await other.end_sessions(user_id, int(time.time()))

        assert await eventually(lambda: refuses(auth, pair))


async def test_a_clock_that_is_set_back_forgets_no_end(url: str) -> None:
    clock = Shifted(0)
    async with make_auth(url, clock=clock, access_ttl=3600) as auth:
        user_id = await register(auth)
        pair = await login(auth)
        await auth.end_sessions(user_id)
        for seconds in (0, 5000, 0, 4000, 10, 5000, 20):
            clock.at = seconds
            await auth.revocation.sync()
            await auth.revocation.sync()
            assert await refuses(auth, pair)


async def test_a_clock_that_was_ahead_keeps_no_purge_from_running(fresh: Callable[[str], str]) -> None:
    clock = Clock()
    async with make_auth(fresh("sqlite"), clock=clock, purge_interval=3600) as auth:
        started: list[Any] = []
        auth.purger._in_background = lambda: _note(started)  # type: ignore[method-assign]
        for seconds in (0, 30 * DAY, -30 * DAY, 3600, 3600):
            clock.move(seconds)
            auth.purger.nudge()
            await asyncio.sleep(0.01)

    assert len(started) >= 2


async def _note(started: list[Any]) -> None:
    started.append(1)
