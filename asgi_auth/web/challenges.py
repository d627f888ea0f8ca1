"""The refusals of a protected resource: they tell a client where it gets a token, and for which scopes."""

from starlette.types import Message, Send

from asgi_auth.errors import AuthError, InsufficientScopeError, UnauthorizedError
from asgi_auth.sessions.resources import ProtectedResource

#: The key of an ASGI scope with the protected resource of the request.
RESOURCE = "asgi_auth.resource"
#: Clients in browsers read the challenge. It says the same to all.
READABLE = [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", b"www-authenticate")]


def challenged(error: AuthError, resource: ProtectedResource) -> AuthError:
    """Add to a 401 and to a 403 for lack of a scope what a client needs to ask its user (RFC 9728, 5.1)."""
    if isinstance(error, UnauthorizedError):
        error.at_resource = resource.challenge(resource.scopes)
    elif isinstance(error, InsufficientScopeError):
        error.at_resource = resource.challenge(tuple(error.scopes))
    return error


def readable(resource: ProtectedResource, send: Send) -> Send:
    """Return a `send` that lets scripts of all sites read the refusal; not where cookies count."""
    if resource.own:
        return send

    async def sending(message: Message) -> None:
        if message["type"] == "http.response.start":
            message = {**message, "headers": [*message.get("headers", ()), *READABLE]}
        await send(message)

    return sending
