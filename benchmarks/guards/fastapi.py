"""FastAPI, with a dependency."""

from collections.abc import Callable
from typing import Annotated, Any

from fastapi import Depends, FastAPI
from fastapi.requests import HTTPConnection

from asgi_auth.hosts.fastapi import CurrentUser
from benchmarks.guards import ROUTES


async def bare(connection: HTTPConnection) -> Any:
    """Return the user."""
    return connection.scope["user"]


async def home() -> str:
    """Answer."""
    return "ok"


async def with_bare(_: Annotated[Any, Depends(bare)]) -> str:
    """Answer."""
    return "ok"


async def with_guard(_: CurrentUser) -> str:
    """Answer."""
    return "ok"


def make() -> FastAPI:
    """Make the app."""
    api = FastAPI()
    views: tuple[Callable[..., Any], ...] = (home, with_bare, with_guard)
    for path, view in zip(ROUTES, views, strict=True):
        api.add_api_route(path, view)
    return api
