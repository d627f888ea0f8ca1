"""Logins beyond what a database, Redis or the cores carry: `python -m benchmarks.overload [SECONDS [BOUND]]`.

Workload: logins of different users, which arrive at a fixed rate whatever the answers are: 1, 2, 5 and 20 times the
capacity. The capacity is the greatest rate of successful logins that few concurrent callers reach in the same
situation; where no login can succeed, it is 10 logins a second. The goodput is the number of successful logins per
second until the last answer. The slowest answer includes refusals. BOUND is the `timeout` of the storage.
"""

import asyncio
import logging
import secrets
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from asgi_auth import Argon2, Auth, AuthApp, Lockout, Passwords, RateLimits, RedisCounters
from asgi_auth.features.sessions import Sessions
from asgi_auth.limits.counters import Counters
from asgi_auth.model.records import User, new_id
from asgi_auth.storage import Storage
from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.sqlite import SQLite
from benchmarks.harness import folder, postgres
from tests.faultproxy import FaultProxy
from tests.redis_server import RedisServer

LOADS = (1, 2, 5, 20)
#: Logins per second where none can succeed.
NOMINAL = 10.0
#: Seconds of each answer at most, before the load is called hung.
HUNG = 60.0
USERS, PASSWORD = 200, "correct horse battery staple"
DELAY, CONNECTIONS = 0.02, 4


@dataclass
class Outcome:
    """What came of one load."""

    offered: float
    goodput: float
    slowest: float
    statuses: Counter[int] = field(default_factory=Counter)


@dataclass
class Service:
    """The app under load, and how many callers reach its capacity; none where no login can succeed."""

    app: AuthApp
    callers: int = 0
    numbers: Any = field(default_factory=count)

    async def login(self) -> int:
        """Log the next user in, and return the status."""
        number = next(self.numbers)
        body = f'{{"email": "user{number % USERS}@example.com", "password": "{PASSWORD}"}}'.encode()
        statuses: list[int] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any) -> None:
            if message["type"] == "http.response.start":
                statuses.append(message["status"])

        scope: dict[str, Any] = {
            "type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": "POST", "scheme": "https",
            "path": "/login", "raw_path": b"/login", "root_path": "", "query_string": b"",
            "headers": [(b"host", b"example.com"), (b"content-type", b"application/json")],
            "client": (f"198.18.{number // 250 % 250}.{number % 250 + 1}", 1), "server": ("example.com", 443),
        }  # fmt: skip
        await asyncio.wait_for(self.app(scope, receive, send), HUNG)
        return statuses[0]

    async def capacity(self, seconds: float) -> float:
        """Measure the successful logins per second of a few callers that wait for their answers."""
        if not self.callers:
            return NOMINAL
        statuses: Counter[int] = Counter()
        started = time.monotonic()

        async def call() -> None:
            while time.monotonic() < started + seconds:
                statuses[await self.login()] += 1

        await asyncio.gather(*(call() for _ in range(self.callers)))
        return statuses[200] / (time.monotonic() - started)

    async def load(self, rate: float, seconds: float) -> Outcome:
        """Let logins arrive at a rate for some seconds, and wait for all answers."""
        statuses: Counter[int] = Counter()
        slowest = 0.0

        async def call() -> None:
            nonlocal slowest
            began = time.monotonic()
            try:
                status = await self.login()
            except TimeoutError:
                status = 0
            statuses[status] += 1
            slowest = max(slowest, time.monotonic() - began)

        started, number, calls = time.monotonic(), 0, set[asyncio.Task[None]]()
        while (now := time.monotonic() - started) < seconds:
            while number < rate * now:
                calls.add(asyncio.create_task(call()))
                number += 1
            await asyncio.sleep(0.005)
        await asyncio.gather(*calls)
        # A login that succeeds after the load has ended was served with time that the load did not have.
        return Outcome(number / seconds, statuses[200] / (time.monotonic() - started), slowest, statuses)


@asynccontextmanager
async def service(
    storage: Storage, *, counters: Counters | None = None, argon2: Argon2 | None = None, callers: int = 0
) -> AsyncIterator[Service]:
    """Start an app with limits that nothing exceeds, and register the users."""
    generous = RateLimits({"login": "100000/m/ip, 100000/m/account"})
    quick = Passwords(argon2=Argon2.cheap())
    features = [Passwords(argon2=argon2) if argon2 else quick, Sessions(), generous, Lockout(after=100)]
    async with Auth(storage, secret=secrets.token_urlsafe(48), features=features, counters=counters) as auth:
        hashed = await auth[Passwords].passwords.hasher.hash(PASSWORD)
        for number in range(USERS):
            await _register(auth, f"user{number}@example.com", hashed)
        yield Service(AuthApp(auth), callers)


async def _register(auth: Auth, email: str, hashed: str) -> None:
    now = int(auth.now())
    user = User(
        id=new_id(auth.now()), email=email, email_canonical=email, email_verified=True, created_at=now, updated_at=now
    )
    await auth.storage.add_user(user, auth[Passwords].passwords.credential(user.id, hashed))


