"""Notes protected resources that the host does not serve: their clients log in, and find nothing."""

from collections.abc import Callable

from starlette.types import Message, Scope, Send

from asgi_auth.sessions.resources import ProtectedResource
from asgi_auth.web.headers import headers
from asgi_auth.web.paths import route_path

#: A server of MCP answers 404 to a session that it does not know.
SESSION = b"mcp-session-id"


class UnservedResources:
    """Looks at the first answer to a client at the path of each resource."""

    def __init__(self, note: Callable[[str], None]) -> None:
        """Take the function that notes the path of a resource."""
        self._note = note
        self._known: set[str] = set()

    def watching(self, resource: ProtectedResource, scope: Scope, send: Send) -> Send:
        """Return a `send` that notes a 404; the same `send` once the resource is known."""
        path = resource.path
        if path in self._known or scope["type"] != "http" or route_path(scope) != path:
            return send
        if headers(scope, SESSION):
            return send

        # A coroutine function, as adapters of WSGI apps expect it.
        async def watched(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._known.add(path)
                if message["status"] == 404:
                    self._note(path)
            await send(message)

        return watched
