"""Litestar, with a guard."""

from typing import Any

from litestar import Litestar, get

from asgi_auth.hosts.litestar import login_required
from benchmarks.guards import ROUTES


def make() -> Any:
    """Make the app."""

    async def bare(_connection: Any, _handler: Any) -> None: ...

    async def home() -> str:
        return "ok"

    guards: tuple[list[Any], ...] = ([], [bare], [login_required])
    return Litestar([get(path, guards=each)(home) for path, each in zip(ROUTES, guards, strict=True)])
