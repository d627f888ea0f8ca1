"""The heartbeat proves that the database is current: an isolated primary is not believed for longer than the lag."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import pytest

from asgi_auth import Auth, AuthMiddleware, Sessions
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.model.revocations import Beat
from asgi_auth.sessions import heartbeat
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.testing.records import NOW
from tests.postgres import Server
from tests.sessions.test_revocation import eventually
from tests.storage.conftest import SERVERS, opened
from tests.support import Client, bearer, login, make_auth, register, who

Fresh = Callable[[str], str]
LAG = 1.0
CANCEL = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
#: A standby that is not there: commits wait for it, as on a primary that has lost its network.
ISOLATED = ("synchronous_standby_names", "'nobody'")


@pytest.fixture(params=SERVERS)
async def storage(request: pytest.FixtureRequest, fresh: Fresh) -> AsyncIterator[SQLStorage]:
    async with opened(request.param, fresh(request.param)) as found:
        yield found


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    started = Server(15)
    yield started
    started.close()


@asynccontextmanager
async def setting(server: Server, name: str, value: str) -> AsyncIterator[None]:
    """Change a setting of the server for a while."""
    await asyncio.to_thread(_set, server, f"SET {name} = {value}")
    try:
        yield
    finally:
        await asyncio.to_thread(_set, server, f"RESET {name}")


def _set(server: Server, change: str) -> None:
    server.sql(f"ALTER SYSTEM {change}")
    server.sql("SELECT pg_reload_conf()")


async def is_fresh(auth: Auth) -> bool:
    return auth.revocation.is_fresh()


async def is_old(auth: Auth) -> bool:
    return not auth.revocation.is_fresh()


async def test_a_beat_is_written_when_the_one_before_is_old_and_proves_that_one(storage: SQLStorage) -> None:
    first = await storage.beat(60)
    assert first is not None
    assert await storage.beat(60) is None
    before = (await storage.changes_since(NOW)).heartbeat
    second = await storage.beat(-1, Beat(server=first.server, at=first.at - 30))
    after = (await storage.changes_since(NOW)).heartbeat

    assert second is not None
    assert before is not None
    assert after is not None
    assert first.server == second.server == before.server == after.server
    # Nothing was proven before the first beat was known to be acknowledged.
    assert before.proven > 10**9
    # The second beat proves the first one, half a minute older than it is, and not itself.
    assert after.age >= 0
    assert 29 < after.proven - after.age < 90


async def test_a_beat_of_another_server_proves_nothing(storage: SQLStorage) -> None:
    await storage.beat(-1)
    await storage.beat(-1, Beat(server="another", at=time.time()))

    shown = (await storage.changes_since(NOW)).heartbeat
    assert shown is not None
    assert shown.proven > 10**9


async def test_a_proof_from_the_future_is_replaced(storage: SQLStorage) -> None:
    beat = await storage.beat(-1)
    await storage.run("UPDATE {heartbeat} SET beat_at = beat_at + 99, proven_at = beat_at + 99 RETURNING id", {})

    # A beat from the future is not a young one.
    assert (await storage.beat(60, beat)) is not None
    shown = (await storage.changes_since(NOW)).heartbeat
    assert shown is not None
    assert 0 <= shown.proven < 60


async def test_many_processes_write_one_heartbeat(storage: SQLStorage) -> None:
    await storage.beat(-1)
    await storage.run("UPDATE {heartbeat} SET beat_at = beat_at - 99 RETURNING id", {})

    assert sum([beat is not None for beat in await asyncio.gather(*(storage.beat(60) for _ in range(16)))]) == 1


async def test_one_idle_process_stays_fresh_and_others_follow_when_it_ends(server: Server) -> None:
    url = server.database()
    async with make_auth(url, max_revocation_lag=LAG) as there:
        async with make_auth(url, max_revocation_lag=LAG) as here:
            for _ in range(30):
                assert await eventually(lambda: is_fresh(here))
                assert await eventually(lambda: is_fresh(there))
                await asyncio.sleep(0.05)
        # No process has the task to write the heartbeat now.
        for _ in range(30):
            assert await eventually(lambda: is_fresh(there))
            await asyncio.sleep(0.05)


async def test_a_primary_that_cannot_commit_is_not_believed(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    async with make_auth(server.database(), max_revocation_lag=LAG) as auth:
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        await register(auth)
        pair = await login(auth)
        assert (await client.get("/", headers=bearer(pair))).status == 200

        async with setting(server, *ISOLATED):
            # The looks go on while a proof is sought: the database answers all queries, and has the session.
            monkeypatch.setattr(heartbeat, "LONGEST", 0.1)
            assert await eventually(lambda: is_old(auth), 4 * LAG)
            refused = await client.get("/", headers=bearer(pair))
            again = await client.get("/", headers=bearer(pair))
            assert await auth.storage.user(await _id(auth, pair.access_token)) is not None

        assert (refused.status, again.status) == (503, 503)
        assert refused.json["code"] == "storage_unavailable"

        async def answers_again() -> bool:
            return (await client.get("/", headers=bearer(pair))).status == 200

        assert await eventually(answers_again, 10)


async def _id(auth: Auth, token: str | None) -> str:
    return auth.access_tokens.read(str(token))[0].sub


async def test_strict_does_not_believe_it_either(server: Server) -> None:
    async with make_auth(server.database(), max_revocation_lag=LAG, revocation="strict") as auth:
        await register(auth)
        pair = await login(auth)
        await auth.authenticate(str(pair.access_token))

        async with setting(server, *ISOLATED):
            await asyncio.sleep(LAG)
            with pytest.raises(StorageUnavailableError):
                await auth.authenticate(str(pair.access_token))


async def test_what_a_primary_shows_of_a_beat_that_was_not_acknowledged_is_no_proof(server: Server) -> None:
    """The wait for the standby is cancelled: the commit shows, but the other servers may lack it."""
    async with opened("postgres15", server.database()) as storage, setting(server, *ISOLATED):
        beating = asyncio.create_task(storage.beat(-1))

        async def is_cancelled() -> bool:
            return bool(await asyncio.to_thread(server.sql, CANCEL))

        assert await eventually(is_cancelled, 5)
        with pytest.raises(StorageUnavailableError):
            await beating
        shown = (await storage.changes_since(NOW)).heartbeat

        assert shown is not None
        assert shown.age < 60
        assert shown.proven > 10**9


async def test_a_time_limit_of_the_role_does_not_acknowledge_a_beat(server: Server) -> None:
    """A wait for the standby that is cancelled looks like a commit. PostgreSQL has no time limit for it."""
    url = server.database() + "?options=-c%20statement_timeout%3D2s"
    async with opened("postgres15", url, timeout=5.0) as storage, setting(server, *ISOLATED):
        with pytest.raises(StorageUnavailableError):
            await storage.beat(-1)


async def test_a_process_that_freezes_before_its_commit_does_not_stop_the_beats_of_others(storage: SQLStorage) -> None:
    frozen = storage.transaction()
    await (await frozen.__aenter__()).beat(-1)

    assert await storage.beat(-1) is not None
    # The server has ended the transaction of the frozen process.
    with pytest.raises(StorageUnavailableError):
        await frozen.__aexit__(None, None, None)


async def test_a_primary_that_only_reads_is_asked(server: Server) -> None:
    async with make_auth(server.database(), max_revocation_lag=LAG) as auth:
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        await register(auth)
        ended, alive = await login(auth), await login(auth)
        identity = await auth.authenticate(str(ended.access_token))
        await auth[Sessions].logout(identity=identity)

        statuses = set()
        async with setting(server, "default_transaction_read_only", "on"):
            for _ in range(30):
                statuses.add((await client.get("/", headers=bearer(alive))).status)
                await asyncio.sleep(LAG / 10)
            refused = await client.get("/", headers=bearer(ended))

        assert statuses == {200}
        assert not refused.json["id"]
