"""BrowserClient: serves the client for browsers, and its types for TypeScript."""

from collections.abc import Collection
from typing import ClassVar

from asgi_auth.feature import Feature, Served, TextFile, get
from asgi_auth.features.browser_client.files import script_of, types_of
from asgi_auth.openapi import Info, all_served, document


class ClientScript(TextFile, frozen=True, kw_only=True):
    """An ES module in JavaScript."""

    media_types: ClassVar[tuple[str, ...]] = ("text/javascript",)
    media_type: str = "text/javascript"


class ClientTypes(TextFile, frozen=True, kw_only=True):
    """Declarations in TypeScript."""

    media_types: ClassVar[tuple[str, ...]] = ("text/plain",)
    media_type: str = "text/plain"


class BrowserClient(Feature):
    """Serves a client for browsers: an ES module without dependencies, and its types for TypeScript.

    The types name the endpoints that the app serves, with their fields and answers.
    """

    needs_endpoints: Collection[str] = ("me", "refresh", "logout")

    def __init__(self) -> None:
        """Make nothing yet."""
        self._made: dict[Served, ClientTypes] = {}

    @get("/client.js", cacheable=True)
    async def client_script(self, *, served: Served | None = None) -> ClientScript:
        """Return the client for browsers, an ES module."""
        return ClientScript(text=script_of(served or all_served(self.auth)))

    @get("/client.d.ts", cacheable=True)
    async def client_types(self, *, served: Served | None = None) -> ClientTypes:
        """Return the types of the client, for TypeScript."""
        served = served or all_served(self.auth)
        if served not in self._made:
            # Only the last one is cached, as hosts may have one mount for each customer.
            self._made = {served: ClientTypes(text=types_of(document(self.auth, served, Info())))}
        return self._made[served]
