"""Group commit for SQLite: transactions that wait for the writer share one COMMIT, each in a savepoint of its own."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, TypeVar

import aiosqlite

from asgi_auth.storage.driver import Connection
from asgi_auth.storage.sqlite_errors import errors

T = TypeVar("T")
Work = Callable[[Connection], Coroutine[Any, Any, Any]]
Turn = Callable[[], AbstractAsyncContextManager[None]]
Outcome = tuple[Any, Exception | None]
MOST = 64


@dataclass(frozen=True)
class _Waiting:
    work: Work
    answer: asyncio.Future[Any]


class GroupCommit:
    """Runs short transactions in the thread of the writing connection, those that wait together in one go.

    A transaction awaits nothing but its statements, so that its coroutine runs through in that thread. An error of one
    leaves the others whole; it is acknowledged only when all are on the disk.
    """

    def __init__(self, writer: aiosqlite.Connection, turn: Turn) -> None:
        """Take the connection, and how one waits for a turn to use it."""
        self._writer = writer
        self._turn = turn
        self._waiting: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run one transaction; cancelled before its turn it doesn't run, later it runs to its end."""
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(work, answer))  # type: ignore[arg-type]  # what is awaited is a coroutine
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._work_off(), name="asgi_auth group commit")
        result: T = await answer
        return result

    async def _work_off(self) -> None:
        while self._waiting:
            taken: list[_Waiting] = []
            try:
                async with self._turn():
                    taken = self._take()
                    outcomes = await self._run_in_thread([each.work for each in taken])
            except Exception as failure:  # noqa: BLE001 (it belongs to those who wait)
                taken = taken or self._take()
                outcomes = [(None, failure)] * len(taken)
            except asyncio.CancelledError:
                for each in (*taken, *self._waiting):
                    each.answer.cancel()
                raise
            for each, (result, error) in zip(taken, outcomes, strict=True):
                _settle(each.answer, result, error)

    def _take(self) -> list[_Waiting]:
        taken = [self._waiting.popleft() for _ in range(min(MOST, len(self._waiting)))]
        return [each for each in taken if not each.answer.done()]

    async def _run_in_thread(self, works: list[Work]) -> list[Outcome]:
        execute: Callable[..., Awaitable[list[Outcome]]] = self._writer._execute  # noqa: SLF001 (the way into its thread)
        # A method: the thread then keeps the connection alive when a host ends without closing it.
        return await execute(self._together, works)

    def _together(self, works: list[Work]) -> list[Outcome]:
        """Run all, in the thread; when the transaction as a whole fails, so does each."""
        raw = self._writer._conn  # noqa: SLF001 (as above)
        direct = _Direct(raw)
        try:
            raw.execute("BEGIN IMMEDIATE")
            outcomes = [_one(raw, direct, work) for work in works]
            raw.execute("COMMIT")
        except BaseException:
            raw.rollback()
            raise
        return outcomes


class _Direct:
    """The connection as it is seen in its own thread: nothing is waited for."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw

    async def fetch(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        with errors():
            return self._raw.execute(sql, values).fetchall()


def _one(raw: sqlite3.Connection, direct: Connection, work: Work) -> Outcome:
    raw.execute("SAVEPOINT group_key")
    coroutine = work(direct)
    try:
        coroutine.send(None)
    except StopIteration as done:
        raw.execute("RELEASE group_key")
        return done.value, None
    except Exception as error:
        if not raw.in_transaction:
            raise  # A full disk, say, has ended it for all.
        raw.execute("ROLLBACK TO group_key")
        raw.execute("RELEASE group_key")
        return None, error
    coroutine.close()
    raise RuntimeError("a transaction may await nothing but its statements")


def _settle(answer: asyncio.Future[Any], result: Any, error: Exception | None) -> None:
    """Answer whoever still waits."""
    if answer.done():
        return
    if error is not None:
        answer.set_exception(error)
    else:
        answer.set_result(result)
