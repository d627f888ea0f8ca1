"""Sanic as an ASGI app: an exception handler answers the errors of `require`."""

import os

from sanic import HTTPResponse, Request, Sanic, Websocket, json, raw

from asgi_auth import Auth, AuthError, AuthMiddleware, current_user, problem

host = Sanic("example")


@host.get("/who")
async def who(_: Request) -> HTTPResponse:
    return json({"user": current_user().id or None})


@host.get("/admin")
async def admin(_: Request) -> HTTPResponse:
    return json({"user": current_user().require(roles="admin").id})


@host.post("/note")
async def note(_: Request) -> HTTPResponse:
    return json({"noted": True})


async def socket(_: Request, websocket: Websocket) -> None:
    await websocket.send(current_user().id)
    await websocket.recv()


@host.exception(AuthError)
async def refused(request: Request, error: AuthError) -> HTTPResponse:
    response = problem(error, request.transport.scope)
    return raw(bytes(response.body), response.status_code, dict(response.headers))


host.add_websocket_route(socket, "/socket")
auth = Auth(os.environ["AUTH_DATABASE_URL"], secret=os.environ["AUTH_SECRET"])
app = AuthMiddleware(host, auth, mount="/auth")
