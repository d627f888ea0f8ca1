"""FastAPI: the dependencies `CurrentUser`, `OptionalUser` and `require`, and `install`, which answers their errors.

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

In tests, `app.dependency_overrides[get_user]` replaces the user of all guards, which still check their demands.
`app.dependency_overrides[require(roles="admin").dependency]` replaces the guards with these demands.
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
from asgi_auth.hosts.merge import auth_document, merge_into, open_to_all, share_scheme
from asgi_auth.model.records import User
from asgi_auth.sessions.demand import Demand, Demands
from asgi_auth.sessions.identity import Identity, current_user
from asgi_auth.sessions.scope import identity_in

TOKEN_URL = "auth/token"
SCHEME = "asgi_auth"
#: The scheme of guards that let anonymous requests pass, until the document is complete.
OPTIONAL = "asgi_auth_optional"
__all__ = [
    "CurrentUser",
    "OptionalUser",
    "StoredUser",
    "VerifiedUser",
    "current_user",
    "get_stored_user",
    "get_user",
    "install",
    "merge_openapi",
    "require",
]


async def get_user(connection: HTTPConnection) -> Identity:
    """Return the user of a request, who may be anonymous: the dependency of all guards, for overrides in tests."""
    return identity_in(connection.scope)


class _Guard(SecurityBase):
    """A dependency and its scheme of the docs in one. Guards with the same demands are equal, for overrides in tests.

    FastAPI's own OAuth2PasswordBearer does not support websockets.
    """

    def __init__(self, demand: Demand, *, optional: bool) -> None:
        self.model = OAuth2(flows=OAuthFlows(password=OAuthFlowPassword(tokenUrl=TOKEN_URL)))
        self.scheme_name = OPTIONAL if optional else SCHEME
        self._demand = demand
        self._optional = optional

    async def __call__(self, user: Annotated[Identity, Depends(get_user)]) -> Identity | None:
        """Return the user. Async, because FastAPI calls plain functions in a thread."""
        if self._optional and not user.is_authenticated:
            return None
        return await user.admit(self._demand)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Guard) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def _key(self) -> tuple[bool, Demand]:
        return self._optional, self._demand


def install(app: FastAPI, *, token_url: str = TOKEN_URL) -> None:
    """Answer each AuthError with problem+json, as the auth routes do, and set the token endpoint of the docs.

    `token_url` is the path of the token endpoint, relative to the root of the app. `merge_openapi` knows the path from
    its mount and replaces it.
    """
    starlette.install(app)
    original = app.openapi

    def openapi() -> dict[str, Any]:
        schema = open_to_all(original(), OPTIONAL, SCHEME)
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
        schema = merge_into(open_to_all(original(), OPTIONAL, SCHEME), part)
        return share_scheme(schema, part, SCHEME, mount)

    app.openapi = openapi  # type: ignore[method-assign]  # FastAPI's documented way to extend the document


def require(*, optional: bool = False, **demands: Unpack[Demands]) -> Any:
    """Return a dependency that requires a login which meets the demands: those of `Identity.require`.

    Its value is the user. With `optional`, it is None for an anonymous request; a user who is logged in must meet the
    demands.

    Use the dependency in a signature, `admin: Annotated[Identity, require(roles="admin")]`, or in the `dependencies` of
    a route.
    """
    return Depends(_Guard(Demand(**demands), optional=optional))


CurrentUser: TypeAlias = Annotated[Identity, require()]
"""The user of the request. Requires a login: `async def profile(user: CurrentUser)`."""
VerifiedUser: TypeAlias = Annotated[Identity, require(verified=True)]
"""The user of the request. Requires a login and a verified address."""
OptionalUser: TypeAlias = Annotated[Identity | None, require(optional=True)]
"""The user of the request; None for an anonymous request."""


async def get_stored_user(user: CurrentUser) -> User:
    """Read the user of the request from the database. Requires a login."""
    return await user.load()


StoredUser: TypeAlias = Annotated[User, Depends(get_stored_user)]
"""The account of the user of the request, as the database has it. Requires a login."""
