"""What all parts share: worker processes, rounds in which contenders take turns, PostgreSQL, and an end in time."""

import asyncio
import json
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks.contenders.base import Options
from benchmarks.records import Part, Table
from benchmarks.sizes import Size
from tests.postgres import Server

SPARE = 0.85
PATIENCE = 30
RESERVED = 0.5


class LeftOutError(Exception):
    """A contender can't take part; the text is the reason."""


class Run:
    """One part being measured: how much, until when, and what has come out."""

    def __init__(self, name: str, size: Size, save: Callable[[Part], None]) -> None:
        self.size = size
        self.part = Part(name)
        self._save = save
        #: Every value so far, by table, row and column.
        self.samples: dict[tuple[str, str, str], list[float]] = {}
        self._end = time.monotonic() + size.bounds[name] * SPARE

    def left(self) -> float:
        """Seconds until this part should come to its end; negative when it is late."""
        return self._end - time.monotonic()

    def save(self) -> None:
        """Keep what there is: the part may be ended from outside at any time."""
        self._save(self.part)

    def leave_out(self, who: str, reason: object) -> None:
        """Note who can't take part, and why."""
        self.part.left_out[who] = str(reason)

    async def rounds(self, contenders: Mapping[str, Callable[[], Awaitable[None]]], share: float = 1) -> None:
        """Let all take turns, round after round; one that fails is out.

        More rounds while there is time, of which these may have a `share`; what there is, is saved after each turn.
        """
        able, bound = dict(contenders), self.left() * (1 - share)
        for _ in range(self.size.rounds):
            started = time.monotonic()
            for name, turn in list(able.items()):
                try:
                    await turn()
                except LeftOutError as reason:
                    self.leave_out(name, reason)
                    del able[name]
                self.save()
                if self.left() < 0:
                    return
            if self.left() - bound < time.monotonic() - started:
                return


class Collected:
    """Collects the values of a row, one in each round."""

    def __init__(self, run: Run, table: Table, row: str) -> None:
        self._samples, self._table, self._row = run.samples, table, row

    def add(self, column: str, value: float) -> None:
        """Add one value."""
        values = self._samples.setdefault((self._table.name, self._row, column), [])
        values.append(value)
        self._table.add(self._row, column, values)


class Worker:
    """A contender in a process of its own."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        #: The kinds of requests that it takes, then its operations.
        self.kinds: list[str] = []

    async def ask(self, do: str, *given: object) -> Any:
        """Let it do something; raises LeftOutError with the reason when it can't."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, "with": given}).encode() + b"\n")
        return await self.reply()

    async def reply(self) -> Any:
        """Wait for what it says."""
        assert self._process.stdout is not None
        try:
            line = await asyncio.wait_for(self._process.stdout.readline(), PATIENCE)
        except TimeoutError:
            raise LeftOutError(f"it did not answer within {PATIENCE} seconds") from None
        answer = json.loads(line) if line else {"error": "its process ended"}
        if "error" in answer:
            raise LeftOutError(answer["error"])
        return answer["value"]


def worker(name: str, options: Options) -> AbstractAsyncContextManager[Worker]:
    """Start a contender; raises LeftOutError when that fails or takes over half a minute."""
    return started_module("benchmarks.worker", name, json.dumps(asdict(options)))


@asynccontextmanager
async def started_module(module: str, *arguments: str, directory: Path | None = None) -> AsyncIterator[Worker]:
    """Start a module that answers on its standard output, and end it afterward."""
    command = [sys.executable, "-W", "ignore", "-m", module, *arguments]
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    process = await asyncio.create_subprocess_exec(*command, cwd=directory, stdin=pipe, stdout=pipe, stderr=nothing)
    try:
        started = Worker(process)
        started.kinds = await started.reply()
        yield started
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


@asynccontextmanager
async def workers(run: Run, wanted: Mapping[str, tuple[str, Options]]) -> AsyncIterator[dict[str, Worker]]:
    """Start contenders, two at a time; those that can't in the first part of the time are left out."""
    async with AsyncExitStack() as stack:
        slots = asyncio.Semaphore(2)

        async def start(row: str, name: str, options: Options) -> tuple[str, Worker] | None:
            async with slots:
                if run.left() < run.size.bounds[run.part.name] * RESERVED:
                    run.leave_out(row, "it could not start in time")
                    return None
                try:
                    return row, await stack.enter_async_context(worker(name, options))
                except LeftOutError as reason:
                    run.leave_out(row, reason)
                    return None

        started = await asyncio.gather(*[start(row, *how) for row, how in wanted.items()])
        yield dict(filter(None, started))


@contextmanager
def postgres() -> Iterator[Server]:
    """Run a PostgreSQL server for the time of a part: 18 from the pins, or 15 from Debian."""
    try:
        server = Server(18)
    except RuntimeError:
        server = Server(15)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def folder() -> Iterator[Path]:
    """Give an empty folder, gone afterwards."""
    path = Path(tempfile.mkdtemp(prefix="asgi-auth-bench-"))
    try:
        yield path
    finally:
        shutil.rmtree(path, ignore_errors=True)
