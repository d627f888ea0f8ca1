"""Group commit for SQLite: transactions that wait for the writer share one COMMIT, each in a savepoint."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from asgi_auth.storage.driver import Connection
from asgi_auth.storage.sqlite_connection import ThreadedConnection, errors, settle

T = TypeVar("T")
Work = Callable[[Connection], Coroutine[Any, Any, Any]]
Turn = Callable[[], AbstractAsyncContextManager[None]]
Outcome = tuple[Any, Exception | None]
MAX_GROUP = 64


@dataclass(frozen=True)
class _Waiting:
    work: Work
    answer: asyncio.Future[Any]


class GroupCommit:
    """Runs short transactions in the thread of the writer; those that wait at the same time are one group.

    The coroutine of a transaction awaits nothing but its statements, so one step in that thread runs it to its end.
    An error rolls back only its own transaction. Results are returned after the COMMIT of the whole group.
    """

    def __init__(self, writer: ThreadedConnection, turn: Turn) -> None:
        """Take the connection, and a context manager that holds the right to write."""
        self._writer = writer
        self._turn = turn
        self._waiting: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None

    async def run(self, work: Callable[[Connection], Awaitable[T]]) -> T:
        """Run one transaction. A call that is cancelled while it waits does not run; later it runs to its end."""
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append(_Waiting(work, answer))  # type: ignore[arg-type]  # every awaitable here is a coroutine
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run_groups(), name="asgi_auth group commit")
        result: T = await answer
        return result

    async def _run_groups(self) -> None:
        while self._waiting:
            group: list[_Waiting] = []
            try:
                async with self._turn():
                    group = self._take()
                    outcomes = await self._writer.run(partial(_run_group, [each.work for each in group]))
            except Exception as failure:  # noqa: BLE001 (it is raised in the callers)
                group = group or self._take()
                outcomes = [(None, failure)] * len(group)
            except asyncio.CancelledError:
                for each in (*group, *self._waiting):
                    each.answer.cancel()
                raise
            for each, (result, error) in zip(group, outcomes, strict=True):
                settle(each.answer, result, error)

    def _take(self) -> list[_Waiting]:
        """Remove the next group from the queue, without the calls that have been cancelled."""
        group = [self._waiting.popleft() for _ in range(min(MAX_GROUP, len(self._waiting)))]
        return [each for each in group if not each.answer.done()]


class _ThreadConnection:
    """The connection as the thread itself sees it: its statements return without a wait."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw

    async def fetch(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        with errors():
            return self._raw.execute(sql, values).fetchall()


def _run_group(works: list[Work], raw: sqlite3.Connection) -> list[Outcome]:
    """Run a group in one transaction, in the thread. If the transaction fails, the whole group fails."""
    connection = _ThreadConnection(raw)
    try:
        raw.execute("BEGIN IMMEDIATE")
        outcomes = [_run_one(raw, connection, work) for work in works]
        raw.execute("COMMIT")
    except BaseException:
        raw.rollback()
        raise
    return outcomes


def _run_one(raw: sqlite3.Connection, connection: Connection, work: Work) -> Outcome:
    raw.execute("SAVEPOINT one_of_group")
    coroutine = work(connection)
    try:
        coroutine.send(None)
    except StopIteration as done:
        raw.execute("RELEASE one_of_group")
        return done.value, None
    except Exception as error:
        if not raw.in_transaction:
            raise  # SQLite has rolled back the whole transaction, as it does when the disk is full.
        raw.execute("ROLLBACK TO one_of_group")
        raw.execute("RELEASE one_of_group")
        return None, error
    coroutine.close()
    raise RuntimeError("a transaction may await nothing but its statements")
