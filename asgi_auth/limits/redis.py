"""Counters in Redis. Each method is one script, so concurrent calls cannot exceed a limit.

In a cluster, where each script has the keys of one server only, a limit of several windows is one script for each.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from asgi_auth._per_loop import PerLoop
from asgi_auth.bounds.breaker import Breaker
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.limits.redis_clients import MAX_CONNECTIONS, RedisClients
from asgi_auth.limits.redis_scripts import BEGIN_GUESS, COUNT, END_GUESS, LIMIT, SETTLE, TAKE_BACK
from asgi_auth.model.limits import IN_FLIGHT, MAX_SKEW
from asgi_auth.model.records import Backoff, Counter, Window
from asgi_auth.sources.kinds import checks_options

if TYPE_CHECKING:
    from redis.asyncio import Redis, RedisCluster

#: The maximum number of calls per event loop, those that wait for a connection included; further calls are refused.
MOST = 1000


@dataclass
class _LoopState:
    """The client of one event loop, and the number of its calls."""

    client: "Redis | RedisCluster"
    breaker: Breaker
    calls: int = 0
    #: A cluster and Sentinel refuse a call without a free connection, where other calls wait for one.
    turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(MAX_CONNECTIONS))


class RedisCounters:
    """Counters in Redis, shared by all processes; requests then need no write to the database to be counted.

    * `url`: `redis://…`, `rediss://…` or `unix://…`; `redis+sentinel://host,host/service` for the primary that Sentinel
      names, whose own password is `?sentinel_password=…`; `redis+cluster://host,host` for Redis Cluster. With
      `rediss+…`, all of these use TLS.
    * `prefix`: the prefix of all keys.
    * `timeout`: the seconds after which a call raises StorageUnavailableError, or earlier by the deadline of the
      request. While Redis gives no answer, one call asks it, and the others are refused at once.

    Redis must keep its data on disk (`appendonly yes`), or a restart resets all limits. It must not evict keys
    (`maxmemory-policy noeviction`, the default). A failover may forget the counts of the last moments, because Redis
    replicates asynchronously. Every error of Redis is a StorageUnavailableError. Needs the extra `redis`.
    """

    @checks_options
    def __init__(self, url: str, *, prefix: str = "asgi_auth:", timeout: float = 2.0) -> None:
        """Connect nowhere yet. Raises ValueError for another URL or option, ImportError without the extra."""
        try:
            import redis.asyncio as library  # noqa: PLC0415 (an optional dependency)
        except ImportError as error:
            raise ImportError("RedisCounters needs the extra: pip install 'asgi-auth[redis]'") from error
        self._library: Any = library
        self._clients = RedisClients(library, url, timeout)
        self._prefix = prefix
        self._timeout = timeout
        self._loops: PerLoop[_LoopState] = PerLoop(lambda _: None)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Self]:
        """Give these counters. Each call takes effect at once: an error in the block does not undo it."""
        yield self

    async def count(self, key: str, now: int, window: int) -> Counter:
        """Add one to a counter, and return it; an expired counter restarts from one."""
        count, expires_at = await self._run("eval", COUNT, 1, self._prefix + key, now, window, MAX_SKEW)
        return Counter(key=key, count=count, free_at=0, expires_at=expires_at)

    async def limit(self, windows: Sequence[Window], now: int) -> tuple[int, int] | None:
        """Check all windows, then count in all, in one script; in a cluster, see `_limit_by_key`."""
        if self._clients.is_cluster and len(windows) > 1:
            return await self._limit_by_key(windows, now)
        keys = [self._prefix + window.key for window in windows]
        bounds = [bound for window in windows for bound in (window.seconds, window.most, int(window.judged))]
        full = await self._run("eval", LIMIT, len(keys), *keys, now, MAX_SKEW, now - IN_FLIGHT, *bounds)
        return (int(full[0]), int(full[1])) if full else None

    async def settle(self, keys: Sequence[str], now: int, *, wrong: bool) -> None:
        """End the guess in each counter, in one script; in a cluster, in one for each."""
        each = [[key] for key in keys] if self._clients.is_cluster else [keys]
        calls = [
            self._run("eval", SETTLE, len(some), *(self._prefix + key for key in some), now, int(wrong))
            for some in each
        ]
        # All of them, also if a server of a cluster is away.
        for found in await asyncio.gather(*calls, return_exceptions=True):
            if isinstance(found, BaseException):
                raise found

    async def begin_guess(self, key: str, now: int, backoff: Backoff) -> int | None:
        """Note the guess, unless it has to wait."""
        values = (now, MAX_SKEW, now - IN_FLIGHT, backoff.after, backoff.memory)
        seconds = int(await self._run("eval", BEGIN_GUESS, 1, self._prefix + key, *values))
        return None if seconds < 0 else seconds

    async def end_guess(self, key: str, now: int, backoff: Backoff, *, wrong: bool, forgiven: int = 0) -> int:
        """Count the guess as wrong, or end it."""
        values = (now, MAX_SKEW, backoff.after, backoff.memory, int(wrong), forgiven, backoff.pause, backoff.longest)
        return int(await self._run("eval", END_GUESS, 1, self._prefix + key, *values))

    async def counter(self, key: str, now: int) -> Counter | None:
        """Return a counter unless it has expired."""
        names = ("count", "free_at", "expires_at")
        values = await self._run("hmget", self._prefix + key, names)
        if values[0] is None or int(values[2]) <= now:
            return None
        return Counter(key=key, **dict(zip(names, map(int, values), strict=True)))

    async def clear_counter(self, key: str) -> None:
        """Delete a counter."""
        await self._run("delete", self._prefix + key)

    async def close(self) -> None:
        """Close the connections of the running event loop."""
        state = self._loops.pop()
        if state is not None:
            await self._clients.close(state.client)

    async def _limit_by_key(self, windows: Sequence[Window], now: int) -> tuple[int, int] | None:
        """Count in each window by a script of its own, in their order; if one is full, take the others' counts back.

        Until then, a concurrent call may find a window full that is not. No limit is ever exceeded.
        """
        counted: list[Window] = []
        is_full = True
        try:
            for index, window in enumerate(windows):
                if (full := await self.limit([window], now)) is not None:
                    return index, full[1]
                counted.append(window)
            is_full = False
        finally:
            if is_full:
                await self._take_back(counted, now)
        return None

    async def _take_back(self, windows: Sequence[Window], now: int) -> None:
        """Undo counts. One that cannot be undone, because its server is away, ends with its window."""
        for window in windows:
            with suppress(StorageUnavailableError):
                await self._run("eval", TAKE_BACK, 1, self._prefix + window.key, now, int(window.judged))

    async def _run(self, command: str, *values: Any) -> Any:
        state = self._loops.get() or self._loops.set(_LoopState(self._clients.connect(), Breaker(self._timeout / 2)))
        if state.calls >= MOST:
            raise StorageUnavailableError
        state.calls += 1
        call = getattr(state.client, command)
        try:
            async with state.breaker.bounded(self._timeout, asks=True), state.turn:
                return await self._once_more(state.client, lambda: call(*values))
        except StorageUnavailableError:
            raise
        except Exception as error:
            # Not all errors of the library have its base class, such as those of a cluster that is being changed.
            raise StorageUnavailableError from error
        finally:
            state.calls -= 1

    async def _once_more(self, client: Any, call: Callable[[], Awaitable[Any]]) -> Any:
        """Call, and call again on a new connection if that of the pool turns out to be closed: Redis has restarted.

        So it does if the server has become a replica. The client of a cluster does all this by itself.

        If Redis had counted the first call before it was stopped, the second is counted, too: as that of a client that
        tries again after a 503.
        """
        if self._clients.is_cluster:
            # The library sends the first calls to any server if it does not know the cluster.
            await client.initialize()
        try:
            return await call()
        except self._library.TimeoutError as error:
            raise TimeoutError from error
        except (self._library.ConnectionError, self._library.ReadOnlyError):
            if self._clients.is_cluster:
                raise
            await client.connection_pool.disconnect(inuse_connections=False)
        return await call()
