"""Refreshes across an outage of the database, and after a failover that lost some of them."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from asgi_auth import Auth, Passwords, Sessions
from asgi_auth.crypto.argon2 import Argon2
from asgi_auth.errors import AuthError, StorageUnavailableError, TokenReuseError, TokenRevokedError
from asgi_auth.model.answers import TokenPair
from asgi_auth.storage import Storage
from asgi_auth.storage.postgres import Postgres
from tests.features.test_refresh import Listener
from tests.postgres import Server
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import Clock, login, make_auth, register

#: What an asynchronous failover does: the row is as it was before the last refreshes.
LOSE = "UPDATE {sessions} SET generation = generation - :lost, used_generation = 0"
#: Seconds in which each process sees that its database is away, or back.
SEEN = 30


@asynccontextmanager
async def processes(storage: Callable[[], str | Storage], clock: Clock, number: int) -> AsyncIterator[list[Auth]]:
    """As many processes' worth of `Auth` on one database: they share nothing in memory."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                make_auth(storage(), clock=clock, features=[Listener(), Passwords(argon2=Argon2.cheap()), Sessions()])
            )
            for _ in range(number)
        ]


async def outcome(auth: Auth, token: str) -> type[AuthError] | str:
    """The new refresh token, or the kind of the refusal."""
    try:
        return (await auth.refresh(token)).refresh_token
    except AuthError as error:
        return type(error)


async def lose(auth: Auth, lost: int) -> None:
    await auth.storage.run(LOSE, {"lost": lost})  # type: ignore[attr-defined]


async def entered(auth: Auth, refreshes: int) -> list[TokenPair]:
    """Log a new user in, refresh so often, and use each pair; the last one comes first."""
    await register(auth)
    pairs = [await login(auth)]
    for _ in range(refreshes):
        pairs.insert(0, await auth.refresh(pairs[0].refresh_token))
        await auth.authenticate(pairs[0].access_token)
    return pairs


@pytest.fixture
def mortal() -> Iterator[Server]:
    server = Server(15)
    yield server
    server.close()


@pytest.fixture(params=FILES_AND_SERVERS)
def url(request: pytest.FixtureRequest, fresh: Callable[[str], str]) -> str:
    return fresh(request.param)


async def until(tell: Callable[[], bool]) -> None:
    async with asyncio.timeout(SEEN):
        while not tell():  # noqa: ASYNC110 (what it waits for has no event)
            await asyncio.sleep(0.02)


async def test_who_could_not_repeat_a_refresh_during_an_outage_does_it_afterwards(clock: Clock, mortal: Server) -> None:
    """Two tabs refresh at once; one has its answer and goes on, and the other one meets a failover of 25 seconds."""
    dsn = mortal.database()
    async with processes(lambda: Postgres(dsn, timeout=2), clock, 2) as (here, there):
        first, before = await entered(here, 1)
        mortal.kill()
        await until(lambda: here.revocation.outages.is_on and there.revocation.outages.is_on)
        assert await outcome(there, before.refresh_token) is StorageUnavailableError
        clock.move(25)
        mortal.start()
        await until(lambda: not here.revocation.outages.is_on and not there.revocation.outages.is_on)

        clock.move(9)
        for auth in (here, there):
            assert await outcome(auth, before.refresh_token) == first.refresh_token
            assert auth[Listener].names[-1] == "refresh_repeated"
        clock.move(2)

        assert await outcome(there, before.refresh_token) is TokenReuseError
        assert await outcome(here, first.refresh_token) is TokenRevokedError


