"""A host behind a trusted proxy sees the client and the scheme of the client, and nothing that another peer says."""

from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from asgi_auth import AuthMiddleware
from tests.hosts.inprocess import LocalConnect
from tests.support import Client, make_auth

PROXY, CLIENT = "10.0.0.5", "203.0.113.9"
FOR = ("x-forwarded-for", CLIENT)


async def seen(request: Request) -> Response:
    assert request.client is not None
    return JSONResponse([str(request.url_for("seen")), request.client.host])


async def socket(websocket: WebSocket) -> None:
    assert websocket.client is not None
    await websocket.accept()
    await websocket.send_text(f"{websocket.url.scheme} {websocket.client.host}")


def host(**settings: Any) -> AuthMiddleware:
    routes = [Route("/seen", seen, name="seen"), WebSocketRoute("/socket", socket)]
    return AuthMiddleware(Starlette(routes=routes), make_auth(**settings), mount="/auth")


CASES: dict[str, tuple[list[tuple[str, str]], str | None, str, str]] = {
    "the header": ([FOR, ("x-forwarded-proto", "https")], None, "https", CLIENT),
    "in capitals": ([FOR, ("x-forwarded-proto", " HTTPS ")], None, "https", CLIENT),
    "a chain that agrees": ([FOR, ("x-forwarded-proto", "https, https")], None, "https", CLIENT),
    "a chain that does not": ([FOR, ("x-forwarded-proto", "https, http")], None, "http", CLIENT),
    "another scheme": ([FOR, ("x-forwarded-proto", "gopher")], None, "http", CLIENT),
    "RFC 7239": ([("forwarded", f'for={CLIENT};proto="https";by=10.0.0.5')], None, "https", CLIENT),
    "two headers that differ": ([FOR, ("x-forwarded-proto", "https"), ("forwarded", f"for={CLIENT};proto=http")],
                                None, "http", CLIENT),
    "no header": ([FOR], "https://app.example.com", "https", CLIENT),
    "a client that is unknown": ([("x-forwarded-for", "unknown")], "https://app.example.com", "https", PROXY),
    "a header against the base URL": ([FOR, ("x-forwarded-proto", "http")], "https://app.example.com", "http", CLIENT),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES)
async def test_the_host_sees_the_client_of_a_trusted_proxy(case: str) -> None:
    headers, base_url, scheme, client = CASES[case]
    app = host(trusted_proxies=["10.0.0.0/8"], base_url=base_url)
    scope = {"client": (PROXY, 4711), "scheme": "http"}

    answer = await Client(app).get("/seen", headers=dict(headers) | {"host": "app.example.com"}, scope=scope)

    assert answer.json == [f"{scheme}://app.example.com/seen", client]
    await app.auth.close()


@pytest.mark.parametrize("trusted", [[], ["10.0.0.0/8"]])
async def test_no_other_peer_is_believed(trusted: list[str]) -> None:
    app = host(trusted_proxies=trusted)
    forged = dict([FOR, ("x-forwarded-proto", "https"), ("host", "app.example.com")])

    answer = await Client(app).get("/seen", headers=forged, scope={"client": ("192.0.2.1", 1), "scheme": "http"})

    assert answer.json == ["http://app.example.com/seen", "192.0.2.1"]
    await app.auth.close()


async def test_a_websocket_is_seen_alike() -> None:
    app = host(trusted_proxies=["10.0.0.0/8"], base_url=None)

    connect = LocalConnect(app, client=(PROXY, 4711))
    async with connect("/socket", [FOR, ("x-forwarded-proto", "https"), ("host", "h")]) as opened:
        heard = await opened.recv()

    assert heard == f"wss {CLIENT}"
    await app.auth.close()
