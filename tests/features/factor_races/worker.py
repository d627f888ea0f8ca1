"""A worker process of the races: each line on its input is a task in JSON, and each line on its output the answer."""

import asyncio
import base64
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable
from typing import Any

from asgi_auth import Auth, RecoveryCodes, SecondFactors, Totp
from asgi_auth.errors import AuthError, SecondFactorRequiredError, SecondFactorSetupRequiredError
from asgi_auth.feature import Client
from asgi_auth.features.totp import feature as totp
from asgi_auth.features.totp.codes import code_at
from tests.support import Clock, cheap, make_auth

Task = dict[str, Any]
#: The outcome of a call that has logged in.
IN = "in"


def an_auth(url: str, clock: Clock) -> Auth:
    """An `Auth` whose users must have a second factor."""
    features = [*cheap(), SecondFactors(required=True), Totp(), RecoveryCodes()]
    return make_auth(url, features=features, clock=clock, max_sessions=10_000)


class Worker:
    """Prepares pending logins, and finishes all of them at once."""

    def __init__(self, url: str) -> None:
        self.clock = Clock()
        self.auth = an_auth(url, self.clock)
        self._calls: list[Callable[[], Awaitable[object]]] = []

    async def prepare(self, task: Task) -> str:
        """Begin the logins of a user, whose first factor is right, and what the last calls need."""
        self.clock.at = task["at"]
        self._calls = [await self._prepared(task, number) for number in range(task["callers"])]
        return "ready"

    async def go(self, _: Task) -> dict[str, int]:
        """Make the last calls of all logins at once; return how often each outcome came."""
        outcomes = await asyncio.gather(*(_outcome(call) for call in self._calls))
        return {outcome: outcomes.count(outcome) for outcome in set(outcomes)}

    async def die(self, task: Task) -> str:
        """Be killed between the use of a pending login and its session."""
        await self.prepare(task | {"callers": 1})
        use = self.auth.storage.use_token

        async def use_and_die(token_id: str, now: int) -> bool:
            await use(token_id, now)
            os.kill(os.getpid(), signal.SIGKILL)
            return True

        self.auth.storage.use_token = use_and_die  # type: ignore[method-assign]  # as a crash would
        return await _outcome(self._calls[0])

    async def _prepared(self, task: Task, number: int) -> Callable[[], Awaitable[object]]:
        pending = await self._pending(task["user"])
        app, codes = self.auth[Totp], task["codes"]
        code = codes[number % len(codes)] if codes else ""
        if task["kind"] == "recovery":
            return lambda: self.auth[RecoveryCodes].recovery_code_login(pending=pending, code=code)
        if task["kind"] == "app":
            return lambda: app.totp_login(pending=pending, code=code)
        setup = await app.totp_setup(pending=pending)
        first = code_at(base64.b32decode(setup.secret), int(self.clock() // 30))
        return lambda: app.totp_turn_on(request=setup.request, code=first, pending=pending)

    async def _pending(self, user_id: str) -> str:
        user = await self.auth.users.get(user_id)
        password = await self.auth.storage.credential(user_id, "password")
        assert password is not None
        try:
            await self.auth.login(user, password, amr=("pwd",), client=Client())
        except (SecondFactorRequiredError, SecondFactorSetupRequiredError) as error:
            return error.pending
        raise AssertionError("a second factor was not asked for")


async def _outcome(call: Callable[[], Awaitable[object]]) -> str:
    try:
        await call()
    except AuthError as error:
        return error.code
    return IN


async def main(url: str) -> None:
    """Work until the input ends."""
    # No image is needed, and it takes the most time.
    vars(totp).update(svg_of=lambda _: "")
    worker = Worker(url)
    async with worker.auth:
        while line := await asyncio.to_thread(sys.stdin.readline):
            task = json.loads(line)
            answer = await getattr(worker, task["do"])(task)
            sys.stdout.write(json.dumps(answer) + "\n")
            sys.stdout.flush()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
