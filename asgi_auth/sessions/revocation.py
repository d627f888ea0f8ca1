"""Which sessions are dead and whose roles have changed: known in memory, fresh across processes (ASVS 7.4.1, 8.3.2).

A request asks no database as long as the last look at the tables is younger than `max_revocation_lag` seconds.
When it is older, because the database or its messages are away, the database is asked for that one session:
slower, never wrong.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from itertools import takewhile

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.model.records import Changes
from asgi_auth.settings import Settings
from asgi_auth.storage import Storage

logger: logging.Logger = logging.getLogger("asgi_auth")
#: How far back every look reaches again, in seconds: late commits, and clocks that differ from machine to machine.
OVERLAP = 30
PAUSE = 0.2


class Revocation:
    """The knowledge of one process. Its sets hold only what is younger than an access token lives."""

    def __init__(self, storage: Storage, settings: Settings, now: Callable[[], float]) -> None:
        """Know nothing yet; `sync` does the first look."""
        self._storage = storage
        self._lag = settings.max_revocation_lag
        self._strict = settings.revocation == "strict"
        self._horizon = settings.access_ttl + settings.leeway + OVERLAP
        self._now = now
        self._since: int | None = None
        self._fresh_until = float("-inf")
        self._changed_at: dict[str, int] = {}
        self._looks = 0
        self._before_look: dict[str, int] = {}
        self._sockets: dict[str, set[Callable[[], None]]] = {}
        #: Sessions that ended, and when.
        self.dead: dict[str, int] = {}
        #: The roles, as they are now, of users whose access changed lately.
        self.roles: dict[str, tuple[str, ...]] = {}

    def is_fresh(self) -> bool:
        """Tell whether the sets may be relied upon at this moment."""
        return time.monotonic() <= self._fresh_until and not self._strict

    async def sync(self) -> None:
        """Look at the tables once; raises StorageUnavailableError."""
        started, now = time.monotonic(), int(self._now())
        # A clock that was ahead has made this forget what it must know again.
        since = now - self._horizon if self._since is None or now < self._since else self._since - OVERLAP
        self._looks += 1
        look = self._looks
        self._apply(await self._storage.changes_since(since), look)
        self._forget(now - self._horizon)
        self._since = now
        self._fresh_until = started + self._lag

    async def follow(self) -> None:
        """Look again whenever something may have changed, and at least twice within the lag; until cancelled."""
        away = False
        while True:
            try:
                await self._storage.wait_for_change(self._lag / 2)
                await self.sync()
                away = False
            except Exception as error:  # noqa: BLE001 (this must go on, whatever a driver raises)
                if not away or not isinstance(error, StorageUnavailableError):
                    logger.warning("asgi_auth can't look for revoked sessions: %s", type(error).__name__)
                away = True
                await asyncio.sleep(PAUSE)

    def end(self, session_ids: Iterable[str]) -> None:
        """Know at once of sessions that this process has ended, and close their sockets."""
        now = int(self._now())
        for session_id in session_ids:
            self.dead.pop(session_id, None)
            self.dead[session_id] = now
            self._close(session_id)

    def change(self, user_id: str, roles: tuple[str, ...]) -> None:
        """Know at once of roles that this process has changed; a look that has begun already may not know of them."""
        self._set_roles(user_id, roles, int(self._now()))
        self._before_look[user_id] = self._looks + 1

    def watch(self, session_id: str, user_id: str, close: Callable[[], None]) -> Callable[[], None]:
        """Call `close` when the session ends or the user's roles change; returns what stops that."""
        for watched in (session_id, user_id):
            self._sockets.setdefault(watched, set()).add(close)
        if session_id in self.dead:
            close()

        def stop() -> None:
            for watched in (session_id, user_id):
                sockets = self._sockets.get(watched, set())
                sockets.discard(close)
                if not sockets:
                    self._sockets.pop(watched, None)

        return stop

    def _set_roles(self, user_id: str, roles: tuple[str, ...], at: int) -> None:
        """Take over roles; sockets that were opened with others are closed, and come back with these."""
        if self.roles.get(user_id) != roles:
            self._close(user_id)
        self.roles[user_id] = roles
        self._changed_at.pop(user_id, None)
        self._changed_at[user_id] = at

    def _close(self, watched: str) -> None:
        for close in list(self._sockets.get(watched, ())):
            close()

    def _apply(self, changes: Changes, look: int) -> None:
        # A clock that was ahead somewhere must not keep the rest from being forgotten.
        now = int(self._now())
        for session_id, at in changes.sessions:
            if session_id not in self.dead:
                self.dead[session_id] = min(at, now)
                self._close(session_id)
        for user_id, roles, at in changes.users:
            # Clocks of machines differ: what counts is whether the look began after the change.
            if look >= self._before_look.get(user_id, 0):
                self._before_look.pop(user_id, None)
                self._set_roles(user_id, roles, max(min(at, now), self._changed_at.get(user_id, 0)))

    def _forget(self, before: int) -> None:
        """Drop what no living access token can have seen. The oldest come first in both, so that few are looked at."""
        for session_id in _older(self.dead, before):
            del self.dead[session_id]
        for user_id in _older(self._changed_at, before):
            del self._changed_at[user_id], self.roles[user_id]
            self._before_look.pop(user_id, None)


def _older(times: Mapping[str, int], before: int) -> list[str]:
    """The keys at the front whose time is over; one behind a younger one stays a little longer."""
    return [key for key, _ in takewhile(lambda item: item[1] < before, times.items())]
