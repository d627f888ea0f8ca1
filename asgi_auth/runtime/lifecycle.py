"""Start and close, both optional: each event loop starts automatically with its first request."""

import asyncio
import logging
import weakref
from collections.abc import Callable, Coroutine, Sequence
from contextlib import AsyncExitStack, suppress
from copy import copy

from asgi_auth._per_loop import PerLoop
from asgi_auth.crypto.keys import KeyRing
from asgi_auth.errors import AuthError, StorageSetupError, StorageUnavailableError
from asgi_auth.feature.base import BaseFeature
from asgi_auth.limits.counters import Counters
from asgi_auth.mail.delivery import Delivery
from asgi_auth.process.background import begin
from asgi_auth.process.log import logger
from asgi_auth.runtime.config_check import ConfigCheck
from asgi_auth.runtime.event_loop import require_asyncio
from asgi_auth.runtime.purge import Purger
from asgi_auth.sessions.generations import UsedGenerations
from asgi_auth.sessions.relay.relay import Relay
from asgi_auth.sessions.revocation import Revocation
from asgi_auth.settings import Settings
from asgi_auth.storage import Storage

#: Seconds that closing waits for mails in flight.
DRAIN = 10.0


class _Run:
    """The state of one event loop: the number of failed attempts to start, and the error of the last one."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.follower: asyncio.Task[None] | None = None
        self.failures = 0
        self.error: AuthError | None = None


class Lifecycle:
    """Opens the storage, migrates, and follows revocations: once per loop, however many requests come at once."""

    def __init__(  # noqa: PLR0917 (each is a collaborator)
        self,
        storage: Storage,
        counters: Counters,
        keys: KeyRing,
        settings: Settings,
        revocation: Revocation,
        used_generations: UsedGenerations,
        mail: Delivery,
        purger: Purger,
        config_check: ConfigCheck,
        features: Sequence[BaseFeature],
        now: Callable[[], float],
        warm_up: Callable[[], None],
    ) -> None:
        """Take the parts to start and close; `warm_up` runs in a thread before the first request."""
        self._storage = storage
        self._counters = counters
        self._keys = keys
        self._settings = settings
        self._revocation = revocation
        self._used_generations = used_generations
        self._mail = mail
        self._purger = purger
        self._config_check = config_check
        config_check.watch(revocation.clock)
        self._features = features
        self._now = now
        self._warm_up = warm_up
        self._runs: PerLoop[_Run] = PerLoop(lambda _: None)
        self._logged = ""
        self._started: weakref.ref[asyncio.AbstractEventLoop] | None = None

    def loop(self) -> asyncio.AbstractEventLoop | None:
        """Return the event loop that was started last; None without one."""
        return self._started() if self._started is not None else None

    def loops(self) -> list[asyncio.AbstractEventLoop]:
        """Return the open event loops that were started, and not closed."""
        return self._runs.loops()

    async def start(self, *, reachable: bool = True) -> None:
        """Start for the running loop, and log a failure once; the next call tries again.

        Raises StorageSetupError, StorageUnavailableError unless `reachable` is false, and AsyncioRequiredError.
        """
        if self._is_started():
            return
        require_asyncio()
        try:
            await self._start()
        except StorageSetupError as error:
            self._log(logging.ERROR, f"asgi_auth cannot start: {error}")
            raise
        except StorageUnavailableError as error:
            self._revocation.outages.failed()
            self._log(logging.WARNING, f"asgi_auth runs without its database, and tries again: {error.__cause__!r}")
            if reachable:
                raise

    def _is_started(self) -> bool:
        if self._started is None:
            return False
        try:
            return self._started() is asyncio.get_running_loop()
        except RuntimeError:
            # Another event loop, such as trio's.
            return False

    async def _start(self) -> None:
        run = self._runs.get() or self._runs.set(_Run())
        seen = run.failures
        async with run.lock:
            if run.follower is None:
                if run.error is not None and run.failures > seen:
                    # Calls that waited for a failed attempt share its error, and do not try one after another.
                    raise copy(run.error) from run.error.__cause__
                await self._attempt(run)
        self._started = weakref.ref(asyncio.get_running_loop())

    async def _attempt(self, run: _Run) -> None:
        try:
            run.follower = await self._open()
        except Exception as error:
            if isinstance(error, AuthError):
                run.error = error
            else:
                logger.exception("asgi_auth failed to start")
                run.error = StorageSetupError(f"{type(error).__name__}: {error}")
                run.error.__cause__ = error
            run.failures += 1
            raise run.error from run.error.__cause__

    def _log(self, level: int, message: str) -> None:
        if message != self._logged:
            self._logged = message
            logger.log(level, "%s", message)

    async def start_call(self) -> None:
        """Start before a call of an endpoint, and begin a purge that is due."""
        await self.start()
        self._purger.nudge()

    async def close(self) -> None:
        """Send the mails in flight, for ten seconds at most; then close the features, and release everything else.

        An error of one part is raised after all others are closed.
        """
        async with AsyncExitStack() as stack:
            # The stack closes in reverse order: the storage last.
            stack.push_async_callback(self._storage.close)
            if self._counters is not self._storage:
                stack.push_async_callback(self._counters.close)
            stack.push_async_callback(self._purger.stop)
            stack.push_async_callback(self._stop_following)
            stack.push_async_callback(self._used_generations.close)
            for feature in reversed(self._features):
                stack.push_async_callback(feature.close)
            await self._mail.drain(DRAIN)

    async def _stop_following(self) -> None:
        run = self._runs.pop()
        self._started = None
        if run is not None and run.follower is not None:
            run.follower.cancel()
            with suppress(asyncio.CancelledError):
                await run.follower

    async def _open(self) -> asyncio.Task[None]:
        # In a thread, because it loads the public suffix list.
        await asyncio.to_thread(self._config_check.log_new)
        await self._storage.open()
        if self._settings.auto_migrate:
            await self._storage.migrate(int(self._now()))
        else:
            await self._storage.check_tables()
        self._keys.bind(await self._storage.installation(int(self._now())))
        await self._revocation.sync()
        await self._examine()
        await asyncio.to_thread(self._warm_up)
        return begin(self._follow(), "revocation")

    async def _examine(self) -> None:
        """Let a storage that can do so look at its server, and log what it finds."""
        examine = getattr(self._storage, "examine", None)
        if examine is not None:
            with suppress(StorageUnavailableError):
                await examine()
                await asyncio.to_thread(self._config_check.log_new)

    def _following(self) -> Coroutine[None, None, None]:
        path = self._settings.relay
        if path is None:
            return self._revocation.follow()
        installation = self._keys.derived("relay")[0].hex()[:32]
        return Relay(path, self._revocation, self._settings.max_revocation_lag, installation).follow()

    async def _follow(self) -> None:
        """Follow the revocations, and the file of the signing keys, until cancelled."""
        await asyncio.gather(self._following(), self._keys.follow())
