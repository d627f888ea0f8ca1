"""Ended and lowered sessions and changed roles, in memory, synchronized across processes (ASVS 7.4.1, 8.3.2).

A request needs no query while the last synchronization is younger than `max_revocation_lag` seconds. When it is
older, because the database or its notifications are unavailable, each request reads its session from the database. So
it does while the clock of the process and that of the database disagree: the age of a token cannot be judged then.
"""

import asyncio
import random
import time
from collections.abc import Callable, Collection, Iterable
from contextlib import aclosing, suppress
from functools import partial

from asgi_auth.bounds.deadline import DEFAULT, Deadline, left
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.model.revocations import Changes
from asgi_auth.process.background import begin
from asgi_auth.process.fork import leave_behind, renew_after_fork
from asgi_auth.process.log import logger
from asgi_auth.sessions.changed_roles import ChangedRoles
from asgi_auth.sessions.clock_watch import ClockWatch
from asgi_auth.sessions.ended import EndedSessions, Key, key_of, keys_in, older
from asgi_auth.sessions.heartbeat import ProvenDatabase
from asgi_auth.sessions.outages import Outages
from asgi_auth.sessions.read_ahead import read_ahead
from asgi_auth.sessions.relay.messages import Look
from asgi_auth.sessions.revival import Revival
from asgi_auth.sessions.watched import Watched
from asgi_auth.settings import Settings
from asgi_auth.storage import Storage

PAUSE = 0.2
#: Seconds after a synchronization in which notifications are collected for the next one.
COLLECT = 0.02
NEVER = float("-inf")