@asynccontextmanager
async def slow_postgres(_: Path, bound: float) -> AsyncIterator[Service]:
    """Every answer of the server is 20 ms late, and the pool has four connections."""
    with postgres() as server:
        async with FaultProxy(server.port) as proxy:
            database = server.database().rpartition("/")[2]
            storage = Postgres(server.dsn(database, proxy.port), max_size=CONNECTIONS, timeout=bound)
            async with service(storage, callers=2 * CONNECTIONS) as started:
                proxy.delay = DELAY
                yield started
                proxy.delay = 0


@asynccontextmanager
async def hanging_postgres(_: Path, bound: float) -> AsyncIterator[Service]:
    """The server accepts connections, and answers nothing."""
    with postgres() as server:
        async with FaultProxy(server.port) as proxy:
            database = server.database().rpartition("/")[2]
            async with service(Postgres(server.dsn(database, proxy.port), timeout=bound)) as started:
                proxy.pause()
                yield started
                proxy.cut()


@asynccontextmanager
async def refusing_postgres(_: Path, bound: float) -> AsyncIterator[Service]:
    """The server is stopped."""
    with postgres() as server:
        async with service(Postgres(server.database(), timeout=bound)) as started:
            server.kill()
            yield started


@asynccontextmanager
async def locked_sqlite(path: Path, bound: float) -> AsyncIterator[Service]:
    """Another process holds the lock for writing."""
    hold = (
        "import sqlite3, sys, time; c = sqlite3.connect(sys.argv[1], isolation_level=None);"
        "c.execute('BEGIN IMMEDIATE'); print('held', flush=True); time.sleep(600)"
    )
    file = path / "locked.db"
    async with service(SQLite(file, timeout=bound)) as started:
        held = await asyncio.create_subprocess_exec(
            sys.executable, "-c", hold, str(file), stdout=asyncio.subprocess.PIPE
        )
        assert held.stdout is not None
        await held.stdout.readline()
        yield started
        held.kill()
        await held.wait()


@asynccontextmanager
async def full_sqlite(path: Path, bound: float) -> AsyncIterator[Service]:
    """The file may not grow."""
    storage = SQLite(path / "full.db", timeout=bound)
    async with service(storage) as started:
        driver: Any = storage._driver  # noqa: SLF001 (no other way to limit the size of the file)
        writer = driver._state_of_loop().writer  # noqa: SLF001
        pages = (await writer.fetch("PRAGMA page_count", {}))[0]["page_count"]
        await writer.fetch(f"PRAGMA max_page_count = {pages}", {})
        # What is left on the last pages.
        while await started.login() == 200:
            pass
        yield started


@asynccontextmanager
async def dead_redis(path: Path, bound: float) -> AsyncIterator[Service]:
    """The Redis that counts is stopped."""
    server = RedisServer(path)
    try:
        counters = RedisCounters(server.url)
        async with service(SQLite(path / "redis.db", timeout=bound), counters=counters) as started:
            server.close()
            yield started
    finally:
        server.close()


@asynccontextmanager
async def hanging_redis(path: Path, bound: float) -> AsyncIterator[Service]:
    """The Redis that counts accepts connections, and answers nothing."""
    server = RedisServer(path)
    try:
        async with FaultProxy(int(server.url.rpartition(":")[2])) as proxy:
            counters = RedisCounters(f"redis://127.0.0.1:{proxy.port}")
            async with service(SQLite(path / "redis.db", timeout=bound), counters=counters) as started:
                proxy.pause()
                yield started
                proxy.cut()
    finally:
        server.close()


@asynccontextmanager
async def full_hash_queue(path: Path, bound: float) -> AsyncIterator[Service]:
    """Every login costs the default hash."""
    async with service(SQLite(path / "hashes.db", timeout=bound), argon2=Argon2(), callers=8) as started:
        yield started


Situation = Callable[[Path, float], AbstractAsyncContextManager[Service]]
SITUATIONS: dict[str, Situation] = {
    "slow PostgreSQL": slow_postgres,
    "hanging PostgreSQL": hanging_postgres,
    "stopped PostgreSQL": refusing_postgres,
    "locked SQLite": locked_sqlite,
    "full SQLite": full_sqlite,
    "stopped Redis": dead_redis,
    "hanging Redis": hanging_redis,
    "full hash queue": full_hash_queue,
}


async def measure(situation: Situation, seconds: float, bound: float) -> tuple[float, dict[int, Outcome]]:
    """Return the capacity, and the outcome of each load."""
    with folder() as path:
        async with situation(path, bound) as started:
            capacity = await started.capacity(seconds)
            return capacity, {load: await started.load(load * capacity, seconds) for load in LOADS}


async def main(seconds: float = 5.0, bound: float = 5.0) -> None:
    """Print a row for each situation and load."""
    # Every refusal would be a line.
    logging.getLogger("asgi_auth").setLevel(logging.CRITICAL)
    print("| situation | capacity, logins/s | load | goodput, logins/s | slowest answer, s | statuses |")
    print("|---|---|---|---|---|---|")
    for name, situation in SITUATIONS.items():
        capacity, outcomes = await measure(situation, seconds, bound)
        for load, outcome in outcomes.items():
            found = ", ".join(f"{number} × {status}" for status, number in sorted(outcome.statuses.items()))
            numbers = f"{capacity:.1f} | {load} × | {outcome.goodput:.1f} | {outcome.slowest:.2f}"
            print(f"| {name} | {numbers} | {found} |", flush=True)


if __name__ == "__main__":
    asyncio.run(main(*map(float, sys.argv[1:])))
