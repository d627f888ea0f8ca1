"""Guesses whose call is cancelled: by a host that bounds the time of requests, or by a server when a client leaves."""

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from asgi_auth.storage.statements.counters import FLIGHT
from tests.features.test_known_clients_and_limits import EVIL, HOME, all_defaults, log_in
from tests.support import CountingStorage

IN_FLIGHT = f"SELECT key FROM {{counters}} WHERE count >= {FLIGHT}"


class CancellingStorage(CountingStorage):
    """Cancels a call after statement `number`, which takes effect, as when its answer is under way."""

    number = ended = 0
    call: "asyncio.Task[Any] | None" = None

    async def run(
        self, statement: str, values: Mapping[str, Any], *, read: bool = False
    ) -> Sequence[Mapping[str, Any]]:
        rows = await super().run(statement, values, read=read)
        # Those of the background count as well, and may run at the same time.
        self.ended += 1
        if self.call is not None and self.ended == self.number:
            self.call.cancel()
            await asyncio.sleep(0)
        return rows


async def test_a_guess_that_is_cancelled_at_any_statement_does_not_stay_in_flight(tmp_path: Path) -> None:
    storage = CancellingStorage(str(tmp_path / "auth.db"))
    async with all_defaults(storage) as app:
        for number in range(1, 100):
            storage.number, storage.ended, storage.call = number, 0, asyncio.create_task(log_in(app, EVIL))
            await asyncio.wait([storage.call])
            if not storage.call.cancelled():
                break
        storage.call = None

        assert 8 < number < 99
        assert not await storage.run(IN_FLIGHT, {}, read=True)
        assert (await log_in(app, HOME)).status == 200
