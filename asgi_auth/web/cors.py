"""CORS for the auth routes (Fetch Standard, 3.2; ASVS 3.4.2): exact origins, on errors too, and not for pages."""

from collections.abc import Sequence

from starlette.types import Message, Scope, Send

from asgi_auth.settings import Settings
from asgi_auth.web.headers import headers

ANY = "*"
ALLOWED = b"authorization, content-type, auth-transport"
EXPOSED = b"retry-after, ratelimit, ratelimit-policy, www-authenticate"
#: Seconds that a browser may cache the response to a preflight.
MAX_AGE = b"600"
Headers = list[tuple[bytes, bytes]]


class Cors:
    """Lets scripts of the origins in `cors_origins` read the responses.

    Cookies are for those that are in `trusted_origins` as well, because only they pass the check of where a request
    comes from. An origin that isn't known gets none of these headers.
    """

    def __init__(self, settings: Settings) -> None:
        """Take the origins."""
        self._origins = frozenset(settings.cors_origins)
        self._trusted = frozenset(settings.trusted_origins)
        self._vary: Headers = [(b"vary", b"origin")] if self._origins - {ANY} else []

    def headers(self, scope: Scope) -> Headers:
        """Return the headers of every response of a route."""
        origin = self._origin(scope)
        if origin is None:
            return self._vary
        shared = [(b"access-control-allow-origin", origin.encode()), (b"access-control-expose-headers", EXPOSED)]
        if origin in self._trusted:
            shared.append((b"access-control-allow-credentials", b"true"))
        return [*shared, *self._vary]

    def preflight(self, scope: Scope, methods: Sequence[str]) -> Headers:
        """Return the further headers of the response to OPTIONS, for a route with these methods."""
        if self._origin(scope) is None or not headers(scope, b"access-control-request-method"):
            return []
        return [
            (b"access-control-allow-methods", ", ".join(methods).encode()),
            (b"access-control-allow-headers", ALLOWED),
            (b"access-control-max-age", MAX_AGE),
        ]

    def sending(self, scope: Scope, send: Send) -> Send:
        """Return a `send` that adds the headers to a response that no route has made."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *self.headers(scope)]}
            await send(message)

        return with_headers

    def _origin(self, scope: Scope) -> str | None:
        """Return the allowed origin: `*`, or the origin of the request if it is listed exactly."""
        if ANY in self._origins:
            return ANY
        asking = headers(scope, b"origin")
        return asking[0] if len(asking) == 1 and asking[0] in self._origins else None
