"""SessionService by many at once, with a probe beside them: how long a trivial request takes meanwhile."""

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Coroutine
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import argon2

from asgi_auth import Argon2
from benchmarks.contenders.base import PASSWORD, Request
from benchmarks.http_client import Connection, encoded

PAUSE = 0.02
PROBE = encoded(Request("GET", "/open"))


@dataclass
class Storm:
    """What came of a number of logins."""

    statuses: Counter[int] = field(default_factory=Counter)
    refusals: list[float] = field(default_factory=list)
    """Milliseconds until each 503."""
    unexplained: int = 0
    """Answers 503 without Retry-After."""
    seconds: float = 0

    async def login(self, connection: Connection, request: bytes) -> None:
        """Log in once."""
        started = time.perf_counter()
        status, head = await connection.send(request)
        self.statuses[status] += 1
        if status == 503:
            self.refusals.append((time.perf_counter() - started) * 1000)
            self.unexplained += b"retry-after:" not in head


async def storm(url: str, logins: list[Request], flight: int, seconds: float) -> Storm:
    """Keep so many logins in flight."""
    done, supply = Storm(), itertools.cycle([encoded(login) for login in logins])
    started = time.perf_counter()

    async def lane() -> None:
        connection = await Connection.open(url)
        while time.perf_counter() < started + seconds:
            await done.login(connection, next(supply))
        connection.close()

    await asyncio.gather(*[lane() for _ in range(flight)])
    done.seconds = time.perf_counter() - started
    return done


async def at_once(url: str, logins: list[Request]) -> Storm:
    """Send all at the same moment."""
    done = Storm()
    connections = [await Connection.open(url) for _ in logins]
    started = time.perf_counter()
    await asyncio.gather(*[done.login(at, encoded(login)) for at, login in zip(connections, logins, strict=True)])
    done.seconds = time.perf_counter() - started
    for connection in connections:
        connection.close()
    return done


async def probed(url: str, work: Coroutine[Any, Any, Storm]) -> tuple[Storm, list[float]]:
    """Do the work, and meanwhile send a trivial request every 20 ms; give its milliseconds, sorted."""
    task = asyncio.create_task(work)
    latencies = await probe(url, task)
    return await task, latencies


async def probe(url: str, until: "asyncio.Task[Any]") -> list[float]:
    """Send the trivial request at its times until a task is done."""
    latencies: list[float] = []
    connection = await Connection.open(url)
    due = time.perf_counter()
    while not until.done():
        started = time.perf_counter()
        await connection.send(PROBE)
        latencies.append((time.perf_counter() - started) * 1000)
        due = max(due + PAUSE, time.perf_counter())
        await asyncio.sleep(due - time.perf_counter())
    connection.close()
    return sorted(latencies)


def percentile(values: list[float], share: float) -> float:
    """Of sorted values; nought of none."""
    return values[min(len(values) - 1, int(len(values) * share))] if values else 0.0


def raw_rate(cost: Argon2, threads: int, seconds: float) -> float:
    """Hashes verified per second by plain threads, and nothing else running."""
    hasher = argon2.PasswordHasher(cost.time_cost, cost.memory_cost, cost.parallelism)
    hashed = hasher.hash(PASSWORD)
    started = time.perf_counter()

    def work(_: int) -> int:
        done = 0
        while time.perf_counter() < started + seconds:
            hasher.verify(hashed, PASSWORD)
            done += 1
        return done

    with ThreadPoolExecutor(threads) as pool:
        done = sum(pool.map(work, range(threads)))
    return done / (time.perf_counter() - started)
