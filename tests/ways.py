"""Count the rooms and files that a request crosses: `python -m tests.ways [--list WAY]`.

The tool profiles one warm request per way, in process, with all default features, Pages, a mailer, and SQLite in
memory. Each way has an `Auth` of its own. Definitions:

* room: a folder of asgi_auth, or a module of its root, with at least one Python call during the request. A private
  helper of the root (`_per_loop`) belongs to its caller. Calls in worker threads and in background tasks of the request
  count. Imports, generated code (the `__init__` of a dataclass), and C code (msgspec) do not count.
* file: a module with such a call.
* entry: the start of a function or coroutine. The resumption of a coroutine or generator is no entry.
* move: an entry into another room than the entry before, in order of time.
* return: a move into a room that the request has entered before, so moves = rooms - 1 + returns.

On commit 35f430e, before the package was divided into rooms, the tool counts (rooms, files, moves): login 33, 46, 110;
page login 34, 52, 119; refresh 26, 34, 60; GET /me 24, 32, 49; a mail 30, 47, 97; a request 5, 5, 7.
"""

import argparse
import asyncio
import json
import sys
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode

from asgi_auth import Argon2, Audit, Auth, AuthMiddleware, Lockout, Outbox, Pages, Passwords, RateLimits
from tests import support
from tests.markdown import table
from tests.support import EMAIL, ORIGIN, PASSWORD, Answer, bearer
from tests.tracing import Request, Way, tracing

WARM_UPS = 2


class Visitor:
    """The requests of the ways, against one `Auth`; one user is logged in."""

    def __init__(self, auth: Auth, outbox: Outbox) -> None:
        self._auth, self._outbox = auth, outbox
        self._app = AuthMiddleware(support.who, auth, mount="/auth")
        self._access, self._refresh, self._mailed = "", "", 0

    async def log_in(self) -> None:
        """Register the users and keep the tokens of a session."""
        for number in range(1, WARM_UPS + 2):
            await support.register(self._auth, email_of(number))
        await support.register(self._auth)
        pair = await support.login(self._auth)
        self._access, self._refresh = str(pair.access_token), str(pair.refresh_token)

    async def login(self) -> None:
        """POST /login with JSON."""
        await self._post("/auth/login", {"email": EMAIL, "password": PASSWORD})

    async def page_login(self) -> None:
        """POST /login as the form of the page does."""
        headers = {
            "accept": "text/html",
            "content-type": "application/x-www-form-urlencoded",
            "origin": ORIGIN,
            "sec-fetch-site": "same-origin",
        }
        body = urlencode({"email": EMAIL, "password": PASSWORD}).encode()
        await self._send("POST", "/auth/login", headers, body, status=303)

    async def refresh(self) -> None:
        """POST /refresh with the newest refresh token in JSON."""
        answer = await self._post("/auth/refresh", {"refresh_token": self._refresh})
        self._refresh = answer.json["refresh_token"]

    async def me(self) -> None:
        """GET /me with a bearer token."""
        await self._send("GET", "/auth/me", bearer(self._access))

    async def mail(self) -> None:
        """POST /forgot-password, until the mail is in the outbox; each user asks once, since a cooldown follows."""
        self._mailed += 1
        await self._post("/auth/forgot-password", {"email": email_of(self._mailed)}, status=202)
        await self._auth.mail.idle()
        assert len(self._outbox.mails) == self._mailed

    async def request(self) -> None:
        """GET a path of the host with a bearer token that is cached."""
        await self._send("GET", "/", bearer(self._access))

    async def _post(self, path: str, content: dict[str, Any], status: int = 200) -> Answer:
        body = json.dumps(content).encode()
        return await self._send("POST", path, {"content-type": "application/json"}, body, status)

    async def _send(
        self, method: str, path: str, headers: dict[str, str], body: bytes = b"", status: int = 200
    ) -> Answer:
        answer = await support.call(self._app, support.http_scope(method, path, list(headers.items())), body)
        assert answer.status == status, (answer.status, answer.body)
        return answer


WAYS: dict[str, Callable[[Visitor], Request]] = {
    "login": lambda visitor: visitor.login,
    "page login": lambda visitor: visitor.page_login,
    "refresh": lambda visitor: visitor.refresh,
    "me": lambda visitor: visitor.me,
    "mail": lambda visitor: visitor.mail,
    "request": lambda visitor: visitor.request,
}


def email_of(number: int) -> str:
    """The address of a user that asks for a mail."""
    return f"user{number}@example.com"


def make(outbox: Outbox) -> Auth:
    """An `Auth` with all default features and Pages."""
    features = [Passwords(argon2=Argon2.cheap()), *support.unlimited(mail=True), RateLimits(), Lockout(), Pages()]
    auth = support.make_auth(
        features=features, mailer=outbox, verification="off", max_revocation_lag=60, purge_interval=0
    )
    # Work in the background that begins by a clock would be counted in some runs only.
    auth[Audit].queue.pause = 60
    return auth


async def trace(name: str) -> Way:
    """Record a way after warm-up requests."""
    outbox = Outbox()
    with tracing() as tracer:
        async with make(outbox) as auth:
            visitor = Visitor(auth, outbox)
            await visitor.log_in()
            request = WAYS[name](visitor)
            for _ in range(WARM_UPS):
                await request()
            await auth.mail.idle()
            return await tracer.record(request)


def traced(name: str) -> Way:
    """Record a way in an event loop of its own."""
    return asyncio.run(trace(name))


def ways_table() -> str:
    """The Markdown table of all ways, for docs/architecture.md."""
    rows = []
    for name in WAYS:
        way = traced(name)
        rows.append([name, *map(str, (way.rooms, way.files, way.moves, way.returns))])
    return table(["way", "rooms", "files", "moves", "returns"], rows)


def listing(way: Way) -> str:
    """The modules in order of the first entry, each with the function entered and the caller."""
    rows = [
        [str(number), module, first.function, first.caller]
        for number, (module, first) in enumerate(way.firsts.items(), 1)
    ]
    return table(["", "module", "first function", "called from"], rows)


def main() -> None:
    """Print the table, or the modules of one way."""
    parser = argparse.ArgumentParser(prog="tests.ways")
    parser.add_argument("--list", choices=WAYS, type=str.lower, metavar="WAY", help=f"one of: {', '.join(WAYS)}")
    given = parser.parse_args()
    sys.stdout.write(f"{listing(traced(given.list)) if given.list else ways_table()}\n")


if __name__ == "__main__":
    main()
