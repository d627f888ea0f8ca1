"""Counters in Redis. Each method is one script, so concurrent calls cannot exceed a limit."""

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

from asgi_auth._per_loop import PerLoop
from asgi_auth.bounds.breaker import Breaker
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.model.limits import IN_FLIGHT, MAX_SKEW
from asgi_auth.model.records import Backoff, Counter, Window

if TYPE_CHECKING:
    from redis.asyncio import Redis

#: The maximum number of connections per event loop.
MAX_CONNECTIONS = 50
#: The maximum number of calls per event loop, those that wait for a connection included; further calls are refused.
MOST = 1000
COUNT = """
    local now, count, expires_at = tonumber(ARGV[1]), 1, ARGV[1] + ARGV[2]
    local old = redis.call('HMGET', KEYS[1], 'count', 'expires_at')
    local ends_at = tonumber(old[2] or 0)
    if ends_at > now and ends_at <= expires_at + ARGV[3] then count, expires_at = old[1] + 1, ends_at end
    redis.call('HSET', KEYS[1], 'count', count, 'free_at', 0, 'expires_at', expires_at)
    redis.call('EXPIRE', KEYS[1], expires_at - now + ARGV[3])
    return {count, expires_at}
"""
#: ARGV: now, skew, the time of stale guesses, then seconds, the most, and 1 for a judged window, for each key.
LIMIT = """
    local now, ends = tonumber(ARGV[1]), {}
    for i, key in ipairs(KEYS) do
        local most, judged = tonumber(ARGV[3 * i + 2]), ARGV[3 * i + 3] == '1'
        local old = redis.call('HMGET', key, 'count', 'expires_at', 'flights', 'begun_at')
        local ends_at, latest = tonumber(old[2] or 0), now + ARGV[3 * i + 1] + ARGV[2]
        ends[i] = ends_at > now and ends_at <= latest and ends_at
        if ends[i] and tonumber(old[1]) >= most then return {i - 1, ends[i]} end
        if judged and old[4] and tonumber(old[4]) <= tonumber(ARGV[3]) then redis.call('HDEL', key, 'flights') end
        local flights = tonumber(redis.call('HGET', key, 'flights') or 0)
        if judged and ends[i] and tonumber(old[1]) + flights >= most then return {i - 1, now} end
    end
    for i, key in ipairs(KEYS) do
        if not ends[i] then
            redis.call('HSET', key, 'count', 0, 'free_at', 0, 'expires_at', now + ARGV[3 * i + 1], 'flights', 0)
            redis.call('EXPIRE', key, ARGV[3 * i + 1] + ARGV[2])
        end
        if ARGV[3 * i + 3] == '1' then
            redis.call('HINCRBY', key, 'flights', 1)
            redis.call('HSET', key, 'begun_at', now)
        else
            redis.call('HINCRBY', key, 'count', 1)
        end
    end
    return false
"""
#: ARGV: now, and 1 for a wrong guess.
SETTLE = """
    for _, key in ipairs(KEYS) do
        local old = redis.call('HMGET', key, 'expires_at', 'flights')
        if old[1] and tonumber(old[1]) > tonumber(ARGV[1]) then
            local flights = tonumber(old[2] or 0)
            if flights > 0 then flights = redis.call('HINCRBY', key, 'flights', -1) end
            if redis.call('HINCRBY', key, 'count', ARGV[2]) == 0 and flights <= 0 then redis.call('DEL', key) end
        end
    end
"""
#: ARGV: now, skew, the time of stale guesses, after, memory. Returns -1 for guesses in flight.
BEGIN_GUESS = """
    local now, after, count, flights, free_at = tonumber(ARGV[1]), tonumber(ARGV[4]), 0, 0, 0
    local old = redis.call('HMGET', KEYS[1], 'count', 'expires_at', 'free_at', 'flights', 'begun_at')
    if old[2] and tonumber(old[2]) > now and tonumber(old[2]) <= now + ARGV[5] + ARGV[2] then
        count, free_at = tonumber(old[1]), tonumber(old[3])
        if free_at > now then return free_at - now end
        if old[5] and tonumber(old[5]) > tonumber(ARGV[3]) then flights = tonumber(old[4]) end
        if flights >= math.max(1, after - count) then return -1 end
    end
    redis.call('HSET', KEYS[1], 'count', count, 'free_at', free_at, 'expires_at', now + ARGV[5],
        'flights', flights + 1, 'begun_at', now)
    redis.call('EXPIRE', KEYS[1], ARGV[5] + ARGV[2])
    return 0
"""
#: ARGV: now, skew, after, memory, 1 for a wrong guess, the number of forgiven guesses, pause, longest.
END_GUESS = """
    local now, after, count, flights = tonumber(ARGV[1]), tonumber(ARGV[3]), 0, 0
    local old = redis.call('HMGET', KEYS[1], 'count', 'expires_at', 'free_at', 'flights')
    local live = old[2] and tonumber(old[2]) > now and tonumber(old[2]) <= now + ARGV[4] + ARGV[2]
    if live then count, flights = tonumber(old[1]), math.max(0, tonumber(old[4] or 0) - 1) end
    if ARGV[5] == '1' then
        count = count + 1
        local wait = 0
        if count >= after then wait = math.min(ARGV[7] * 2 ^ math.min(count - after, 64), tonumber(ARGV[8])) end
        redis.call('HSET', KEYS[1], 'count', count, 'free_at', wait > 0 and now + wait or 0,
            'expires_at', now + ARGV[4], 'flights', flights)
        redis.call('EXPIRE', KEYS[1], ARGV[4] + ARGV[2])
        return count
    elseif live then
        count = math.max(0, count - ARGV[6])
        redis.call('HSET', KEYS[1], 'count', count, 'flights', flights)
        if count < after then redis.call('HSET', KEYS[1], 'free_at', 0) end
    end
    return 0
"""


