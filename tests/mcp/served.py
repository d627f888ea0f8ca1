"""An app with two resources below a path: the server of the MCP SDK, and plain ASGI. A process of its own serves it.

`client.example` and its certificate are those of the tests, as its name server would tell.
"""

import os
import ssl
from typing import Any

from mcp.server import MCPServer
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from asgi_auth import (
    Argon2,
    Auth,
    AuthMiddleware,
    AuthorizationServer,
    OAuthClient,
    Pages,
    Passwords,
    Resource,
    Settings,
    current_user,
    require,
)
from asgi_auth.features.defaults import defaults
from asgi_auth.outgoing import Outgoing
from tests.mcp.serving import CALLBACK, CLIENT_SECRET

SCOPES = {"notes:read": "Read your notes", "notes:write": "Change your notes"}


class Names(Outgoing):
    """Finds the host of documents on this machine."""

    @staticmethod
    async def _public_address(host: str, port: int, looking: list[Any]) -> str:  # noqa: ARG004 (as there)
        assert (host, port) == ("client.example", int(os.environ["DOCUMENTS_PORT"]))
        return "127.0.0.1"


server = MCPServer("notes")


@server.tool()
def whoami() -> str:
    """Tell who asks, and by which client."""
    return f"{current_user().id} by {current_user().client}"


@server.tool()
def write(text: str) -> str:
    """Keep a note."""
    return f"{current_user().id} wrote {text}"


tools = server.streamable_http_app(streamable_http_path="/team/mcp")


async def host(scope: Scope, receive: Receive, send: Send) -> None:
    """Serve the tools, and who asks for everything else."""
    if scope["type"] == "http" and scope["path"].startswith("/team/plain"):
        require(scope, scopes="files:read")
        user = current_user()
        await JSONResponse({"id": user.id, "client": user.client, "scopes": user.scopes})(scope, receive, send)
    else:
        await tools(scope, receive, send)


trust = ssl.create_default_context(cadata=os.environ["DOCUMENTS_CA"])
resources = {
    "/team/mcp": Resource("Notes", scopes=SCOPES, first=["notes:read"], calls={"write": "notes:write"}),
    "/team/plain": Resource("Files", scopes={"files:read": "Read your files"}),
}
auth = Auth(
    os.environ["AUTH_DATABASE_URL"],
    settings=Settings.from_env(name="Team", mount="/team/auth", ignore={"AUTH_DATABASE_URL"}),
    features=[
        *defaults(mail=False, passwords=Passwords(argon2=Argon2.cheap())),
        Pages(),
        AuthorizationServer(
            resources,
            clients={"reports & co": OAuthClient("Reports", [CALLBACK], secret=CLIENT_SECRET)},
            outgoing=Names(development=True, verify=trust),
        ),
    ],
)
app = AuthMiddleware(host, auth, mount="/team/auth")
