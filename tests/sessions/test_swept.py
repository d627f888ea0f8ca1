"""Sessions that end all at once are one entry: no process keeps them one by one, and none is judged by its id alone."""

import asyncio
import logging
from collections.abc import Callable

import pytest

from asgi_auth import Auth
from asgi_auth.errors import InvalidTokenError
from asgi_auth.model.answers import TokenPair
from asgi_auth.model.revocations import Access
from asgi_auth.sessions import ends
from asgi_auth.sessions.ended import GREATEST, text_of
from tests.sessions.test_revocation import eventually
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import Clock, login, make_auth, register

Fresh = Callable[[str], str]
LAST = text_of(GREATEST)


def session_of(auth: Auth, pair: TokenPair) -> str:
    return auth.access_tokens.read(str(pair.access_token))[0].sid


async def accepts(auth: Auth, pair: TokenPair) -> bool:
    try:
        await auth.authenticate(str(pair.access_token))
    except InvalidTokenError:
        return False
    return True


class Asked:
    """Counts the sessions that an `Auth` asks its database for, and can hold back an answer."""

    def __init__(self, auth: Auth) -> None:
        self.number = 0
        self.has_answered, self.go_on = asyncio.Event(), asyncio.Event()
        self.go_on.set()
        self._access = auth.storage.access
        auth.storage.access = self.access  # type: ignore[method-assign]

    async def access(self, session_id: str, now: int) -> Access | None:
        self.number += 1
        answer = await self._access(session_id, now)
        self.has_answered.set()
        await self.go_on.wait()
        return answer


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_the_end_of_everything_reaches_other_processes_and_each_session_is_asked_for_once(
    driver: str, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ends, "BATCH", 3)
    async with make_auth(fresh(driver)) as here, make_auth(fresh(driver)) as there:
        await register(here)
        pairs = [await login(here) for _ in range(7)]
        assert await accepts(there, pairs[0])

        await here.end_everything()
        assert await eventually(lambda: _knows(there, pairs[6]))
        asked = Asked(there)
        later = await login(here)

        assert [await accepts(auth, pair) for auth in (here, there) for pair in pairs] == [False] * 14
        assert asked.number == 7
        assert not await accepts(there, pairs[0])
        assert await accepts(there, later)
        assert asked.number == 7
        # Only those that were used are kept.
        assert len(there.revocation.dead) == 7


async def _knows(auth: Auth, pair: TokenPair) -> bool:
    return session_of(auth, pair) in auth.revocation.dead


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_logins_of_the_same_moment_live_or_die_everywhere(
    driver: str, fresh: Fresh, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ends, "BATCH", 3)
    async with make_auth(fresh(driver), max_sessions=200) as here, make_auth(fresh(driver), max_sessions=200) as there:
        await register(here)
        pairs = [await login(here) for _ in range(6)]

        async def log_in(auth: Auth) -> None:
            pairs.extend([await login(auth) for _ in range(8)])

        await asyncio.gather(log_in(here), here.end_everything(), log_in(there), there.end_everything(), log_in(there))
        for auth in (here, there):
            await auth.revocation.sync()

        rows = await here.storage.run("SELECT id FROM {sessions} WHERE revoked_at IS NULL", {}, read=True)  # type: ignore[attr-defined]
        live = {row["id"] for row in rows}
        for auth in (here, there):
            assert [await accepts(auth, pair) for pair in pairs] == [session_of(auth, pair) in live for pair in pairs]


async def test_a_live_session_among_those_that_ended_is_asked_for_once_for_each_end() -> None:
    async with make_auth() as auth:
        await register(auth)
        pair = await login(auth)
        asked = Asked(auth)
        token = str(pair.access_token)
        assert await accepts(auth, pair)
        assert auth.verifier.cached(token, "bearer") is not None

        for number in (1, 2):
            auth.revocation.sweep(LAST)
            assert auth.verifier.cached(token, "bearer") is None
            assert [await accepts(auth, pair) for _ in range(3)] == [True] * 3
            assert asked.number == number
            assert auth.verifier.cached(token, "bearer") is not None


async def test_an_answer_from_before_an_end_does_not_outlast_it() -> None:
    async with make_auth() as auth:
        await register(auth)
        pair = await login(auth)
        auth.revocation.sweep(LAST)
        asked = Asked(auth)
        asked.go_on.clear()
        slow = asyncio.create_task(accepts(auth, pair))
        await asked.has_answered.wait()

        await auth.end_everything()
        asked.go_on.set()

        assert await slow
        assert not await accepts(auth, pair)


async def test_a_websocket_of_a_session_that_ended_with_all_others_is_closed() -> None:
    async with make_auth() as auth:
        user_id = await register(auth)
        ids = [session_of(auth, await login(auth)) for _ in range(2)]
        closed = list[str]()
        for session_id in ids:
            auth.revocation.watch(session_id, user_id, (), lambda session_id=session_id: closed.append(session_id))  # type: ignore[misc]

        auth.revocation.sweep(ids[0])
        assert closed == [ids[0]]
        auth.revocation.watch(ids[0], user_id, (), lambda: closed.append("at once"))
        assert closed == [ids[0], "at once"]


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_a_failover_that_lost_the_end_of_everything_revives_no_session(
    driver: str, fresh: Fresh, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ends, "BATCH", 2)
    caplog.set_level(logging.WARNING, "asgi_auth")
    async with make_auth(fresh(driver)) as auth:
        await register(auth)
        pairs = [await login(auth) for _ in range(5)]
        await auth.end_everything()
        await auth.revocation.sync()
        later = await login(auth)
        run = auth.storage.run  # type: ignore[attr-defined]
        await run("UPDATE {sessions} SET revoked_at = NULL RETURNING id", {})
        await run("DELETE FROM {changes} RETURNING number", {})

        auth.revocation._position = "of another server"
        await auth.revocation.sync()

        async def all_ended() -> bool:
            rows = await run("SELECT id FROM {sessions} WHERE revoked_at IS NULL", {}, read=True)
            return [row["id"] for row in rows] == [session_of(auth, later)]

        async def is_told() -> bool:
            return "5 sessions again" in caplog.text

        assert await eventually(all_ended)
        assert await eventually(is_told)
        assert [await accepts(auth, pair) for pair in [*pairs, later]] == [False] * 5 + [True]


async def test_the_entry_is_dropped_after_the_life_of_an_access_token_and_not_before() -> None:
    clock = Clock()
    async with make_auth(clock=clock) as auth:
        await register(auth)
        session_id = session_of(auth, await login(auth))
        auth.revocation.sweep(LAST)

        clock.move(auth.settings.access_ttl)
        await auth.revocation.sync()
        assert session_id in auth.revocation.dead
        clock.move(60)
        await auth.revocation.sync()
        assert session_id not in auth.revocation.dead


async def test_live_sessions_that_were_asked_for_are_kept_in_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("asgi_auth.sessions.ended.MOST_LIVE", 2)
    async with make_auth() as auth:
        await register(auth)
        pairs = [await login(auth) for _ in range(5)]
        auth.revocation.sweep(LAST)

        assert [await accepts(auth, pair) for pair in pairs] == [True] * 5
        assert len(auth.revocation.dead._live) <= 2
