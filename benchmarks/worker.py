"""A process with one contender in it: `python -m benchmarks.worker NAME OPTIONS`, then JSON lines in and out.

Contenders can't disturb each other so, and one that fails is left out with its reason.
"""

import asyncio
import gc
import json
import os
import sys
from pathlib import Path
from typing import Any, TextIO

from benchmarks.contenders import calls
from benchmarks.contenders.base import Contender, Options, Request, make
from benchmarks.sampling import Sampler

#: Microseconds that a turn should take, and the fewest requests in it.
TURN, FEW = 250_000, 20


class Commands:
    """What may be asked of a worker."""

    def __init__(self, contender: Contender) -> None:
        self._contender = contender
        self._prepared: dict[str, list[Request]] = {}
        self._answers: list[bytes] = []

    async def prepare(self, kind: str, count: int) -> None:
        """Make requests of a kind, and see that they are answered: fewer of those that take long."""
        made = await self._contender.requests(kind, count)
        status, _, _ = await calls.call(self._contender.app, made[0])
        expected = {"anonymous": 401, "invalid": 401}.get(kind, 200)
        if status != expected:
            raise RuntimeError(f"{kind} answered {status} instead of {expected}")
        took = await calls.timed_requests(self._contender.app, made[:FEW])
        self._prepared[kind] = made[: max(FEW, int(TURN / took))]

    async def requests(self, kind: str) -> list[float]:
        """Microseconds for a request: of the app without authentication, of the app with it."""
        made = self._prepared[kind]
        if kind == "first seen":
            made = await self._contender.requests(kind, len(made))
        gc.collect()
        return list(await calls.timed_pair(self._contender.bare, self._contender.app, made))

    async def answer(self, count: int) -> None:
        """Send so many requests with one token, each with a scope of its own."""
        if "bearer" not in self._prepared:
            self._prepared["bearer"] = await self._contender.requests("bearer", 1)
        gc.collect()
        await calls.timed_requests(self._contender.app, self._prepared["bearer"] * count)

    async def login(self, count: int, flight: int, first: int) -> float:
        """Seconds for so many logins."""
        gc.collect()
        return await calls.timed_logins(self._contender, count, flight, first)

    async def sessions(self, flight: int, first: int) -> None:
        """Log in so often, for the refreshes that follow."""
        logins = [calls.checked(self._contender.app, self._contender.login(first + lane)) for lane in range(flight)]
        self._answers = await asyncio.gather(*logins)

    async def refresh(self, count: int, flight: int, first: int) -> float:
        """Seconds for so many refreshes of the sessions that `sessions` has begun."""
        gc.collect()
        answers = self._answers[:flight]
        seconds = await calls.timed_refreshes(self._contender, answers, count, first)
        self._answers[:flight] = answers
        return seconds

    async def sampled(self, count: int, flight: int) -> dict[str, float]:
        """Microseconds of processor time for a refresh, by areas of the code."""
        await self.sessions(flight, 0)
        gc.collect()
        sampler = Sampler()
        sampler.start()
        await calls.timed_refreshes(self._contender, self._answers, count, 0)
        return sampler.stop(count)


def short(error: BaseException) -> str:
    """Say what went wrong, in one line, without paths of this machine."""
    text = str(error).replace(str(Path.cwd()), "").split("\n")[0][:200]
    return f"{type(error).__name__}: {text}".replace(sys.prefix, "")


async def serve(name: str, options: Options, replies: TextIO) -> None:
    """Make the contender, then answer until the input ends."""

    def reply(content: dict[str, Any]) -> None:
        replies.write(json.dumps(content) + "\n")
        replies.flush()

    try:
        contender = make(name, options)
        await contender.open()
    except Exception as error:  # noqa: BLE001 (whatever it is, it is the reason)
        reply({"error": short(error)})
        return
    reply({"value": [*contender.kinds, *contender.operations]})
    commands, loop = Commands(contender), asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, sys.stdin.readline):
        asked = json.loads(line)
        try:
            reply({"value": await getattr(commands, asked["do"])(*asked["with"])})
        except Exception as error:  # noqa: BLE001 (as above)
            reply({"error": short(error)})
    await contender.close()


def own_replies() -> TextIO:
    """Keep the output for replies: what a contender prints goes where errors go."""
    replies = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    return replies


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1], Options(**json.loads(sys.argv[2])), own_replies()))
