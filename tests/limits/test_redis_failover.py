"""Counters in a Redis with Sentinel and in a Redis Cluster: limits hold, and a failover costs some 503 at most."""

import asyncio
import gc
from collections.abc import AsyncIterator, Iterator
from contextlib import closing

import pytest

from asgi_auth import Argon2, Health, Lockout, Passwords, RateLimits, RedisCounters, Sessions
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.model.records import Window
from tests.features.flows import flows
from tests.redis_server import MASTER, RedisCluster, RedisServer, WatchedRedis, missing
from tests.support import bearer

# The library leaves sockets of servers that were killed to the garbage collection, which reports them.
pytestmark = [
    pytest.mark.skipif(bool(missing()), reason=missing()),
    pytest.mark.filterwarnings("ignore::ResourceWarning", "ignore::pytest.PytestUnraisableExceptionWarning"),
]
NOW = 1_800_000_000
#: Seconds in which a failover is over on a busy machine.
FAILOVER = 60


@pytest.fixture(autouse=True)
def collected() -> Iterator[None]:
    """Collect the garbage of a test in the test itself."""
    yield
    gc.collect()


@pytest.fixture
def watched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[WatchedRedis]:
    servers = WatchedRedis(tmp_path_factory.mktemp("sentinel"))
    yield servers
    servers.close()


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisCluster]:
    servers = RedisCluster(tmp_path_factory.mktemp("cluster"))
    yield servers
    servers.close()


@pytest.fixture
async def shared(cluster: RedisCluster) -> AsyncIterator[RedisCounters]:
    counters = RedisCounters(cluster.url, timeout=10)
    yield counters
    await counters.close()


async def counted(counters: RedisCounters, key: str) -> int:
    """Count as soon as it is possible; until then, every refusal is that of the contract."""
    async with asyncio.timeout(FAILOVER):
        while True:
            try:
                return (await counters.count(key, NOW, 60)).count
            except StorageUnavailableError:
                await asyncio.sleep(0.1)


async def test_sentinel_leads_to_the_new_primary(watched: WatchedRedis) -> None:
    counters = RedisCounters(watched.url, timeout=4)
    assert [await counted(counters, "key") for _ in range(3)] == [1, 2, 3]
    watched.replicated()
    watched.primary.process.kill()

    # By many calls at once, as they come while the primary is away.
    found = sorted(await asyncio.gather(*(counted(counters, "key") for _ in range(20))))

    assert found[0] > 3
    assert len(set(found)) == 20
    await counters.close()


async def test_a_primary_that_becomes_a_replica_is_left_at_once(watched: WatchedRedis) -> None:
    counters = RedisCounters(watched.url, timeout=4)
    await asyncio.gather(*(counted(counters, "key") for _ in range(10)))
    watched.replicated()
    watched.sentinels[0].cli("sentinel", "failover", MASTER)
    async with asyncio.timeout(FAILOVER):
        while not watched.primary.cli("role").startswith("slave"):  # noqa: ASYNC110 (another process)
            await asyncio.sleep(0.1)

    assert [await counted(counters, "key") for _ in range(3)] == [11, 12, 13]
    await counters.close()


async def test_an_app_with_sentinel_answers_503_while_there_is_no_primary(watched: WatchedRedis) -> None:
    features = [Passwords(argon2=Argon2.cheap()), RateLimits({"login": "5/m/account"}), Lockout(after=3)]
    async with flows(features=features, counters=RedisCounters(watched.url, timeout=4)) as app:
        await app.register()
        assert [(await app.login("wrong")).status for _ in range(4)] == [401, 401, 401, 429]
        watched.replicated()
        watched.primary.process.kill()
        statuses = [(await app.login()).status]
        async with asyncio.timeout(FAILOVER):
            while statuses[-1] == 503:
                statuses.append((await app.login()).status)

        # The lock was replicated, and holds.
        assert set(statuses) == {503, 429}
        for server in (*watched.replicas, *watched.sentinels):
            server.close()
        assert (await app.login()).status == 503


async def test_a_primary_without_replicas_counts_no_more_while_health_and_requests_go_on(watched: WatchedRedis) -> None:
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), RateLimits({"login": "99/m/account"}), Health()]
    async with flows(features=features, counters=RedisCounters(watched.url, timeout=4)) as app:
        await app.register()
        token = (await app.login()).json["access_token"]
        first, second = watched.replicas
        first.close()
        assert (await app.login()).status == 200  # one replica is enough
        second.close()
        async with asyncio.timeout(FAILOVER):
            while (status := (await app.login()).status) != 503:
                assert status == 200

        assert (await app.client.get("/auth/health")).json == {"status": "ok"}
        assert (await app.client.get("/auth/sessions", headers=bearer(token))).status == 200


