"""FastAPI: `user: CurrentUser` wants a login, `require(roles="admin")` more; both draw the lock in the docs.

`install(app)` answers what they raise, and lets the Authorize button of the docs log in at the token endpoint;
`merge_openapi(app, auth)` adds the auth routes to the docs. In a websocket the guards refuse before it is accepted.
"""

from datetime import timedelta
from typing import Annotated, Any

try:
    from fastapi import Depends, FastAPI
    from fastapi.openapi.models import OAuth2, OAuthFlowPassword, OAuthFlows
    from fastapi.requests import HTTPConnection
    from fastapi.security.base import SecurityBase
except ImportError as error:
    raise ImportError("asgi_auth.hosts.fastapi needs FastAPI: pip install fastapi") from error

from asgi_auth.app import AuthApp
from asgi_auth.auth import Auth
from asgi_auth.hosts import starlette
from asgi_auth.hosts.merge import merge, part_of
from asgi_auth.sessions.identity import Identity, current_user
from asgi_auth.sessions.identity import require as require_of

TOKEN_URL = "auth/token"
__all__ = ["CurrentUser", "current_user", "install", "merge_openapi", "require"]


class _Lock(SecurityBase):
    """Says in the OpenAPI document how to log in; FastAPI's own OAuth2PasswordBearer knows no websockets."""

    def __init__(self) -> None:
        self.model = OAuth2(flows=OAuthFlows(password=OAuthFlowPassword(tokenUrl=TOKEN_URL)))
        self.scheme_name = "asgi_auth"

    def __call__(self) -> None:
        """Check nothing: the middleware has read the token."""


def install(app: FastAPI, *, token_url: str = TOKEN_URL) -> None:
    """Answer the errors of the guards, and say in the docs where the token endpoint is, seen from the app's root."""
    starlette.install(app)
    document = app.openapi

    def openapi() -> dict[str, Any]:
        schema = document()
        scheme = schema.get("components", {}).get("securitySchemes", {}).get(_lock.scheme_name)
        if scheme is not None:
            scheme["flows"]["password"]["tokenUrl"] = token_url
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def merge_openapi(app: FastAPI, auth: Auth | AuthApp, *, mount: str = "/auth") -> None:
    """Add the auth routes to the app's document, as they are served below `mount`, seen from the app's root."""
    part, host = part_of(auth, mount), app.openapi
    # FastAPI's documented way to extend the document
    app.openapi = lambda: merge(host(), part)  # type: ignore[method-assign]


def require(*, roles: str | tuple[str, ...] = (), fresh: timedelta | None = None) -> Any:
    """Make a dependency that gives the user, if they have all `roles` and have logged in not longer ago than `fresh`.

    Stands in a signature (`admin: Annotated[Identity, require(roles="admin")]`) or in a route's `dependencies`.
    """

    async def check(connection: HTTPConnection, _: Annotated[None, Depends(_lock)]) -> Identity:
        return require_of(connection.scope, roles=roles, fresh=fresh)

    return Depends(check)


_lock = _Lock()
CurrentUser = Annotated[Identity, require()]
"""The user, who must be logged in: `async def profile(user: CurrentUser)`."""
