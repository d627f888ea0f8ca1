"""Group commit for SQLite: transactions that wait for the writer share one COMMIT, each in a savepoint."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar

from asgi_auth.bounds.deadline import Deadline
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.process.background import begin
from asgi_auth.storage.driver import Connection
from asgi_auth.storage.sqlite_connection import ThreadedConnection, errors, is_locked, settle

T = TypeVar("T")
Work = Callable[[Connection], Coroutine[Any, Any, Any]]
Turn = Callable[[], AbstractAsyncContextManager[None]]
Outcome = tuple[Any, Exception | None]
MAX_GROUP = 64
#: The number of transactions that wait for the writer; further ones are refused.
MOST = 2000


@dataclass(frozen=True)
class _Waiting:
    work: Work
    answer: asyncio.Future[Any]


class GroupCommit:
    """Runs short transactions in the thread of the writer; those that wait at the same time are one group.

    The coroutine of a transaction awaits nothing but its statements, so one step in that thread runs it to its end.
    An error rolls back only its own transaction. Results are returned after the COMMIT of the whole group. Requests
    that have written before go before new ones, so that those in progress end in time.
    """

    def __init__(self, writer: ThreadedConnection, turn: Turn, answered: Callable[[], None]) -> None:
        """Take the connection, and a context manager that holds the right to write.

        `answered` is called when SQLite has given the lock for writing.
        """
        self._writer = writer
        self._turn = turn
        self._answered = answered
        self._begun: deque[_Waiting] = deque()
        self._new: deque[_Waiting] = deque()
        self._task: asyncio.Task[None] | None = None

    async def run(self, work: Callable[[Connection], Awaitable[T]], deadline: Deadline) -> T:
        """Run one transaction. The caller bounds the time, and may cancel.

        A call that is cancelled while it waits does not run; later it runs to its end. Raises StorageUnavailableError
        at once if too many wait.
        """
        if len(self._begun) + len(self._new) >= MOST:
            raise StorageUnavailableError
        answer = asyncio.get_running_loop().create_future()
        waiting = _Waiting(work, answer)  # type: ignore[arg-type]  # every awaitable here is a coroutine
        (self._begun if deadline.has_begun(self) else self._new).append(waiting)
        if self._task is None or self._task.done():
            self._task = begin(self._run_groups(), "group commit")
        result: T = await answer
        deadline.begin(self)
        return result

    def refuse_waiting(self, error: Exception) -> None:
        """Raise an error in the calls that wait."""
        for each in self._take(MOST):
            settle(each.answer, None, error)

    def ended(self, seconds: float) -> None:
        """No-op: a group has room for many requests."""

    async def _run_groups(self) -> None:
        while self._begun or self._new:
            group: list[_Waiting] = []
            try:
                async with self._turn():
                    group = self._take(MAX_GROUP)
                    outcomes = await self._writer.run(partial(_run_group, group)) if group else []
            except Exception as failure:  # noqa: BLE001 (it is raised in the callers)
                group = group or self._take(MAX_GROUP)
                outcomes = [(None, failure)] * len(group)
            except asyncio.CancelledError:
                for each in (*group, *self._take(MOST)):
                    each.answer.cancel()
                raise
            if outcomes is None:
                # Another process holds the lock. The calls go on waiting, each until its own deadline.
                self._begun.extendleft(reversed(group))
                continue
            if group:
                self._answered()
            for each, (result, error) in zip(group, outcomes, strict=True):
                settle(each.answer, result, error)

    def _take(self, most: int) -> list[_Waiting]:
        """Remove the next group from the queue, without the calls that have been cancelled."""
        group: list[_Waiting] = []
        for queue in (self._begun, self._new):
            while queue and len(group) < most:
                each = queue.popleft()
                if not each.answer.done():
                    group.append(each)
        return group


class _ThreadConnection:
    """The connection as the thread itself sees it: its statements return without a wait."""

    def __init__(self, raw: sqlite3.Connection) -> None:
        self._raw = raw

    async def fetch(self, sql: str, values: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        with errors():
            return self._raw.execute(sql, values).fetchall()


def _run_group(group: list[_Waiting], raw: sqlite3.Connection) -> list[Outcome] | None:
    """Run a group in one transaction, in the thread; return None if another process holds the lock for writing.

    If the transaction fails, the whole group fails.
    """
    connection = _ThreadConnection(raw)
    try:
        try:
            raw.execute("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if is_locked(error):
                return None
            raise
        outcomes = [_run_one(raw, connection, each) for each in group]
        raw.execute("COMMIT")
    except BaseException:
        raw.rollback()
        raise
    return outcomes


def _run_one(raw: sqlite3.Connection, connection: Connection, waiting: _Waiting) -> Outcome:
    if waiting.answer.done():
        # The caller has been told that the time was over.
        return None, None
    raw.execute("SAVEPOINT one_of_group")
    coroutine = waiting.work(connection)
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