def on_each(cluster: RedisCluster, word: str) -> list[str]:
    """One key of each primary, as windows have them."""
    found: dict[int, str] = {}
    for number in range(100):
        key = f"{word}-{number}"
        found.setdefault(cluster.primary_of(f"asgi_auth:{key}").port, key)
        if len(found) == 3:
            return list(found.values())
    raise AssertionError(found)


async def test_windows_on_several_servers_of_a_cluster_are_counted_all_or_none(
    cluster: RedisCluster, shared: RedisCounters
) -> None:
    first, second, third = on_each(cluster, "all")
    windows = [Window(first, 60, 9), Window(second, 60, 5, judged=True), Window(third, 60, 7)]

    admitted = await asyncio.gather(*(shared.limit(windows, NOW) for _ in range(20)))

    assert admitted.count(None) == 5
    assert {full for full in admitted if full} <= {(1, NOW), (0, NOW + 60)}
    kept = [await shared.counter(key, NOW) for key in (first, third)]
    assert [counter and counter.count for counter in kept] == [5, 5]
    await asyncio.gather(*(shared.settle([second], NOW, wrong=True) for _ in range(5)))
    assert await shared.limit(windows, NOW) == (1, NOW + 60)
    kept = [await shared.counter(key, NOW) for key in (first, second, third)]
    assert [counter and counter.count for counter in kept] == [5, 5, 5]


async def test_a_call_that_a_cluster_refuses_leaves_no_window_behind(
    cluster: RedisCluster, shared: RedisCounters
) -> None:
    first, second, _ = on_each(cluster, "none")
    await shared.limit([Window(second, 60, 1)], NOW)

    assert await shared.limit([Window(first, 60, 9, judged=True), Window(second, 60, 1)], NOW) == (1, NOW + 60)

    assert await shared.counter(first, NOW) is None


async def test_a_failover_of_a_cluster_costs_503_and_takes_back_what_was_counted(
    cluster: RedisCluster, shared: RedisCounters
) -> None:
    first, second, _ = on_each(cluster, "away")
    for key in (first, second):
        assert await counted(shared, key) == 1
    cluster.primary_of(f"asgi_auth:{second}").process.kill()
    before, refused = 0, 0
    async with asyncio.timeout(FAILOVER):
        while before == refused:
            before += 1
            try:
                await shared.limit([Window(first, 60, 99), Window(second, 60, 99)], NOW)
            except StorageUnavailableError:
                refused += 1

    kept = await shared.counter(first, NOW)
    assert kept is not None
    # One for the count above, and one for the only call that was not refused.
    assert kept.count == 2
    assert await counted(shared, second) >= 2


async def test_errors_outside_of_the_librarys_hierarchy_are_503_too(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A server that is no part of a cluster: the library raises an error of its own, which is no RedisError."""
    with closing(RedisServer(tmp_path_factory.mktemp("redis"))) as server:
        counters = RedisCounters(server.url.replace("redis://", "redis+cluster://"))
        for call in (counters.count("key", NOW, 60), counters.counter("key", NOW), counters.clear_counter("key")):
            with pytest.raises(StorageUnavailableError):
                await call
        await counters.close()


@pytest.mark.parametrize(
    "url",
    [
        "redis+sentinel://h1,h2",
        "redis+sentinel://h1,h2/service/x",
        "redis+sentinel://h1:x/service",
        "redis+sentinel://h1,,h2/service",
        "redis+sentinel://h1/service?colour=blue",
        "redis+cluster://h1,h2/service",
        "redis+cluster://",
        "redis+cluster://h1?colour=blue",
        "redis+other://h1",
        "http+cluster://h1",
    ],
)
def test_a_url_with_several_hosts_is_checked(url: str) -> None:
    with pytest.raises(ValueError, match="Redis URL"):
        RedisCounters(url)


@pytest.mark.parametrize(
    "url", ["rediss+sentinel://u:p%40@h1,[::1]:7/service/2?ssl_cert_reqs=none", "rediss+cluster://u:p@h1:1,h2/"]
)
def test_a_url_may_have_a_login_options_and_tls(url: str) -> None:
    assert RedisCounters(url)
