"""A protected resource is protected in each spelling of its path that a host takes for it."""

from typing import Any
from urllib.parse import unquote

import pytest
from blacksheep import Application, Router
from falcon import Response
from falcon.asgi import App as Falcon
from fastapi import FastAPI
from litestar import Litestar, get
from quart import Quart

from asgi_auth import AuthMiddleware
from asgi_auth.web.paths import readings
from tests.oauth.world import make
from tests.support import Client, Clock

REACHED = {"reached": True}


def fastapi() -> FastAPI:
    app = FastAPI()
    app.get("/mcp")(lambda: REACHED)
    return app


def quart() -> Quart:
    app = Quart("host")
    app.get("/mcp")(lambda: REACHED)
    return app


def litestar() -> Litestar:
    @get("/mcp", sync_to_thread=False)
    def reach() -> dict[str, bool]:
        return REACHED

    return Litestar([reach])


def falcon() -> Any:
    class Reach:
        async def on_get(self, _: Any, resp: Response) -> None:
            resp.media = REACHED

    app = Falcon()
    app.add_route("/mcp", Reach())
    return app


def blacksheep() -> Application:
    # The default router is that of all apps of a process.
    app = Application(router=Router())
    app.router.add_get("/mcp", lambda: REACHED)
    return app


#: What each host takes for `/mcp`, beside the path itself.
SPELLINGS: dict[Any, list[str]] = {
    fastapi: ["/mcp%0A"],
    quart: ["//mcp", "mcp", "http://other.example/mcp"],
    litestar: ["//mcp", "mcp"],
    falcon: ["//mcp", "mcp"],
    blacksheep: ["/MCP"],
}


@pytest.mark.parametrize("host", SPELLINGS, ids=lambda host: host.__name__)
async def test_no_spelling_of_its_path_leads_past_a_resource(host: Any, clock: Clock) -> None:
    app = host()
    start: Any = getattr(app, "start", None)
    if start is not None:
        await start()
    plain = Client(app)
    async with make(clock) as auth:
        guarded = Client(AuthMiddleware(app, auth, mount="/auth"))
        for spelling in ["/mcp", *SPELLINGS[host]]:
            sent = {"raw_path": spelling.encode(), "root_path": ""}
            assert (await plain.get(unquote(spelling), scope=sent)).json == REACHED, spelling
            refused = await guarded.get(unquote(spelling), scope=sent)
            assert (refused.status, refused.json["code"]) == (401, "unauthorized"), spelling


@pytest.mark.parametrize(
    ("scope", "expected"),
    [
        ({"path": "/mcp"}, {"/mcp"}),
        ({"path": "/mcp/x/"}, {"/mcp/x"}),
        ({"path": "/"}, {"/"}),
        ({"path": ""}, {"/"}),
        ({"path": "/api/MCP", "root_path": "/api"}, {"/mcp"}),
        ({"path": "//api//mcp\n", "root_path": "/api"}, {"//api//mcp\n", "/mcp"}),
        ({"path": "//a/mcp", "root_path": "//a"}, {"/mcp"}),
        ({"path": "/mcp/../x"}, {"/mcp/../x"}),
        ({"path": "/notes/http://a/mcp"}, {"/notes/http://a/mcp", "/notes/http:/a/mcp"}),
    ],
)
def test_all_readings_of_a_path_are_judged(scope: dict[str, str], expected: set[str]) -> None:
    assert set(readings(scope)) == expected
