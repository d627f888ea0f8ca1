"""Group commit for SQLite: transactions that wait for the writer share one COMMIT, each in a savepoint."""

import asyncio
import sqlite3
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any, TypeVar
from weakref import WeakSet

from asgi_auth.bounds.deadline import Deadline
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.storage.driver import Connection
from asgi_auth.storage.sqlite_bounds import WriteTurn
from asgi_auth.storage.sqlite_connection import ThreadedConnection, errors, is_locked, settle

T = TypeVar("T")
Work = Callable[[Connection], Coroutine[Any, Any, Any]]
Outcome = tuple[Any, BaseException | None]
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

    def __init__(self, writer: ThreadedConnection, turn: WriteTurn, answered: Callable[[], None]) -> None:
        """Take the connection, and the right to write.

        `answered` is called when SQLite gave the lock for writing and no call of the group waits any longer; a call
        that waits notes the answer itself.
        """
        self._writer = writer
        self._turn = turn
        self._answered = answered
        self._begun: deque[_Waiting] = deque()
        self._new: deque[_Waiting] = deque()
        #: The requests that have written before.
        self._known: WeakSet[Deadline] = WeakSet()
        self._is_running = False

    async def run(self, work: Callable[[Connection], Awaitable[T]], deadline: Deadline) -> T:
        """Run one transaction. The caller bounds the time, and may cancel.

        A call that is cancelled while it waits does not run; later it runs to its end. Raises StorageUnavailableError
        at once if too many wait.
        """
        if len(self._begun) + len(self._new) >= MOST:
            raise StorageUnavailableError
        answer = asyncio.get_running_loop().create_future()
        waiting = _Waiting(work, answer)  # type: ignore[arg-type]  # every awaitable here is a coroutine
        (self._begun if deadline.urgent or deadline in self._known else self._new).append(waiting)
        self._run_next()
        result: T = await answer
        self._known.add(deadline)
        return result

    def refuse_waiting(self, error: Exception) -> None:
        """Raise an error in the calls that wait."""
        for each in self._take(MOST):
            settle(each.answer, None, error)

    def _run_next(self) -> None:
        """Run a group when its turn comes, unless one is on its way."""
        if not self._is_running and (self._begun or self._new):
            self._is_running = True
            self._turn.ask(self._begin)

    def _begin(self) -> None:
        """Hand a group to the thread, which releases the lock itself: the event loop may be closed meanwhile."""
        group = self._take(MAX_GROUP)
        try:
            running = self._writer.begin(partial(_run_group, group), self._turn.release)
        except StorageUnavailableError as error:
            self._turn.release()
            self._end(group, [(None, error)] * len(group))
        else:
            running.add_done_callback(lambda _: self._end(group, outcomes_of(group, running)))

    def _end(self, group: list[_Waiting], outcomes: list[Outcome] | None) -> None:
        self._is_running = False
        self._turn.pass_on()
        if outcomes is None:
            # Another process holds the lock. The calls go on waiting, each until its own deadline.
            self._begun.extendleft(reversed(group))
        else:
            waiting = [each for each in group if not each.answer.done()]
            for each, (result, error) in zip(group, outcomes, strict=True):
                settle(each.answer, result, error)
            if not waiting:
                self._answered()
        self._run_next()

    def _take(self, most: int) -> list[_Waiting]:
        """Remove the next group from the queue, without the calls that have been cancelled."""
        group: list[_Waiting] = []
        for queue in (self._begun, self._new):
            while queue and len(group) < most:
                each = queue.popleft()
                if not each.answer.done():
                    group.append(each)
        return group


def outcomes_of(group: list[_Waiting], running: "asyncio.Future[list[Outcome] | None]") -> list[Outcome] | None:
    """Return the outcomes of a group that has ended; all of them are its failure, if it failed as a whole."""
    failure = running.exception()
    return running.result() if failure is None else [(None, failure)] * len(group)


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
