"""Reads from a streaming standby: never older than the bound, never in place of own writes, and never an error."""

import asyncio
import subprocess
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any

import pytest

from asgi_auth import Audit, AuthApp
from asgi_auth.bounds.replica import calling, reading_replica
from asgi_auth.feature import pipeline
from asgi_auth.storage import postgres
from asgi_auth.storage.postgres import Postgres
from asgi_auth.testing.records import NOW, a_credential, a_session, a_user, added, at_once
from tests.postgres import Server
from tests.support import Client, bearer, login, make_auth, register

BOUND, LONG = 1.0, 600.0


class Cluster:
    """A primary, a standby that may stop to follow, and another process that changes users."""

    def __init__(self, primary: Server, standby: Server, database: str) -> None:
        self.primary = primary
        self.standby = standby
        self.dsn, self.read_dsn = primary.dsn(database), standby.dsn(database)

    def storage(self, max_staleness: float = LONG, **options: Any) -> Postgres:
        return Postgres(self.dsn, read_dsn=self.read_dsn, max_staleness=max_staleness, **options)

    @asynccontextmanager
    async def opened(self, max_staleness: float = LONG, **options: Any) -> AsyncIterator[Postgres]:
        storage = self.storage(max_staleness, **options)
        await storage.open()
        await storage.migrate(NOW)
        yield storage
        await storage.close()

    async def follow(self, *, follows: bool) -> None:
        """Let the standby stop at what it has, or go on."""
        await asyncio.to_thread(self.standby.sql, f"select pg_wal_replay_{'resume' if follows else 'pause'}()")

    async def caught_up(self) -> None:
        """Wait until the standby has all, also if it has just begun."""
        position = await asyncio.to_thread(self.primary.sql, "select pg_current_wal_lsn()")
        question = f"select pg_last_wal_replay_lsn() >= '{position}'"
        has = ""
        async with asyncio.timeout(30):
            while has != "t":
                with suppress(subprocess.CalledProcessError):
                    has = await asyncio.to_thread(self.standby.sql, question)
                await asyncio.sleep(0.02)

    async def change(self, value: str, user_id: str = "user-1") -> None:
        """Change a user as another process does."""
        sql = f"update auth_users set roles = '[\"{value}\"]' where id = '{user_id}'"
        await asyncio.to_thread(self.primary.sql, sql, self.dsn)


@pytest.fixture(scope="module")
def servers_of_cluster() -> Iterator[tuple[Server, Server]]:
    primary = Server(15)
    standby = Server(15, primary)
    yield primary, standby
    standby.close()
    primary.close()


@pytest.fixture
async def cluster(servers_of_cluster: tuple[Server, Server]) -> AsyncIterator[Cluster]:
    primary, standby = servers_of_cluster
    made = Cluster(primary, standby, primary.database().rpartition("/")[2])
    await made.caught_up()
    yield made
    await made.follow(follows=True)


async def roles(storage: Postgres, *, allowed: bool = True, user_id: str = "user-1", by: str = "") -> tuple[str, ...]:
    with calling(by), reading_replica(allowed=allowed):
        user = await storage.user(user_id)
    return user.roles if user else ()


async def other_process(cluster: Cluster, storage: Postgres) -> Postgres:
    """Add a user, let the standby fall behind, change the user, and open a storage that has proven it before."""
    await added(storage, roles=("old",))
    await cluster.caught_up()
    other = cluster.storage()
    await other.open()
    await proven(other)
    await cluster.follow(follows=False)
    await cluster.change("new")
    return other


async def proven(storage: Postgres) -> None:
    """Read until the replica has answered."""
    replica: Any = storage._of_replica
    async with asyncio.timeout(20):
        while not replica._proven:
            await roles(storage)
            await asyncio.sleep(0.02)


async def test_reads_come_from_the_replica_only_where_they_may(cluster: Cluster) -> None:
    async with cluster.opened() as storage:
        other = await other_process(cluster, storage)

        assert await roles(other) == ("old",)
        with reading_replica():
            assert [user.roles for user in await other.users(limit=5)] == [("old",)]
            assert await other.count_users(role="new") == 0
            stored = await other.stored("user-1")
            assert stored is not None
            assert stored.user.roles == ("old",)
        assert await roles(other, allowed=False) == ("new",)
        assert [user.roles for user in await other.users(limit=5)] == [("new",)]
        with reading_replica():
            async with other.transaction() as inside:
                user = await inside.user("user-1")
                assert user is not None
                assert user.roles == ("new",)
            found = await other.user_with_credential("a1@example.com", "password")
            assert found is None or found[0].roles == ("new",)
        await other.close()


async def test_what_the_replica_does_not_have_yet_is_read_from_the_primary(cluster: Cluster) -> None:
    """A session of a login at another process is there at once, also with `strict`."""
    async with cluster.opened() as storage:
        other = await other_process(cluster, storage)
        credential = a_credential(a_user())
        await storage.add_session(a_session(a_user()), credential, 1)

        with reading_replica():
            access = await other.access("session-1", NOW)
            assert len(await other.sessions("user-1", NOW, 0)) == 1

        assert access is not None
        assert access.alive
        await other.close()


