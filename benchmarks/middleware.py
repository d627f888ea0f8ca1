"""What the middleware adds to a request, beside a bare PyJWT decode, in one run: `python -m benchmarks.middleware`.

Workload: 20,000 requests in process through an app that answers at once, SQLite in memory, HS256, revocation on. Each
round times all contenders one after the other; the table shows the median round with the least and the most.
"""

import asyncio
import platform
import secrets
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

import jwt

from asgi_auth import Argon2, Auth, AuthMiddleware, Passwords, Sessions
from asgi_auth.model.records import Session

REQUESTS, ROUNDS = 20_000, 11
SECRET = secrets.token_urlsafe(48)
Contender = Callable[[list[str]], Awaitable[None]]


async def app(_scope: Any, _receive: Any, send: Any) -> None:
    """Answer at once."""
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


async def receive() -> dict[str, Any]:
    """Give an empty body."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(_message: Any) -> None:
    """Drop the answer."""


def scope_of(token: str) -> dict[str, Any]:
    """A request as a browser sends it."""
    common = [
        (b"host", b"localhost"),
        (b"accept", b"*/*"),
        (b"user-agent", b"Mozilla/5.0"),
        (b"accept-language", b"en"),
    ]
    headers = [*common, (b"authorization", b"Bearer " + token.encode())]
    return {
        "type": "http",
        "method": "GET",
        "path": "/",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
    }


def through(target: Any) -> Contender:
    """Send a request for each token through an app."""

    async def run(tokens: list[str]) -> None:
        for token in tokens:
            await target(scope_of(token), receive, send)

    return run


def decoding(key: bytes) -> Contender:
    """Decode each token by PyJWT alone."""

    async def run(tokens: list[str]) -> None:
        for token in tokens:
            jwt.decode(token, key, ["HS256"], audience="asgi-auth", issuer="asgi-auth")

    return run


async def timed(run: Contender, tokens: list[str]) -> float:
    """Microseconds for one token."""
    started = time.perf_counter()
    await run(tokens)
    return (time.perf_counter() - started) / len(tokens) * 1e6


async def main() -> None:
    """Measure and print."""
    auth = Auth("sqlite://", secret=SECRET, features=[Passwords(argon2=Argon2.cheap()), Sessions()])
    async with auth:
        wrapped = through(AuthMiddleware(app, auth))
        now = int(time.time())
        session = Session(
            id="01900000-0000-7000-8000-000000000000", user_id="01900000-0000-7000-8000-000000000001",
            created_at=now, last_used_at=now, rotated_at=now, expires_at=now + 9999, auth_time=now, amr=("pwd",),
        )  # fmt: skip
        fresh = [auth.access_tokens.make(session, ("user",), {})[0] for _ in range(REQUESTS)]
        seen, key = [fresh[0]] * REQUESTS, auth.keys.signing[0].private
        figures: dict[str, list[float]] = {"bare": [], "seen": [], "first": [], "pyjwt": []}
        for _ in range(ROUNDS):
            figures["bare"].append(await timed(through(app), seen))
            figures["seen"].append(await timed(wrapped, seen))
            auth.verifier.forget()
            figures["first"].append(await timed(wrapped, fresh))
            figures["pyjwt"].append(await timed(decoding(key), fresh))
    show(figures)


def show(figures: dict[str, list[float]]) -> None:
    """Print the differences, pair by pair, as a table."""
    adds = {name: [b - a for a, b in zip(figures["bare"], figures[name], strict=True)] for name in ("seen", "first")}
    adds["pyjwt"] = figures["pyjwt"]
    names = {"seen": "token seen before", "first": "token seen first", "pyjwt": "bare PyJWT decode"}
    machine = f"{platform.machine()}, CPython {sys.version.split()[0]}, PyJWT {jwt.__version__}"
    print(f"{REQUESTS} requests, {ROUNDS} rounds, {machine}\n")
    print("| | adds, µs: median (least-most) | of PyJWT's decode |\n|---|---|---|")
    for name, values in adds.items():
        ratio = statistics.median(a / b for a, b in zip(values, figures["pyjwt"], strict=True))
        print(
            f"| {names[name]} | {statistics.median(values):.1f} ({min(values):.1f}-{max(values):.1f}) | {ratio:.2f} |"
        )


if __name__ == "__main__":
    asyncio.run(main())
