"""An MCP server with accounts: MCP clients read and write notes of users. `make demo APP=connected` serves it."""

import os

from fastmcp import FastMCP

from asgi_auth import Auth, AuthMiddleware, AuthorizationServer, Pages, Resource, Settings, current_user
from asgi_auth.features.defaults import defaults
from asgi_auth.hosts.mcp import bind_sessions

SCOPES = {"notes:read": "Read your notes", "notes:write": "Change your notes"}
resource = Resource("Notes", scopes=SCOPES, calls={"notes": "notes:read", "write": "notes:write"})
settings = Settings.from_env(name="Notes", ignore={"AUTH_DATABASE_URL"})
features = [*defaults(mail=True), Pages(), AuthorizationServer({"/mcp": resource})]
auth = Auth(os.environ["AUTH_DATABASE_URL"], settings=settings, features=features)
server, kept = FastMCP("notes"), dict[str, list[str]]()


@server.tool()
def whoami() -> str:
    """Tell who asks, and by which client."""
    return f"{current_user().id} by {current_user().client}"


@server.tool()
def notes() -> str:
    """Read all notes."""
    return "\n".join(kept.get(current_user().id, []))


@server.tool()
def write(text: str) -> str:
    """Keep a note, until the server ends."""
    kept.setdefault(current_user().id, []).append(text)
    return f"{current_user().id} wrote {text}"


app = AuthMiddleware(bind_sessions(server.http_app(path="/mcp")), auth, mount="/auth")
