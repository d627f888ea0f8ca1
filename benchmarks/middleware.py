"""What the middleware adds to a request, beside one written by hand: `python -m benchmarks.middleware [ROUNDS]`.

Workload: requests in process through an app that answers at once, SQLite in memory, HS256, revocation on, a scope as
uvicorn makes it. Each round times 100 requests through each contender, one contender after the other: a turn is so
short that a busy machine disturbs few of them. The table shows the median round, with the lower and the upper decile.
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
from benchmarks.contenders import base
from benchmarks.contenders.handwritten import Checked, Plain, User

REQUESTS, ROUNDS = 100, 1_000
#: The process reads the revocations between two rounds, as it does while a server waits.
PAUSE = 0.001
SECRET = secrets.token_urlsafe(48)
CHECKED, PLAIN = "written by hand, with the same checks", "written by hand, without any check"
SEEN, FIRST, PYJWT = "asgi_auth, token seen before", "asgi_auth, token seen first", "bare PyJWT decode"
Contender = Callable[[list[str]], Awaitable[float]]
Figures = dict[str, list[float]]


async def app(scope: Any, _receive: Any, send: Any) -> None:
    """Answer a user at once."""
    assert scope["user"].is_authenticated
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"ok"})


async def receive() -> dict[str, Any]:
    """Give an empty body."""
    return {"type": "http.request", "body": b"", "more_body": False}


async def send(_message: Any) -> None:
    """Drop the answer."""


def through(target: Any, user: User | None = None) -> Contender:
    """Time requests through an app, in µs for each; a bare app gets its `user` with them."""

    async def run(tokens: list[str]) -> float:
        scopes = [base.Request("GET", "/", base.bearer(token)).scope() for token in tokens]
        for scope in scopes if user is not None else ():
            scope["user"] = user
        started = time.perf_counter()
        for scope in scopes:
            await target(scope, receive, send)
        return (time.perf_counter() - started) / len(tokens) * 1e6

    return run


def decoding(key: bytes) -> Contender:
    """Time PyJWT alone, in µs for each token."""

    async def run(tokens: list[str]) -> float:
        started = time.perf_counter()
        for token in tokens:
            jwt.decode(token, key, ["HS256"], audience="asgi-auth", issuer="asgi-auth")
        return (time.perf_counter() - started) / len(tokens) * 1e6

    return run


async def measure(rounds: int) -> Figures:
    """Time all contenders by turns."""
    auth = Auth("sqlite://", secret=SECRET, features=[Passwords(argon2=Argon2.cheap()), Sessions()])
    async with auth:
        now = int(time.time())
        session = Session(
            id="01900000-0000-7000-8000-000000000000", user_id="01900000-0000-7000-8000-000000000001",
            created_at=now, last_used_at=now, rotated_at=now, expires_at=now + 9999, auth_time=now, amr=("pwd",),
        )  # fmt: skip
        tokens = [auth.access_tokens.make(session, ("user",), {})[0] for _ in range(REQUESTS)]
        user = User(session.user_id, session.id, ("user",), now + 9999)
        users = {tokens[0].encode(): user}
        wrapped, seen = through(AuthMiddleware(app, auth, mount="/auth")), tokens[:1] * REQUESTS
        contenders = {
            "bare": (through(app, user), seen),
            SEEN: (wrapped, seen),
            CHECKED: (through(Checked(app, users)), seen),
            PLAIN: (through(Plain(app, users)), seen),
            PYJWT: (decoding(auth.keys.signing[0].private), tokens),
            FIRST: (wrapped, tokens),
        }
        figures: Figures = {name: [] for name in contenders}
        for _ in range(rounds):
            await asyncio.sleep(PAUSE)
            for name, (run, given) in contenders.items():
                if name == FIRST:
                    auth.verifier.forget()
                figures[name].append(await run(given))
    return figures


def report(figures: Figures) -> str:
    """The differences to the bare app, round by round, as a table."""
    bare = figures.pop("bare")
    adds = {
        name: values if name == PYJWT else [value - least for value, least in zip(values, bare, strict=True)]
        for name, values in figures.items()
    }
    median = {name: statistics.median(values) for name, values in adds.items()}
    lines = [
        f"{REQUESTS} requests a round, {len(bare)} rounds, {platform.machine()}, CPython {sys.version.split()[0]}\n",
        "| | adds, µs (deciles) | of one written by hand, with the same checks | of PyJWT's decode |",
        "|---|---|---|---|",
    ]
    for name, values in adds.items():
        deciles = statistics.quantiles(values, n=10)
        shown = f"{median[name]:.2f} ({deciles[0]:.2f} to {deciles[-1]:.2f})"
        lines.append(
            f"| {name} | {shown} | {median[name] / median[CHECKED]:.2f} | {median[name] / median[PYJWT]:.3f} |"
        )
    return "\n".join(lines)


if __name__ == "__main__":
    print(report(asyncio.run(measure(int(sys.argv[1]) if len(sys.argv) > 1 else ROUNDS))))
