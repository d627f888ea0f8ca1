"""FastMCP: tools read the user who asks now, and a session of MCP belongs to the user who began it."""

import os

from fastmcp import FastMCP
from starlette.responses import JSONResponse
from starlette.routing import Route

from asgi_auth import Auth, AuthMiddleware, current_user
from asgi_auth.hosts import mcp, starlette

server = FastMCP("example")


@server.tool()
@mcp.login_required
async def whoami() -> str:
    """Tell who asks."""
    return current_user().id


@server.tool()
@mcp.require(roles="admin")
def payroll() -> str:
    """Tell which administrator asks."""
    return current_user().id


web = server.http_app()
web.router.routes += [
    Route("/who", lambda _: JSONResponse({"user": current_user().id or None})),
    Route("/admin", starlette.require(roles="admin")(lambda _: JSONResponse({"user": current_user().id}))),
    Route("/note", lambda _: JSONResponse({"noted": True}), methods=["POST"]),
]
starlette.install(web)
auth = Auth(os.environ["AUTH_DATABASE_URL"], secret=os.environ["AUTH_SECRET"])
app = AuthMiddleware(mcp.bind_sessions(web), auth, mount="/auth")
