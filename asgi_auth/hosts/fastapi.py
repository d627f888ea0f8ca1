"""FastAPI: the dependencies `CurrentUser` and `require`, and `install`, which answers their errors.

    api = FastAPI()
    install(api)                                           # 1. Answer the errors of the dependencies.

    @api.get("/profile")                                   # 2. Require a login.
    async def profile(user: CurrentUser) -> str: ...

    @api.get("/admin", dependencies=[require(roles="admin")])
    async def admin() -> str: ...

    merge_openapi(api, auth)                               # 3. Optional: add the auth routes to the docs.
    app = AuthMiddleware(api, auth, mount="/auth")         # 4. Authenticate, and serve the auth routes.

Guarded routes have the lock in the docs, and the Authorize button uses the token endpoint. A guarded websocket is
rejected before it is accepted.
"""

from typing import Annotated, Any, TypeAlias, Unpack

try:
    from fastapi import Depends, FastAPI
    from fastapi.openapi.models import OAuth2, OAuthFlowPassword, OAuthFlows
    from fastapi.requests import HTTPConnection
    from fastapi.security.base import SecurityBase
except ImportError as _error:
    raise ImportError("asgi_auth.hosts.fastapi needs FastAPI: pip install fastapi") from _error

from asgi_auth.app import AuthApp
from asgi_auth.auth import Auth
from asgi_auth.hosts import starlette
from asgi_auth.hosts.merge import auth_document, merge_into, share_scheme
from asgi_auth.sessions.demand import Demand, Demands
from asgi_auth.sessions.identity import Identity, current_user
from asgi_auth.sessions.scope import identity_in

TOKEN_URL = "auth/token"
SCHEME = "asgi_auth"
__all__ = ["CurrentUser", "current_user", "install", "merge_openapi", "require"]


class _Guard(SecurityBase):
    """A dependency and its scheme of the docs in one: FastAPI takes about 30 µs for each further dependency.

    FastAPI's own OAuth2PasswordBearer does not support websockets.
    """

    def __init__(self, demand: Demand) -> None:
        self.model = OAuth2(flows=OAuthFlows(password=OAuthFlowPassword(tokenUrl=TOKEN_URL)))
        self.scheme_name = SCHEME
        self._demand = demand

    async def __call__(self, connection: HTTPConnection) -> Identity:
        """Return the user. Async, because FastAPI calls plain functions in a thread."""
        return await identity_in(connection.scope).admit(self._demand)


def install(app: FastAPI, *, token_url: str = TOKEN_URL) -> None:
    """Answer each AuthError with problem+json, as the auth routes do, and set the token endpoint of the docs.

    `token_url` is the path of the token endpoint, relative to the root of the app. `merge_openapi` knows the path from
    its mount and replaces it.
    """
    starlette.install(app)
    original = app.openapi

    def openapi() -> dict[str, Any]:
        schema = original()
        scheme = schema.get("components", {}).get("securitySchemes", {}).get(SCHEME)
        if scheme is not None:
            scheme["flows"]["password"]["tokenUrl"] = token_url
        return schema

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def merge_openapi(app: FastAPI, auth: Auth | AuthApp, *, mount: str = "/auth") -> None:
    """Add the auth routes to the OpenAPI document of the app.

    `mount` is the path of the auth routes, relative to the root of the app. The Authorize button of the docs then logs
    in at their token endpoint, for the routes of the app as well. Raises ValueError when `mount` is not a path such as
    `/auth`.
    """
    part, original = auth_document(auth, mount), app.openapi

    def openapi() -> dict[str, Any]:
        schema = original()
        share_scheme(schema, part, SCHEME)
        return merge_into(schema, part)

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def require(**demands: Unpack[Demands]) -> Any:
    """Return a dependency that requires a login which meets the demands: those of `Identity.require`.

    Its value is the user.

    Use the dependency in a signature, `admin: Annotated[Identity, require(roles="admin")]`, or in the `dependencies` of
    a route.
    """
    return Depends(_Guard(Demand(**demands)))


CurrentUser: TypeAlias = Annotated[Identity, require()]
"""The user of the request. Requires a login: `async def profile(user: CurrentUser)`."""
