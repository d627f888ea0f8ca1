"""An MCP server with accounts: users let MCP clients in. `make demo APP=connected` serves it."""

import os

from fastmcp import FastMCP

from asgi_auth import Auth, AuthMiddleware, AuthorizationServer, ConsoleMailer, Pages, Resource, Settings, current_user
from asgi_auth.features.defaults import defaults
from asgi_auth.hosts.mcp import bind_sessions

SCOPES = {"notes:read": "Read your notes", "notes:write": "Change your notes"}
notes = Resource("Notes", scopes=SCOPES, calls={"write": "notes:write"})
auth = Auth(
    os.environ["AUTH_DATABASE_URL"],
    settings=Settings.from_env(name="Notes", ignore={"AUTH_DATABASE_URL"}),
    features=[*defaults(mail=True), Pages(), AuthorizationServer({"/mcp": notes})],
    mailer=ConsoleMailer(),
)
server = FastMCP("notes")


@server.tool()
def whoami() -> str:
    """Tell who asks, and by which client."""
    return f"{current_user().id} by {current_user().client}"


@server.tool()
def write(text: str) -> str:
    """Keep a note."""
    return f"{current_user().id} wrote {text}"


app = AuthMiddleware(bind_sessions(server.http_app(path="/mcp")), auth, mount="/auth")