class Revocation:
    """The revocations that one process knows. They are dropped after the lifetime of an access token."""

    _known_until = NEVER

    def __init__(self, storage: Storage, settings: Settings, now: Callable[[], float]) -> None:
        """Start empty; `sync` reads the tables."""
        self._storage = storage
        self._lag = settings.max_revocation_lag
        self._strict = settings.revocation == "strict"
        self._leeway = settings.leeway
        #: Seconds in which a token may be used. Twice: clocks of issuer and process may differ in opposite directions.
        self.horizon: int = settings.access_ttl + 2 * settings.leeway
        self._now = now
        #: The state of the feed up to which changes are known; empty before the first synchronization.
        self._position = ""
        self._last_sync: tuple[float, float] | None = None
        #: Compares the clock of this process with that of the database.
        self.clock: ClockWatch = ClockWatch(settings.leeway)
        #: The outages of the database, as the synchronizations saw them.
        self.outages: Outages = Outages(settings.refresh_grace, now)
        #: Until when, by the monotonic clock, the state is recent enough to decide without a query. A part of each
        #: request, so that it is one comparison: whatever is to make the process ask the database lowers it.
        self.fresh_until: float = NEVER
        self._sockets, self._sockets_of_users = Watched[Key](), Watched[str]()
        self.dead: EndedSessions = EndedSessions()
        self.database: ProvenDatabase = ProvenDatabase(storage, self._lag, self._judge)
        self._revival = Revival(storage, self.dead, now, settings.leeway)
        #: The time when this process learned that a session lost authentication methods, by session id. Its access
        #: tokens still name them, so the database is asked at each use.
        self.lowered: dict[str, int] = {}
        #: Called with sessions that were lowered.
        self.on_lowered: list[Callable[[Collection[str]], None]] = []
        #: Called when sessions have ended all at once.
        self.on_swept: list[Callable[[], None]] = []
        #: Called with each page that this process has read and applied.
        self.on_look: list[Callable[[Look], None]] = []
        self._failing = False
        #: The current roles of users whose access changed recently, by user id.
        self._changed_roles = ChangedRoles(self._close_sockets_of)
        self.roles: dict[str, tuple[str, ...]] = self._changed_roles.current
        renew_after_fork(self)

    def renew(self) -> None:
        """Ask the database until the first synchronization of a forked child; websockets belong to the parent."""
        self.fresh_until = self._known_until = NEVER
        self.database.renew()
        self._revival.renew()
        leave_behind((self._sockets, self._sockets_of_users))
        self._sockets, self._sockets_of_users = Watched[Key](), Watched[str]()

    def keep(self, seconds: int) -> None:
        """Keep entries for access tokens that live for so many seconds. Called before the first synchronization."""
        self.horizon = max(self.horizon, seconds + 2 * self._leeway)

    def is_fresh(self) -> bool:
        """Tell whether the state is recent enough to decide without a query."""
        return time.monotonic() <= self.fresh_until

    async def sync(self) -> None:
        """Read the changes from the tables once, page by page; raises StorageUnavailableError."""
        started, before = time.monotonic(), self._now()
        await self._follow_clock(started, before)
        position = self._position
        await self._forget(int(before) - self.horizon)
        read = partial(self._page, int(before) - self.horizon + 1)
        async with aclosing(read_ahead(read, position)) as pages:
            async for changes in pages:
                if position == self._position or changes.is_new:
                    self.database.see(changes.heartbeat, started)
                await self._apply(changes, started)
                position = changes.position
                await self._end_inactive(changes.inactive, int(before))
                if changes.more:
                    self._tell(Look(changes, started, before, NEVER))
        self._position = position
        self._last_sync = (started, before)
        await self.database.keep()
        self._known_until = started + self._lag
        self._judge()
        self._tell(Look(changes, started, before, self.fresh_until))

    async def _end_inactive(self, user_ids: Iterable[str], now: int) -> None:
        for user_id in user_ids:
            # A database that only reads does not matter here: this process knows the sessions, and none is renewed.
            with suppress(StorageUnavailableError):
                await self._storage.end_inactive(user_id, now)

    def _judge(self) -> None:
        """Set until when the state is recent: while it is known, and the database was the current one."""
        self.fresh_until = (
            NEVER if self._strict or self.clock.disagrees else min(self._known_until, self.database.until)
        )

    def _tell(self, look: Look) -> None:
        for listener in list(self.on_look):
            listener(look)

    async def learn(self, look: Look) -> bool:
        """Take in a page of a look that another process of this host made. This process is as fresh as that one.

        Returns False when this process must look itself: the page was too long, or the clocks do not agree.
        """
        passed, shown = time.monotonic() - look.started, self._now() - look.time
        if look.changes is None or abs(passed - shown) > self._leeway:
            return False
        is_older = self._last_sync is not None and look.started <= self._last_sync[0]
        if not is_older:
            await self._follow_clock(look.started, look.time)
        await self._apply(look.changes, look.started)
        if is_older or not self._position or look.changes.more:
            return bool(self._position)
        self.outages.answered()
        self.clock.compare(look.time, look.changes.now, self._now())
        await self._forget(int(look.time) - self.horizon)
        self._position = look.changes.position
        self._last_sync = (look.started, look.time)
        self.database.see(look.changes.heartbeat, look.started)
        self.database.until = max(self.database.until, look.until)
        self._known_until = min(look.until, look.started + self._lag)
        self._judge()
        return True

    async def _page(self, since: int, position: str) -> Changes:
        before = self._now()
        # Urgent: without the changes, every request reads its session from the database.
        with Deadline(left(DEFAULT), urgent=True):
            changes = await self._storage.changes_since(since, position)
        self.outages.answered()
        self.clock.compare(before, changes.now, self._now())
        return changes

    async def _follow_clock(self, monotonic: float, now: float) -> None:
        """Read everything again after the clock of this process was set: entries were dropped too early, or will be."""
        if self._last_sync is None:
            return
        passed, shown = monotonic - self._last_sync[0], now - self._last_sync[1]
        if abs(shown - passed) > self._leeway or shown < 0:
            self._position = ""
        if shown < 0:
            # Kept long enough by the clock as it is now, and in order.
            await self.dead.date(int(now))
            self._changed_roles.date(int(now))
            for key in list(self.lowered):
                self.lowered[key] = int(now)

    async def follow(self) -> None:
        """Synchronize after notifications, and at least twice within the lag, until cancelled.

        Processes that began together do not stay together. Under many changes, no process reads all the time.
        """
        beating = begin(self.database.run(), "heartbeat")
        try:
            await self._follow()
        finally:
            beating.cancel()
            self._revival.stop()

    async def _follow(self) -> None:
        pause = 0.0
        while True:
            try:
                await self._storage.wait_for_change(self._lag * random.uniform(0.3, 0.4) - pause)  # noqa: S311 (jitter)
            except Exception as error:  # noqa: BLE001 (the loop must survive every driver error)
                await self._failed(error)
                continue
            started = time.monotonic()
            if await self.look():
                await asyncio.sleep(pause := min(max(COLLECT, 4 * (time.monotonic() - started)), self._lag / 4))

    async def look(self) -> bool:
        """Synchronize. Returns False after trouble, which is logged once."""
        try:
            await self.sync()
        except Exception as error:  # noqa: BLE001 (the loop must survive every driver error)
            await self._failed(error)
            return False
        self._failing = False
        return True

    async def _failed(self, error: Exception) -> None:
        if isinstance(error, StorageUnavailableError):
            self.outages.failed()
        if not self._failing or not isinstance(error, StorageUnavailableError):
            logger.warning("asgi_auth cannot read revoked sessions: %s", type(error).__name__)
        self._failing = True
        await asyncio.sleep(PAUSE)

    def end(self, session_ids: Iterable[str]) -> None:
        """Record sessions that this process has ended, and close their websockets."""
        now = int(self._now())
        for session_id in session_ids:
            self.dead.add(session_id, now)
            self._sockets.close(key_of(session_id))

    def sweep(self, up_to: str) -> None:
        """Record that all sessions have ended whose ids are not greater, and close their websockets.

        One that began meanwhile may have such an id, too: the next use of each asks the database.
        """
        self.dead.sweep(up_to, int(self._now()))
        for listener in self.on_swept:
            listener()
        self._sockets.close_all(self.dead.is_doubtful)

    def lower(self, session_ids: Collection[str]) -> None:
        """Record sessions that have lost authentication methods, or may lose them, and close their websockets."""
        now = int(self._now())
        for session_id in session_ids:
            self.lowered.pop(session_id, None)
            self.lowered[session_id] = now
        for listener in self.on_lowered if session_ids else ():
            listener(session_ids)
        self._sockets.close_those([key_of(session_id) for session_id in session_ids])

    def change(self, user_id: str, roles: tuple[str, ...]) -> None:
        """Record roles that this process has changed. A synchronization in flight cannot overwrite them."""
        self._changed_roles.change(user_id, roles, int(self._now()), time.monotonic())

    def watch(
        self, session_id: str, user_id: str, roles: tuple[str, ...], close: Callable[[], None]
    ) -> Callable[[], None]:
        """Call `close` when the session ends or the user no longer has these `roles`.

        Returns a function that stops watching. What has changed since the handshake began counts, too.
        """
        stop, stop_user = self._sockets.add(key_of(session_id), close), self._sockets_of_users.add(user_id, close)
        if session_id in self.dead or self.roles.get(user_id, roles) != roles:
            close()

        def stop_both() -> None:
            stop()
            stop_user()

        return stop_both

    async def _apply(self, changes: Changes, started: float) -> None:
        if changes.is_new:
            self._revival.begin_anew()
        self._revival.go_on()
        now = int(self._now())
        for session_id, _ in changes.sessions:
            if self.dead.learn(session_id, now):
                self._sockets.close(key_of(session_id))
        if changes.up_to:
            self.sweep(changes.up_to)
        self.lower(changes.lowered)
        self._changed_roles.learn(changes.users, started, now)
        if changes.packed:
            keys = keys_in(changes.packed)
            await self.dead.learn_many(keys, now)
            self._sockets.close_those(keys)

    def _close_sockets_of(self, user_id: str) -> None:
        self._sockets_of_users.close(user_id)

    async def _forget(self, before: int) -> None:
        """Drop entries that are older than every valid access token. All are ordered by age, oldest first."""
        await self.dead.forget(before)
        for session_id in older(self.lowered, before):
            del self.lowered[session_id]
        self._changed_roles.forget(before)
