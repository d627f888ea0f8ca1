"""FastAPI: `user: CurrentUser` wants a login, `require(roles="admin")` more; both draw the lock in the docs.

`install(app)` answers what they raise. In a websocket they refuse before it is accepted.
"""

from datetime import timedelta
from typing import Annotated, Any

try:
    from fastapi import Depends
    from fastapi.openapi.models import HTTPBearer
    from fastapi.requests import HTTPConnection
    from fastapi.security.base import SecurityBase
except ImportError as error:
    raise ImportError("asgi_auth.hosts.fastapi needs FastAPI: pip install fastapi") from error

from asgi_auth.hosts.starlette import install
from asgi_auth.identity import Identity, current_user
from asgi_auth.identity import require as require_of

__all__ = ["CurrentUser", "current_user", "install", "require"]


class _Bearer(SecurityBase):
    """Says in the OpenAPI document that a bearer token is wanted; FastAPI's own HTTPBearer knows no websockets."""

    def __init__(self) -> None:
        self.model = HTTPBearer(bearerFormat="JWT", description="The access_token of a login.")
        self.scheme_name = "bearer"

    def __call__(self) -> None:
        """Check nothing: the middleware has read the token."""


def require(*, roles: str | tuple[str, ...] = (), fresh: timedelta | None = None) -> Any:
    """Make a dependency that gives the user, if they have all `roles` and have logged in not longer ago than `fresh`.

    Stands in a signature (`admin: Annotated[Identity, require(roles="admin")]`) or in a route's `dependencies`.
    """

    async def check(connection: HTTPConnection, _: Annotated[None, Depends(_bearer)]) -> Identity:
        return require_of(connection.scope, roles=roles, fresh=fresh)

    return Depends(check)


_bearer = _Bearer()
CurrentUser = Annotated[Identity, require()]
"""The user, who must be logged in: `async def profile(user: CurrentUser)`."""
