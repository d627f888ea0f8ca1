"""Starlette, with a decorator."""

from typing import Any

from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from asgi_auth.hosts.starlette import login_required
from benchmarks.guards import ROUTES, passed


def make() -> Any:
    """Make the app."""

    async def home(_: Any) -> PlainTextResponse:
        return PlainTextResponse("ok")

    views = (home, passed(home), login_required(home))
    return Starlette(routes=[Route(path, view) for path, view in zip(ROUTES, views, strict=True)])
