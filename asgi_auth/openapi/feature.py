"""OpenAPI: the document of the endpoints, for tools, client generators and people."""

from typing import Any

from asgi_auth.feature.declare import get
from asgi_auth.feature.feature import Feature
from asgi_auth.feature.route import Served
from asgi_auth.openapi import Info, all_served, document
from asgi_auth.sources.kinds import checks_options


class OpenAPI(Feature):
    """Serves the OpenAPI 3.1 document of all endpoints of all features.

    `title`, `version` and `description` are those of the document; the default title contains `Settings.name`.
    """

    @checks_options
    def __init__(self, *, title: str | None = None, version: str = "1", description: str = "") -> None:
        """Take the settings."""
        self.info: Info = Info(title, version, description)
        self._made: dict[Served, dict[str, Any]] = {}

    @get("/openapi.json", cacheable=True)
    async def openapi(self, *, served: Served | None = None) -> dict[str, Any]:
        """Describe the endpoints by OpenAPI 3.1."""
        served = served or all_served(self.auth)
        if served not in self._made:
            # Only the last document is cached: hosts with one mount for each customer must not fill the memory.
            self._made = {served: document(self.auth, served, self.info)}
        return self._made[served]
