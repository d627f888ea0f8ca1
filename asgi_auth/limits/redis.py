"""Counters in Redis: each method is one script, so that no number of concurrent callers gets around it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any, Self

from asgi_auth._per_loop import PerLoop
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.model.records import Counter, Window

if TYPE_CHECKING:
    from redis.asyncio import Redis

#: Seconds that Redis keeps a counter longer than it counts: its clock may be ahead of ours.
SLACK = 60
CONNECTIONS = 50
COUNT = """
    local now, count, expires_at = tonumber(ARGV[1]), 1, ARGV[1] + ARGV[2]
    local old = redis.call('HMGET', KEYS[1], 'count', 'expires_at')
    if old[2] and tonumber(old[2]) > now then count, expires_at = old[1] + 1, tonumber(old[2]) end
    redis.call('HSET', KEYS[1], 'count', count, 'free_at', 0, 'expires_at', expires_at)
    redis.call('EXPIRE', KEYS[1], expires_at - now + ARGV[3])
    return {count, expires_at}
"""
LIMIT = """
    local now, ends = tonumber(ARGV[1]), {}
    for i, key in ipairs(KEYS) do
        local old = redis.call('HMGET', key, 'count', 'expires_at')
        ends[i] = old[2] and tonumber(old[2]) > now and tonumber(old[2])
        if ends[i] and tonumber(old[1]) >= tonumber(ARGV[2 * i + 2]) then return {i - 1, ends[i]} end
    end
    for i, key in ipairs(KEYS) do
        if not ends[i] then
            redis.call('HSET', key, 'count', 0, 'free_at', 0, 'expires_at', now + ARGV[2 * i + 1])
            redis.call('EXPIRE', key, ARGV[2 * i + 1] + ARGV[2])
        end
        redis.call('HINCRBY', key, 'count', 1)
    end
    return false
"""
ATTEMPT = """
    local now, after, pause = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
    local longest, memory, count, wait = tonumber(ARGV[4]), tonumber(ARGV[5]), 1, 0
    local old = redis.call('HMGET', KEYS[1], 'count', 'expires_at', 'free_at')
    if old[2] and tonumber(old[2]) > now then
        if tonumber(old[3]) > now then return old[3] - now end
        count = old[1] + 1
    end
    if count >= after then wait = math.min(pause * 2 ^ (count - after), longest) end
    redis.call('HSET', KEYS[1], 'count', count, 'free_at', now + wait, 'expires_at', now + memory)
    redis.call('EXPIRE', KEYS[1], memory + ARGV[6])
    return 0
"""


class RedisCounters:
    """Counters in Redis, for many processes without a write to the database for each call.

    `url` is `redis://…`, `rediss://…` or `unix://…`; keys begin with `prefix`; a call takes `timeout` seconds at most,
    then it is a 503. A restart of Redis forgets what it doesn't keep on disk (`appendonly yes`), and a full one must
    refuse rather than drop (`maxmemory-policy noeviction`, its default). Needs the extra `redis`.
    """

    def __init__(self, url: str, *, prefix: str = "asgi_auth:", timeout: float = 2.0) -> None:
        """Connect nowhere yet. Raises ValueError for no URL of Redis, ImportError without the extra."""
        try:
            import redis.asyncio as library  # noqa: PLC0415 (an extra)
        except ImportError as error:
            raise ImportError("RedisCounters needs the extra: pip install 'asgi-auth[redis]'") from error
        library.connection.parse_url(url)
        self._library: Any = library
        self._url = url
        self._prefix = prefix
        self._timeout = timeout
        self._clients: PerLoop[Redis] = PerLoop(lambda _: None)

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Self]:
        """Each call stands alone: what was counted stays so."""
        yield self

    async def count(self, key: str, now: int, window: int) -> Counter:
        """Add one; a window that is over begins anew."""
        count, expires_at = await self._run("eval", COUNT, 1, self._prefix + key, now, window, SLACK)
        return Counter(key=key, count=count, free_at=0, expires_at=expires_at)

    async def limit(self, windows: Sequence[Window], now: int) -> tuple[int, int] | None:
        """Look first, count then, in one script."""
        keys = [self._prefix + window.key for window in windows]
        bounds = [bound for window in windows for bound in (window.seconds, window.most)]
        found = await self._run("eval", LIMIT, len(keys), *keys, now, SLACK, *bounds)
        return (int(found[0]), int(found[1])) if found else None

    async def count_with_backoff(self, key: str, now: int, *, after: int, pause: int, longest: int, memory: int) -> int:
        """Count where no pause is on."""
        values = (now, after, pause, longest, memory, SLACK)
        return int(await self._run("eval", ATTEMPT, 1, self._prefix + key, *values))

    async def counter(self, key: str, now: int) -> Counter | None:
        """Read one whose time is not over."""
        names = ("count", "free_at", "expires_at")
        found = await self._run("hmget", self._prefix + key, names)
        if found[0] is None or int(found[2]) <= now:
            return None
        return Counter(key=key, **dict(zip(names, map(int, found), strict=True)))

    async def clear_counter(self, key: str) -> None:
        """Delete it."""
        await self._run("delete", self._prefix + key)

    async def close(self) -> None:
        """Disconnect."""
        client = self._clients.pop()
        if client is not None:
            await client.aclose()

    async def _run(self, command: str, *values: Any) -> Any:
        client = self._clients.get() or self._clients.set(self._connect())
        try:
            return await getattr(client, command)(*values)
        except (self._library.RedisError, OSError, TimeoutError) as error:
            raise StorageUnavailableError from error

    def _connect(self) -> "Redis":
        pool = self._library.BlockingConnectionPool.from_url(
            self._url,
            max_connections=CONNECTIONS,
            timeout=self._timeout,
            socket_timeout=self._timeout,
            socket_connect_timeout=self._timeout,
        )
        client: Redis = self._library.Redis.from_pool(pool)
        return client
