"""Counters in memory, which loops in several threads may share."""

import asyncio
import sys
import threading

from asgi_auth import MemoryCounters
from asgi_auth.model.records import Window


def test_threads_count_together_while_old_counters_are_dropped() -> None:
    counters, errors = MemoryCounters(), list[BaseException]()

    async def count(name: str) -> None:
        for number in range(20_000):
            await counters.limit([Window(f"{name} {number}", 60, 10)], number // 50)

    def run(name: str) -> None:
        try:
            asyncio.run(count(name))
        except BaseException as error:  # noqa: BLE001 (it is looked at below)
            errors.append(error)

    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=run, args=(str(number),)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)

    assert errors == []
    assert len(counters._counters) < 4 * 20_000
