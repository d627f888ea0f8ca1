"""Quart, with a decorator."""

from typing import Any

from quart import Quart

from asgi_auth.hosts.quart import login_required
from benchmarks.guards import ROUTES, passed


def make() -> Any:
    """Make the app."""

    async def home() -> str:
        return "ok"

    web = Quart(__name__)
    for path, view in zip(ROUTES, (home, passed(home), login_required(home)), strict=True):
        web.add_url_rule(path, path, view)
    return web
