"""Health: one endpoint that tells whether the database answers."""

import asyncio
from contextlib import suppress
from copy import copy
from typing import Literal

from asgi_auth._per_loop import PerLoop
from asgi_auth.bounds.deadline import Deadline
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.feature import Feature, Record, get
from asgi_auth.process.background import begin


class HealthStatus(Record, frozen=True, kw_only=True):
    """The service and its database work."""

    status: Literal["ok"] = "ok"


class Health(Feature):
    """Tells load balancers whether the service works: 200 after one row was read from the database, or 503.

    It has no limits, because calls at the same time share one query. That query does not wait behind other requests: a
    busy service is not reported as broken.
    """

    def __init__(self) -> None:
        """Begin nothing yet."""
        self._probes: PerLoop[asyncio.Task[None]] = PerLoop(lambda _: None)

    @get("/health", errors=(StorageUnavailableError,))
    async def health(self) -> HealthStatus:
        """Tell whether the service and its database work."""
        probe = self._probes.get()
        if probe is None or probe.done():
            probe = self._probes.set(begin(self._ask(), "health"))
        # A caller that goes away must not end the query of the others.
        await asyncio.wait([probe])
        error = probe.exception()
        if error is not None:
            # Each caller needs an error of its own: it is reported once for each request.
            raise copy(error) from error.__cause__
        return HealthStatus()

    async def close(self) -> None:
        """End the query that is in flight."""
        probe = self._probes.pop()
        if probe is not None:
            probe.cancel()
            with suppress(asyncio.CancelledError, StorageUnavailableError):
                await probe

    async def _ask(self) -> None:
        with Deadline(self.auth.request_timeout, urgent=True):
            await self.auth.storage.ping()