async def test_requests_that_fail_prolong_no_grace(auth: Auth, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the process's own looks at the database tell of an outage: a client can make its own requests fail."""
    first, before = await entered(auth, 1)

    async def full(*_: object, **__: object) -> None:
        raise StorageUnavailableError

    with monkeypatch.context() as patch:
        patch.setattr(auth.storage, "rotate_session", full)
        for _ in range(3):
            assert await outcome(auth, before.refresh_token) is StorageUnavailableError
    clock.move(11)

    assert await outcome(auth, before.refresh_token) is TokenReuseError
    assert await outcome(auth, first.refresh_token) is TokenRevokedError


@pytest.mark.parametrize("lost", [1, 2, 3])
async def test_the_newest_token_works_after_a_failover_that_lost_refreshes(url: str, clock: Clock, lost: int) -> None:
    async with processes(lambda: url, clock, 2) as (here, there):
        newest, *_ = await entered(here, 3)
        clock.move(60)
        await lose(here, lost)

        again = await there.refresh(newest.refresh_token)

        assert "refresh_ahead" in there[Listener].names
        assert (await here.authenticate(again.access_token)).session_id
        assert (await here.refresh(again.refresh_token)).refresh_token
        assert here[Listener].names[-1] == "refresh"


async def test_after_such_a_failover_older_tokens_are_thefts(url: str, clock: Clock) -> None:
    async with processes(lambda: url, clock, 2) as (here, there):
        newest, _, _, oldest = await entered(here, 3)
        clock.move(60)
        await lose(here, 1)
        assert await outcome(there, oldest.refresh_token) is TokenReuseError
        assert await outcome(there, newest.refresh_token) is TokenRevokedError


async def test_a_thief_and_a_victim_do_not_both_go_on_after_such_a_failover(url: str, clock: Clock) -> None:
    async with processes(lambda: url, clock, 2) as (here, there):
        newest, stolen, *_ = await entered(here, 3)
        clock.move(60)
        await lose(here, 2)
        # The thief's token is ahead of its session, too: the thief gets what the victim has.
        assert await outcome(there, stolen.refresh_token) == newest.refresh_token
        victim = await here.refresh(newest.refresh_token)
        await here.authenticate(victim.access_token)
        clock.move(11)

        assert await outcome(there, newest.refresh_token) is TokenReuseError
        assert await outcome(here, victim.refresh_token) is TokenRevokedError


async def test_of_many_calls_with_a_token_ahead_all_get_one_successor(url: str, clock: Clock) -> None:
    async with processes(lambda: url, clock, 3) as auths:
        newest, *_ = await entered(auths[0], 3)
        await lose(auths[0], 2)

        found = await asyncio.gather(*(outcome(auth, newest.refresh_token) for auth in auths * 6))

        assert len(set(found)) == 1
        assert isinstance(found[0], str)
        assert sum(auth[Listener].names.count("refresh_ahead") for auth in auths) == 1


async def test_tokens_ahead_and_old_ones_at_once_leave_one_session_or_none(url: str, clock: Clock) -> None:
    """Whatever the order, the old token is rotated in its turn or is a theft; the newest never loses to nothing."""
    async with processes(lambda: url, clock, 2) as (here, there):
        newest, _, older, *_ = await entered(here, 3)
        await lose(here, 2)
        calls: list[Awaitable[type[AuthError] | str]] = [outcome(here, newest.refresh_token)]
        calls += [outcome(there, older.refresh_token), outcome(here, older.refresh_token)]

        ahead, *old = await asyncio.gather(*calls)

        assert ahead in {here.refresh_tokens.make(*_after(here, newest)), TokenRevokedError}
        assert (TokenReuseError in old) or all(isinstance(found, str) for found in old)


def _after(auth: Auth, pair: TokenPair) -> tuple[str, int]:
    session_id, generation = auth.refresh_tokens.read(pair.refresh_token)
    return session_id, generation + 1


async def test_a_token_ahead_revives_no_session_that_this_process_saw_end(url: str, clock: Clock) -> None:
    async with processes(lambda: url, clock, 1) as (auth,):
        newest, *_ = await entered(auth, 1)
        session = await auth.session_of(newest.refresh_token)
        assert session is not None
        await auth.sessions.end(session.user_id, only=session.id)
        await auth.storage.run("UPDATE {sessions} SET revoked_at = NULL", {})  # type: ignore[attr-defined]
        await lose(auth, 1)

        for rotate in (True, False):
            with pytest.raises(TokenRevokedError):
                await auth.refresh(newest.refresh_token, rotate=rotate)


async def test_a_silent_renewal_raises_the_session_to_its_token(url: str, clock: Clock) -> None:
    async with processes(lambda: url, clock, 2) as (here, there):
        newest, before, *_ = await entered(here, 2)
        await lose(here, 2)

        renewed = await there.refresh(newest.refresh_token, rotate=False)

        assert renewed.refresh_token == newest.refresh_token
        clock.move(11)
        assert await outcome(here, before.refresh_token) is TokenReuseError
