"""An app of several processes with an authorization server. `GET /disable?id=…` disables a user."""

import os

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from asgi_auth import AuthMiddleware
from tests.oauth.world import host, make

auth = make(None, storage=os.environ["AUTH_DATABASE_URL"])


async def served(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer who asks, or disable a user."""
    if scope.get("path") == "/disable":
        await auth.users.set_status(scope["query_string"].decode().removeprefix("id="), "disabled")
        await Response(status_code=204)(scope, receive, send)
    else:
        await host(scope, receive, send)


app = AuthMiddleware(served, auth, mount="/auth")
