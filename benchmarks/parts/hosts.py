"""What the guard of each framework adds to a route, beside the least guard that the framework's idiom offers."""

import asyncio
import importlib
import time
from functools import partial
from typing import Any

from asgi_auth import Argon2, Auth, AuthMiddleware, Passwords, Sessions, Settings
from benchmarks.contenders.base import SECRET, Request, bearer
from benchmarks.guards import FRAMEWORKS, ROUTES
from benchmarks.harness import Collected, Run
from benchmarks.records import Part, Table, Target, at_most, ratio

COLUMNS = dict(zip(ROUTES, ("a route without a guard", "a bare guard adds", "login_required adds"), strict=True))
EMAIL, PASSWORD = "user@example.com", "correct horse battery"
#: Requests in a turn, of those in process.
SHARE = 20
#: What a guard may cost beyond a bare one, as a share of a route without one.
BOUND = 0.25


async def measure(run: Run) -> None:
    """Call the three routes of each framework by turns; processor time, since some call views in threads."""
    table = Table(
        "hosts",
        "Guards of the frameworks",
        f"{max(run.size.requests // SHARE, 1)} GETs with a token seen before, behind AuthMiddleware, in process",
        "µs of processor time",
    )
    run.part.tables.append(table)
    settings = Settings(secret=SECRET, base_url="https://app.example.com", enumeration="tell")
    async with Auth("sqlite://", settings=settings, features=[Passwords(argon2=Argon2.cheap()), Sessions()]) as auth:
        await auth[Passwords].register(email=EMAIL, password=PASSWORD)
        pair = await auth[Passwords].login(email=EMAIL, password=PASSWORD)
        apps = {}
        for name in FRAMEWORKS:
            try:
                apps[name] = AuthMiddleware(importlib.import_module(f"benchmarks.guards.{name}").make(), auth)
            except ImportError as error:
                run.leave_out(name, error)
                continue
            for path in ROUTES:
                await _timed(apps[name], path, pair.access_token, 1)
        turns = {name: partial(_turn, run, table, name, app, pair.access_token) for name, app in apps.items()}
        await run.rounds(turns)


async def _turn(run: Run, table: Table, name: str, app: Any, token: str) -> None:
    kept, count = Collected(run, table, name), max(run.size.requests // SHARE, 1)
    taken = {path: await _timed(app, path, token, count) for path in ROUTES}
    for path, column in COLUMNS.items():
        kept.add(column, taken[path] - (taken[ROUTES[0]] if path != ROUTES[0] else 0))


async def _timed(app: Any, path: str, token: str, count: int) -> float:
    """Microseconds of one request."""
    request, statuses = Request("GET", path, bearer(token)), set[int]()

    async def send(message: dict[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.add(message["status"])

    started = time.process_time()
    for _ in range(count):
        await app(request.scope(), _connected(), send)
    spent = (time.process_time() - started) / count * 1e6
    assert statuses == {200}, f"{path}: {statuses}"
    return spent


def _connected() -> Any:
    """Give the empty body, then wait: some frameworks listen for the end of the connection beside the view."""
    incoming = [{"type": "http.request", "body": b"", "more_body": False}]

    async def receive() -> dict[str, Any]:
        if not incoming:
            await asyncio.Event().wait()
        return incoming.pop()

    return receive


def targets(part: Part) -> list[Target]:
    """The share of a route's own time that the most expensive guard takes beyond the bare one."""
    (table,) = part.tables
    base, bare, guard = COLUMNS.values()
    shares = []
    for name in table.rows:
        extra = (table.get(name, guard) or 0) - (table.get(name, bare) or 0)
        shares.append(ratio(extra, table.get(name, base)) or 0)
    worst = max(shares, default=None)
    return [
        at_most("a guard beyond a bare one, of a route without one, in any framework", f"≤ {BOUND} ×", BOUND, worst)
    ]
