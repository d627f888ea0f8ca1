"""What a refused request costs the processor, whatever it says: the worst of 64 KiB at each way in, beside PyJWT.

Anyone can send such requests without an account. The budget is that of 167 decodes: 5 ms where a decode takes 30 µs.
"""

import json
import time
from functools import partial
from typing import Any
from urllib.parse import quote

import jwt

from asgi_auth import Argon2, Auth, AuthMiddleware, Pages, Passwords, Settings
from asgi_auth.features.defaults import defaults
from benchmarks.contenders.base import SECRET, Request
from benchmarks.contenders.ours import answer
from benchmarks.harness import Collected, Run
from benchmarks.records import Part, Table, Target, at_most, ratio

PYJWT = "bare PyJWT decode"
TAKES = "processor time"
BUDGET = 167
SIZE = 65_000
MARKS = "\u0344" * 16_000 + "\u0323" * 16_000
ODD = b"\xfc" * SIZE
TYPE, FORM = (b"content-type", b"application/json"), (b"content-type", b"application/x-www-form-urlencoded")
HTML = [(b"accept", b"text/html"), (b"origin", b"https://app.example.com")]


def _text(text: str) -> bytes:
    """Return a body whose address is a text."""
    return json.dumps({"email": text, "password": text[:4000]}, ensure_ascii=False).encode()[:SIZE]


REQUESTS = {
    "an address of marks": Request("POST", "/auth/login", [TYPE], _text(f"{MARKS}@a.b")),
    "ligatures": Request("POST", "/auth/register", [TYPE], _text("\ufdfa" * 20_000)),
    "international labels": Request("POST", "/auth/forgot-password", [TYPE], _text("a@" + "ü." * 20_000 + "com")),
    "nested JSON": Request("POST", "/auth/login", [TYPE], b"[" * SIZE),
    "JSON of many names": Request("POST", "/auth/login", [TYPE], json.dumps({f"{n}": 1 for n in range(6000)}).encode()),
    "a form of escapes": Request("POST", "/auth/token", [FORM], b"username=" + b"%41" * (SIZE // 3 - 4)),
    "a page's form": Request("POST", "/auth/login", [FORM, *HTML], b"email=" + quote(MARKS[:9000]).encode()[:SIZE]),
    "a bearer token": Request("GET", "/auth/me", [(b"authorization", b"Bearer " + b"a.b." * (SIZE // 4))]),
    "cookies": Request("GET", "/auth/me", [(b"cookie", b"__Host-auth=a.b.c; " * (SIZE // 19))]),
    "languages": Request("GET", "/auth/account", [*HTML, (b"accept-language", b"a-b-c;q=0.5," * (SIZE // 12))]),
    "origins": Request("POST", "/auth/logout", [(b"cookie", b"__Host-auth=x"), (b"origin", b"https://" + ODD)]),
    "a code": Request("POST", "/auth/reset-password", [TYPE], json.dumps(
        {"request": "x", "code": "\u2010" * 1000, "new_password": "\u0301" * 4000}).encode()),
}  # fmt: skip


async def measure(run: Run) -> None:
    """Send each request by turns, and decode a token."""
    table = Table(
        "refused",
        "Refused requests",
        "64 KiB of the worst text that each way in takes, in process, all default features; processor time of the loop",
        "µs",
        baseline=PYJWT,
    )
    run.part.tables.append(table)
    settings = Settings(secret=SECRET, base_url="https://app.example.com")
    features = [Passwords(argon2=Argon2.cheap()), *(f for f in defaults(mail=True) if not isinstance(f, Passwords))]
    async with Auth("sqlite://", settings=settings, features=[*features, Pages()], mailer=print) as auth:
        app = AuthMiddleware(answer, auth, mount="/auth")
        turns = {name: partial(_turn, app, name, Collected(run, table, name)) for name in REQUESTS}
        await run.rounds({PYJWT: partial(_decode, Collected(run, table, PYJWT))} | turns)


async def _turn(app: Any, name: str, kept: Collected) -> None:
    request = REQUESTS[name]
    incoming = [{"type": "http.request", "body": request.body, "more_body": False}]
    statuses: list[int] = []

    async def receive() -> dict[str, Any]:
        return incoming.pop() if incoming else {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    started = time.thread_time()
    await app(request.scope(), receive, send)
    kept.add(TAKES, (time.thread_time() - started) * 1e6)
    assert 300 <= statuses[0] < 500, f"{name}: {statuses}"


async def _decode(kept: Collected) -> None:
    token = jwt.encode({"sub": "x" * 36, "exp": int(time.time()) + 900, "roles": ["user"]}, SECRET, "HS256")
    started = time.thread_time()
    for _ in range(100):
        jwt.decode(token, SECRET, ["HS256"])
    kept.add(TAKES, (time.thread_time() - started) * 1e4)


def targets(part: Part) -> list[Target]:
    """The budget of the most expensive one."""
    (table,) = part.tables
    taken = [found for name in REQUESTS if (found := table.get(name, TAKES)) is not None]
    worst = ratio(max(taken, default=None), table.get(PYJWT, TAKES))
    return [at_most("the most expensive refused request, of a bare PyJWT decode", f"≤ {BUDGET} ×", BUDGET, worst)]
