"""The processes of the races, told at once."""

import asyncio
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

PROCESSES = 4


class Workers:
    """Worker processes on one database."""

    def __init__(self, url: str) -> None:
        """Start them."""
        self._url = url
        self.running: list[subprocess.Popen[str]] = [start(url) for _ in range(PROCESSES)]

    async def prepare(self, **task: Any) -> None:
        """Have all begin the logins of a race."""
        answers = await self._all({"do": "prepare", **task})
        assert answers == ["ready"] * PROCESSES, answers

    async def go(self) -> Counter[str]:
        """Have all finish them at once; return how often each outcome came."""
        outcomes: Counter[str] = Counter()
        for answer in await self._all({"do": "go"}):
            outcomes.update(answer)
        return outcomes

    async def die(self, **task: Any) -> int:
        """Have one more worker killed in the middle of a login; return its exit code."""
        process = start(self._url)
        tell(process, {"do": "die", "callers": 1, **task})
        code = await asyncio.to_thread(process.wait, 60)
        process.communicate()
        return code

    async def _all(self, task: dict[str, Any]) -> list[Any]:
        for process in self.running:
            tell(process, task)
        return await asyncio.gather(*(asyncio.to_thread(heard, process) for process in self.running))


def start(url: str) -> "subprocess.Popen[str]":
    """Start a worker process."""
    pipe = subprocess.PIPE
    command = [sys.executable, "-m", "tests.features.factor_races.worker", url]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True)


def tell(process: "subprocess.Popen[str]", task: dict[str, Any]) -> None:
    """Give a process a task."""
    assert process.stdin is not None
    process.stdin.write(json.dumps(task) + "\n")
    process.stdin.flush()


def heard(process: "subprocess.Popen[str]") -> Any:
    """Wait for the answer of a process."""
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, "a worker process has ended"
    return json.loads(line)


@contextmanager
def workers(url: str) -> Iterator[Workers]:
    """Run worker processes."""
    running = Workers(url)
    try:
        yield running
    finally:
        for process in running.running:
            process.kill()
            process.communicate()
