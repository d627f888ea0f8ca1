"""CORS for the endpoints (Fetch Standard, 3.2; ASVS 3.4.2): exact origins, on errors too; not for HTML pages."""

from collections.abc import Sequence

from starlette.types import Message, Scope, Send

from asgi_auth.settings import Settings
from asgi_auth.web.headers import headers

ANY = "*"
#: The headers that clients may send: those that the library reads, and those of tracing (W3C Trace Context, Baggage).
ALLOWED = ("authorization", "content-type", "auth-transport", "x-request-id", "traceparent", "tracestate", "baggage")
EXPOSED = b"retry-after, ratelimit, ratelimit-policy, www-authenticate"
#: A header that MCP clients send with every request, also for metadata and tokens.
OF_CLIENTS = b"mcp-protocol-version"
#: Seconds that a browser may cache the response to a preflight.
MAX_AGE = b"600"
Headers = list[tuple[bytes, bytes]]


class Cors:
    """Makes the headers that let scripts of the origins in `cors_origins` read responses.

    Only origins that are also in `trusted_origins` may send cookies, because the origin check refuses all others.
    Unknown origins get no Access-Control headers.
    """

    def __init__(self, settings: Settings) -> None:
        """Read the origins from the settings."""
        self._origins = frozenset(settings.cors_origins)
        self._trusted = frozenset(settings.trusted_origins)
        allowed = dict.fromkeys([*ALLOWED, *(name.lower() for name in settings.cors_headers)])
        self._allowed = ", ".join(allowed).encode()
        self._vary: Headers = [(b"vary", b"origin")] if self._origins - {ANY} else []

    def headers(self, scope: Scope, *, any_origin: bool = False) -> Headers:
        """Return the headers of every response of an endpoint; `any_origin`: it is for all sites, without cookies."""
        if any_origin:
            return [(b"access-control-allow-origin", b"*"), (b"access-control-expose-headers", EXPOSED)]
        origin = self._origin(scope)
        if origin is None:
            return self._vary
        found = [(b"access-control-allow-origin", origin.encode()), (b"access-control-expose-headers", EXPOSED)]
        if origin in self._trusted:
            found.append((b"access-control-allow-credentials", b"true"))
        return [*found, *self._vary]

    def preflight(self, scope: Scope, methods: Sequence[str], *, any_origin: bool = False) -> Headers:
        """Return the further headers of a response to OPTIONS, for a path that has these methods."""
        known = any_origin or self._origin(scope) is not None
        if not known or not headers(scope, b"access-control-request-method"):
            return []
        return [
            (b"access-control-allow-methods", ", ".join(methods).encode()),
            (b"access-control-allow-headers", self._allowed + (b", " + OF_CLIENTS if any_origin else b"")),
            (b"access-control-max-age", MAX_AGE),
        ]

    def sending(self, scope: Scope, send: Send) -> Send:
        """Wrap `send` to add the headers to a response that was made outside of the endpoints."""

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message = {**message, "headers": [*message["headers"], *self.headers(scope)]}
            await send(message)

        return with_headers

    def _origin(self, scope: Scope) -> str | None:
        """Return the origin to allow: `*`, or the request's origin if `cors_origins` lists it; None for no origin."""
        if not self._origins or ANY in self._origins:
            return ANY if self._origins else None
        origins = headers(scope, b"origin")
        return origins[0] if len(origins) == 1 and origins[0] in self._origins else None
