"""FastMCP: `provider`, for servers that use FastMCP's own `get_access_token()` and `require_scopes`.

    server = FastMCP("notes", auth=provider(auth, "/mcp"))
    app = AuthMiddleware(server.http_app(path="/mcp"), auth, mount="/auth")

Without it, tools read the user with `current_user()`, as below every other host: the middleware has judged the token.
"""

try:
    from fastmcp.server.auth import AccessToken, RemoteAuthProvider, TokenVerifier
    from pydantic import AnyHttpUrl
except ImportError as _error:
    raise ImportError("asgi_auth.hosts.fastmcp needs FastMCP, 4.0 or later: pip install fastmcp") from _error

from asgi_auth.auth import Auth
from asgi_auth.sessions.identity import current_user
from asgi_auth.validation.permissions import AUTHENTICATED

__all__ = ["current_user", "provider"]


class _Verifier(TokenVerifier):
    """Tells FastMCP what the middleware has found out about the token of the request."""

    async def verify_token(self, token: str) -> AccessToken | None:
        """Return the user and the client of the request; None for a request without a login."""
        user = current_user()
        if not user.is_authenticated:
            return None
        return AccessToken(
            token=token,
            client_id=user.client or user.id,
            scopes=[name for name in user.scopes if name != AUTHENTICATED],
            expires_at=user.claims.get("exp"),
            subject=user.id,
            claims=dict(user.claims),
        )


def provider(auth: Auth, path: str) -> RemoteAuthProvider:
    """Return the provider for a server at the path of a `Resource`. Raises ValueError for a path without one."""
    resource = auth.resources.at(path)
    if resource is None or resource.path != path:
        raise ValueError(f"{path} is no path of a Resource: name it in AuthorizationServer")
    return RemoteAuthProvider(
        token_verifier=_Verifier(),
        authorization_servers=[AnyHttpUrl(resource.issuer)],
        base_url=resource.url.removesuffix(path),
        scopes_supported=list(resource.scopes),
    )
