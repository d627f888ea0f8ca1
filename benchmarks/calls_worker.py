"""A process that times calls of one checkout: `python -m benchmarks.calls_worker DIRECTORY`, JSON lines in and out.

Only public names of asgi_auth are used, so a checkout with other modules works as well.
"""

import asyncio
import gc
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from benchmarks.contenders import base
from benchmarks.contenders.calls import call, checked
from benchmarks.worker import own_replies, short

KINDS = ("login", "refresh", "GET /me", "request to the host")
#: So many users that none reaches the limit of sessions.
USERS, WARM_UP = 200, 20
MANY = 10**6
#: The windows of the default rules with limits that no run reaches.
UNREACHED = {"login": f"{MANY}/m/ip, {MANY}/h/ip, {MANY}/m/account, {MANY}/h/account", "refresh": f"{MANY}/m/ip"}


def load(directory: str) -> Any:
    """Import asgi_auth from a checkout; the benchmarks stay those of the current directory."""
    sys.path.insert(0, directory)
    try:
        import asgi_auth  # noqa: PLC0415 (the path decides which one)
    finally:
        sys.path.remove(directory)
    return asgi_auth


async def host(_scope: Any, _receive: Any, send: Any) -> None:
    """Answer at once."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


class Calls:
    """The calls of each kind, one after the other, each from an address of its own."""

    def __init__(self, library: Any) -> None:
        self.auth = self._make(library)
        self.app = library.AuthMiddleware(host, self.auth, mount="/auth")
        self._passwords = library.Passwords
        self._number, self._refresh, self._access = 0, "", ""

    @staticmethod
    def _make(library: Any) -> Any:
        """Compose an `Auth` with the default features, Pages, and the cheapest hash."""
        names = (
            "Account", "Audit", "EmailChange", "EmailVerification", "Lockout", "NewDevice", "Notices", "Pages",
            "PasswordReset", "Sessions", "Unlock",
        )  # fmt: skip
        known = [getattr(library, name) for name in names if name in library.__all__]
        limits = library.RateLimits(rules=UNREACHED)
        # A rule of its own would be counted in the database, which the default for endpoints behind a login is not.
        if hasattr(limits, "_behind_login"):
            limits._behind_login = [rule._replace(most=MANY) for rule in limits._behind_login]  # noqa: SLF001 (no setting changes it)
        features = [library.Passwords(argon2=library.Argon2.cheap()), limits, *[kind() for kind in known]]
        settings = library.Settings(
            secret=base.SECRET, base_url="https://app.example.com", enumeration="tell", verification="off"
        )
        return library.Auth("sqlite://", settings=settings, features=features, mailer=library.Outbox())

    async def open(self) -> None:
        """Add the users, and log one in."""
        await self.auth.start()
        for number in range(USERS):
            await self.auth[self._passwords].register(email=base.email_of(number), password=base.PASSWORD)
        # Later logins are of the other users: too many logins of one user end the oldest session.
        content = {"email": base.email_of(0), "password": base.PASSWORD}
        pair = base.parsed(await checked(self.app, base.json_request("/auth/login", content)))
        self._access, self._refresh = pair["access_token"], pair["refresh_token"]

    async def run(self, kind: str, count: int) -> float:
        """Microseconds for each of so many calls."""
        steps: dict[str, Callable[[], Awaitable[Any]]] = dict(
            zip(KINDS, (self._login, self._rotate, self._me, self._host), strict=True)
        )
        step = steps[kind]
        gc.collect()
        started = time.perf_counter()
        for _ in range(count):
            await step()
        return (time.perf_counter() - started) / count * 1e6

    async def prepare(self, kind: str, seconds: float) -> int:
        """Warm up; return how many calls a turn of so many seconds takes."""
        await self.run(kind, WARM_UP)
        return max(1, int(seconds * 1e6 / await self.run(kind, WARM_UP)))

    async def _login(self) -> bytes:
        self._number += 1
        content = {"email": base.email_of(1 + self._number % (USERS - 1)), "password": base.PASSWORD}
        return await checked(self.app, base.json_request("/auth/login", content, self._number))

    async def _rotate(self) -> None:
        self._number += 1
        request = base.json_request("/auth/refresh", {"refresh_token": self._refresh}, self._number)
        self._refresh = base.parsed(await checked(self.app, request))["refresh_token"]

    async def _me(self) -> None:
        self._number += 1
        await checked(self.app, base.Request("GET", "/auth/me", base.bearer(self._access), number=self._number))

    async def _host(self) -> None:
        await call(self.app, base.Request("GET", "/", base.bearer(self._access)))


async def serve(directory: str) -> None:
    """Make the calls, then answer until the input ends."""
    with own_replies() as replies:

        def reply(content: dict[str, Any]) -> None:
            replies.write(json.dumps(content) + "\n")
            replies.flush()

        loop = asyncio.get_running_loop()
        calls = Calls(load(directory))
        await calls.open()
        reply({"value": KINDS})
        while line := await loop.run_in_executor(None, sys.stdin.readline):
            asked = json.loads(line)
            try:
                reply({"value": await getattr(calls, asked["do"])(*asked["with"])})
            except Exception as error:  # noqa: BLE001 (the reason goes to the caller)
                reply({"error": short(error)})
        await calls.auth.close()


if __name__ == "__main__":
    asyncio.run(serve(sys.argv[1]))