@dataclass
class _LoopState:
    """The client of one event loop, and the number of its calls."""

    client: "Redis"
    breaker: Breaker
    calls: int = 0


class RedisCounters:
    """Counters in Redis, shared by all processes; requests then need no write to the database to be counted.

    * `url`: `redis://…`, `rediss://…` or `unix://…`.
    * `prefix`: the prefix of all keys.
    * `timeout`: the seconds after which a call raises StorageUnavailableError, or earlier by the deadline of the
      request. While Redis gives no answer, one call asks it, and the others are refused at once.

    Redis must keep its data on disk (`appendonly yes`), or a restart resets all limits. It must not evict keys
    (`maxmemory-policy noeviction`, the default). Needs the extra `redis`.
    """

    def __init__(self, url: str, *, prefix: str = "asgi_auth:", timeout: float = 2.0) -> None:
        """Connect nowhere yet. Raises ValueError for another URL or option, ImportError without the extra."""
        try:
            import redis.asyncio as library  # noqa: PLC0415 (an optional dependency)
        except ImportError as error:
            raise ImportError("RedisCounters needs the extra: pip install 'asgi-auth[redis]'") from error
        library.connection.parse_url(url)
        self._library: Any = library
        self._url = url
        self._prefix = prefix
        self._timeout = timeout
        self._loops: PerLoop[_LoopState] = PerLoop(lambda _: None)
        pool: Any = self._connect().connection_pool
        try:
            pool.make_connection()
        except TypeError as error:
            # The library would raise this at the first connection.
            raise ValueError(f"the Redis URL has an option that does not exist: {error}") from None

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Self]:
        """Give these counters. Each call takes effect at once: an error in the block does not undo it."""
        yield self

    async def count(self, key: str, now: int, window: int) -> Counter:
        """Add one to a counter, and return it; an expired counter restarts from one."""
        count, expires_at = await self._run("eval", COUNT, 1, self._prefix + key, now, window, MAX_SKEW)
        return Counter(key=key, count=count, free_at=0, expires_at=expires_at)

    async def limit(self, windows: Sequence[Window], now: int) -> tuple[int, int] | None:
        """Check all windows, then count in all, in one script."""
        keys = [self._prefix + window.key for window in windows]
        bounds = [bound for window in windows for bound in (window.seconds, window.most, int(window.judged))]
        full = await self._run("eval", LIMIT, len(keys), *keys, now, MAX_SKEW, now - IN_FLIGHT, *bounds)
        return (int(full[0]), int(full[1])) if full else None

    async def settle(self, keys: Sequence[str], now: int, *, wrong: bool) -> None:
        """End the guess in each counter, in one script."""
        await self._run("eval", SETTLE, len(keys), *(self._prefix + key for key in keys), now, int(wrong))

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
            await state.client.aclose()

    async def _run(self, command: str, *values: Any) -> Any:
        state = self._loops.get() or self._loops.set(_LoopState(self._connect(), Breaker(self._timeout / 2)))
        if state.calls >= MOST:
            raise StorageUnavailableError
        state.calls += 1
        call = getattr(state.client, command)
        try:
            async with state.breaker.bounded(self._timeout, asks=True):
                return await self._once_more(state.client, lambda: call(*values))
        except (self._library.RedisError, OSError, TimeoutError) as error:
            raise StorageUnavailableError from error
        finally:
            state.calls -= 1

    async def _once_more(self, client: "Redis", call: Callable[[], Awaitable[Any]]) -> Any:
        """Call, and call again on a new connection if that of the pool turns out to be closed: Redis has restarted.

        If Redis had counted the first call before it was stopped, the second is counted, too: as that of a client that
        tries again after a 503.
        """
        try:
            return await call()
        except self._library.TimeoutError as error:
            raise TimeoutError from error
        except self._library.ConnectionError:
            await client.connection_pool.disconnect(inuse_connections=False)
        return await call()

    def _connect(self) -> "Redis":
        pool = self._library.BlockingConnectionPool.from_url(
            self._url,
            max_connections=MAX_CONNECTIONS,
            timeout=self._timeout,
            socket_timeout=self._timeout,
            socket_connect_timeout=self._timeout,
        )
        client: Redis = self._library.Redis.from_pool(pool)
        return client
