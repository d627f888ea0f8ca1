"""Redis in the place of the storage's counters: limits hold, and without it nothing that is limited gets through."""

import asyncio
import socket
import sys
import time
from collections.abc import Iterator

import pytest

from asgi_auth import Argon2, Lockout, MemoryCounters, Passwords, RateLimits, RedisCounters
from asgi_auth.errors import StorageUnavailableError
from tests.features.flows import flows
from tests.redis_server import RedisServer, missing
from tests.support import EMAIL

needs_redis = pytest.mark.skipif(bool(missing()), reason=missing())


@pytest.fixture
def own_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    yield server
    server.close()


@needs_redis
async def test_limits_hold_and_without_redis_it_is_503(own_redis: RedisServer) -> None:
    features = [Passwords(argon2=Argon2.cheap()), RateLimits({"login": "5/m/account"}), Lockout(after=3)]
    async with flows(features=features, counters=RedisCounters(own_redis.url, timeout=0.5)) as app:
        answers = await asyncio.gather(*(app.login("wrong") for _ in range(32)))
        assert sorted(answer.status for answer in answers) == [401] * 3 + [429] * 29

        with own_redis.away():
            answer = await app.login()
            assert (answer.status, answer.json["code"]) == (503, "storage_unavailable")
        await app.register()
        assert (await app.login()).status == 200
        assert await app.auth.storage.counter("any", 0) is None
        assert await app.auth.storage.run("SELECT * FROM {counters}", {}) == []  # type: ignore[attr-defined]


@needs_redis
async def test_who_waits_for_redis_waits_no_longer_than_the_timeout() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        counters = RedisCounters(f"redis://127.0.0.1:{silent.getsockname()[1]}", timeout=0.2)
        started = time.monotonic()

        with pytest.raises(StorageUnavailableError):
            await counters.count(EMAIL, 0, 60)

        assert time.monotonic() - started < 1
        await counters.close()


@needs_redis
def test_what_is_no_url_of_redis_is_refused() -> None:
    with pytest.raises(ValueError, match="scheme"):
        RedisCounters("http://127.0.0.1")


def test_without_the_extra_it_says_which(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "redis.asyncio", None)

    with pytest.raises(ImportError, match=r"asgi-auth\[redis\]"):
        RedisCounters("redis://127.0.0.1")


async def test_memory_counts_for_one_process() -> None:
    features = [Passwords(argon2=Argon2.cheap()), RateLimits({"login": "2/m/account"})]
    async with flows(features=features, counters=MemoryCounters()) as app:
        await app.register()
        assert [(await app.login("wrong")).status for _ in range(3)] == [401, 401, 429]
