"""The library under test: two processes' worth of `Auth` on one database, a mailbox, and a clock."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, TypeVar

from asgi_auth import Auth, Passwords, Settings
from asgi_auth.crypto.argon2 import Argon2
from asgi_auth.feature import Event, PasswordService
from asgi_auth.features.defaults import defaults
from asgi_auth.features.lockout import Lockout
from asgi_auth.features.rate_limits import RateLimits
from asgi_auth.mail import Mail
from asgi_auth.model.records import User
from asgi_auth.storage import from_url
from asgi_auth.storage.sql import SQLStorage
from tests.sessions.model.faults import ARMED, Fault, FaultyDriver
from tests.sessions.model.specification import MAX_SESSIONS
from tests.support import ORIGIN, SECRET, Clock

T = TypeVar("T")
PROCESSES = 2
#: Seconds of the real time that a call may take.
PATIENCE = 300


class Service:
    """The processes. They share nothing in memory, and one of them asks the host for claims."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._runner = asyncio.Runner()
        self.clock = Clock()
        self.mails: list[Mail] = []
        self.events: list[str] = []
        self.claims_fail = False
        self.auths: list[Auth] = []
        for number in range(PROCESSES):
            self.run(self._start(number))

    def run(self, call: Coroutine[Any, Any, T]) -> T:
        """Run a call in the event loop of the processes."""
        return self._runner.run(call)

    def run_with(self, fault: Fault, call: Coroutine[Any, Any, T]) -> T:
        """Run a call whose first write, or whose claims of the host, fail."""

        async def armed() -> T:
            ARMED.set([] if fault in {"", "claims"} else [fault])
            try:
                return await call
            finally:
                ARMED.set([])

        self.claims_fail = fault == "claims"
        try:
            return self.run(armed())
        finally:
            self.claims_fail = False

    @contextmanager
    def after_verify(self, process: int, work: Callable[[], Awaitable[None]]) -> Iterator[None]:
        """Await some work once, after the next password of a process was verified."""
        hasher = self.auths[process][PasswordService].hasher
        verify = hasher.verify

        async def verified(hashed: str | None, password: str) -> bool:
            hasher.verify = verify  # type: ignore[method-assign]  # as it was before
            fits = await verify(hashed, password)
            await work()
            return fits

        hasher.verify = verified  # type: ignore[method-assign]  # for one call
        try:
            yield
        finally:
            hasher.verify = verify  # type: ignore[method-assign]  # as it was before

    def restart(self, process: int) -> None:
        """Restart a process: what it knew in memory is gone."""
        self.run(self.auths[process].close())
        self.run(self._start(process))

    def close(self) -> None:
        """End all processes."""
        for auth in self.auths:
            self.run(auth.close())
        self._runner.close()

    async def news(self) -> None:
        """Let the news of used generations and ended sessions arrive everywhere, and the mails as well."""
        for auth in self.auths:
            while auth.used_generations._tasks:
                await asyncio.wait(list(auth.used_generations._tasks))
            await auth.revocation.sync()
            await auth.mail.idle()

    async def _start(self, number: int) -> None:
        storage = from_url(self._url)
        assert isinstance(storage, SQLStorage)
        driver: Any = storage._driver
        driver.timeout = PATIENCE
        storage._driver = FaultyDriver(driver)
        unlimited = [item for item in defaults(mail=True) if not isinstance(item, Passwords | RateLimits | Lockout)]
        auth = Auth(
            storage,
            settings=Settings(
                secret=SECRET, base_url=ORIGIN, enumeration="tell", purge_interval=0, max_sessions=MAX_SESSIONS
            ),
            features=[Passwords(argon2=Argon2.cheap()), *unlimited],
            claims=self._claims if number else None,
            mailer=self.mails.append,
            now=self.clock,
        )
        auth.mail.pause = 0
        # No call ends by the real time: a busy machine would make the same sequence end differently.
        auth.pipeline._timeout = auth.request_timeout = PATIENCE

        @auth.on("refresh_repeated")
        def repeated(event: Event) -> None:
            self.events.append(event.name)

        await auth.start()
        if number < len(self.auths):
            self.auths[number] = auth
        else:
            self.auths.append(auth)

    def _claims(self, user: User) -> Mapping[str, Any]:
        if self.claims_fail:
            raise ConnectionError
        return {"status": user.status}