async def test_own_writes_are_read_from_the_primary(cluster: Cluster) -> None:
    async with cluster.opened() as storage:
        other = await other_process(cluster, storage)
        assert await added(other, 2)
        assert await roles(other, user_id="user-1") == ("old",)

        await other.update_user("user-1", {"status": "disabled"}, NOW)
        assert await roles(other) == ("new",)

        await other.close()
        await other.open()
        async with other.transaction() as inside:
            with calling("user-9"):
                await inside.update_user("user-2", {"roles": ("changed",)}, NOW)
        await cluster.change("newest")
        # Of a user who has written, all reads: a list does not name the users that it shows.
        with calling("user-9"), reading_replica():
            assert {user.roles for user in await other.users(limit=5)} == {("newest",), ("changed",)}
        with calling("user-8"), reading_replica():
            assert {user.roles for user in await other.users(limit=5)} == {("old",)}
        await other.close()


async def test_a_replica_that_falls_behind_is_never_older_than_the_bound(cluster: Cluster) -> None:
    async with cluster.opened(BOUND) as storage:
        await added(storage, roles=("0",))
        await cluster.caught_up()
        other = cluster.storage(BOUND)
        await other.open()
        await proven(other)
        written: list[float] = [time.monotonic()]
        end, old = time.monotonic() + 5, 0

        async def write() -> None:
            while time.monotonic() < end:
                await cluster.change(str(len(written)))
                written.append(time.monotonic())
                if len(written) % 4 == 2:
                    await cluster.follow(follows=False)

        async def resume() -> None:
            while time.monotonic() < end:
                await asyncio.sleep(2)
                await cluster.follow(follows=True)

        async def read() -> int:
            began = time.monotonic()
            number = int((await roles(other))[0])
            due = sum(at <= began - BOUND for at in written) - 1
            assert number >= due, "a read shows all that was written a bound before it"
            return int(number < sum(at <= began for at in written) - 1)

        working = asyncio.gather(write(), resume())
        while not working.done():
            old += await read()
            await asyncio.sleep(0.01)
        await working

        assert old > 0, "some reads came from the replica while it was behind"
        await other.close()


@pytest.mark.parametrize("trouble", ["frozen", "gone"])
async def test_without_its_replica_everything_is_read_from_the_primary(trouble: str, cluster: Cluster) -> None:
    async with cluster.opened(BOUND) as storage:
        await added(storage, roles=("old",))
    async with cluster.opened(BOUND) as storage:
        await cluster.caught_up()
        await proven(storage)
        try:
            if trouble == "frozen":
                cluster.standby.freeze()
            else:
                cluster.standby.kill()
            await cluster.change("new")
            await asyncio.sleep(BOUND)
            for _ in range(3):
                assert await at_once(lambda _: roles(storage), 8) == [("new",)] * 8
                await asyncio.sleep(0.4)
        finally:
            cluster.standby.thaw()
            if trouble == "gone":
                # Not in another thread: the server ends with the thread that has started it.
                cluster.standby.start()


async def test_a_server_that_is_no_standby_is_never_asked(cluster: Cluster) -> None:
    """It may be a primary of before a failover. A database that was never there is as bad."""
    async with cluster.opened() as storage:
        await added(storage, roles=("old",))
    for port in (cluster.primary.port, 1):
        read_dsn = cluster.primary.dsn(cluster.dsn.rpartition("/")[2], port)
        other = Postgres(cluster.dsn, read_dsn=read_dsn, max_staleness=LONG)
        await other.open()
        for _ in range(5):
            assert await roles(other) == ("old",)
            await asyncio.sleep(0.15)
        assert not other._of_replica._proven  # type: ignore[union-attr]
        await other.close()


async def test_a_wrong_bound_is_refused() -> None:
    with pytest.raises(ValueError, match="max_staleness"):
        Postgres("postgresql://a/x", read_dsn="postgresql://b/x", max_staleness=0)


async def test_endpoints_that_show_something_read_from_the_replica(
    cluster: Cluster, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A standby on a machine under load may take longer than that for an answer, and then the primary is asked.
    monkeypatch.setattr(postgres, "SLOW", 30.0)
    async with make_auth(cluster.storage()) as auth:
        await register(auth)
    async with make_auth(cluster.storage(), revocation="strict") as auth:
        pair = await login(auth)
        client, replica = Client(AuthApp(auth)), auth.storage._of_replica  # type: ignore[attr-defined]
        # While it follows: a heartbeat or an audit record that comes after would never be replayed, and prove nothing.
        await proven(auth.storage)  # type: ignore[arg-type]
        await auth[Audit].queue.flush()
        await cluster.caught_up()
        await cluster.follow(follows=False)
        replica._writers.clear()
        await asyncio.to_thread(cluster.primary.sql, "update auth_users set roles = '[\"new\"]'", cluster.dsn)

        seen: list[bool] = []

        def noted(*, allowed: bool = True) -> Any:
            seen.append(allowed)
            return reading_replica(allowed=allowed)

        monkeypatch.setattr(pipeline, "reading_replica", noted)

        # `strict` asks the replica as well; a login and a refresh do not.
        assert (await client.get("/me", headers=bearer(pair))).json["roles"] == []
        assert seen == [True]
        again = await login(auth)
        assert seen == [True, False]
        assert (await auth.authenticate(again.access_token)).roles == ("new",)
        assert (await client.get("/me", headers=bearer(pair))).json["roles"] == ["new"], "after a login, of its user"
