"""Starting and closing: never needed, always possible. Each event loop starts by itself, with its first request."""

import asyncio
import weakref
from contextlib import suppress
from typing import TYPE_CHECKING

from asgi_auth._per_loop import PerLoop
from asgi_auth.accounts.passwords import PasswordService
from asgi_auth.validation.email_address import canonical_or_none
from asgi_auth.validation.password_policy import common_passwords

if TYPE_CHECKING:
    from asgi_auth.auth import Auth


DRAIN = 10.0


def _warm_up(auth: "Auth") -> None:
    """Import what the first registration needs: it takes 0.1 s, in which no request should have to wait."""
    if any("email" in endpoint.fields for feature in auth.features for endpoint in feature.endpoints):
        canonical_or_none("ada@bücher.example.com")
    if auth.get(PasswordService) is not None:
        common_passwords()


class _Run:
    """What runs for one event loop."""

    def __init__(self) -> None:
        self.lock = asyncio.Lock()
        self.follower: asyncio.Task[None] | None = None


class Lifecycle:
    """Opens the storage, migrates, and follows revocations: once per loop, however many requests come at once."""

    def __init__(self, auth: "Auth") -> None:
        """Belong to an `Auth`."""
        self._auth = auth
        self._runs: PerLoop[_Run] = PerLoop(lambda _: None)
        self._started: weakref.ref[asyncio.AbstractEventLoop] | None = None

    async def start(self) -> None:
        """Start for the running loop; raises StorageUnavailableError, and then the next call tries again."""
        loop = asyncio.get_running_loop()
        if self._started is not None and self._started() is loop:
            return
        run = self._runs.get() or self._runs.set(_Run())
        async with run.lock:
            run.follower = run.follower or await self._open()
        self._started = weakref.ref(loop)

    async def close(self) -> None:
        """Send the mails that are under way, for ten seconds at most; then let features end, and let go of all else."""
        try:
            await self._auth.mail.drain(DRAIN)
            for feature in self._auth.features:
                await feature.close()
        finally:
            await self._stop()

    async def _stop(self) -> None:
        run = self._runs.pop()
        self._started = None
        if run is not None and run.follower is not None:
            run.follower.cancel()
            with suppress(asyncio.CancelledError):
                await run.follower
        try:
            await self._auth.purger.stop()
            if self._auth.counters is not self._auth.storage:
                await self._auth.counters.close()
        finally:
            await self._auth.storage.close()

    async def _open(self) -> asyncio.Task[None]:
        auth = self._auth
        # Where sites are compared, a long list is read.
        await asyncio.to_thread(auth.config_check.log_new)
        await auth.storage.open()
        if auth.settings.auto_migrate:
            await auth.storage.migrate(int(auth.now()))
        await auth.revocation.sync()
        await asyncio.to_thread(_warm_up, auth)
        return asyncio.create_task(auth.revocation.follow(), name="asgi_auth revocation")
