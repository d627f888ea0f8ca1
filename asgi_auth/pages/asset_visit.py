"""The request of a browser for a file of the pages."""

from starlette.responses import Response
from starlette.types import Receive, Scope

from asgi_auth.pages.site import Site
from asgi_auth.pages.visits import Authenticate, Visit


class AssetVisit(Visit):
    """A request for the stylesheet or the script."""

    def __init__(self, site: Site, scope: Scope, path: str) -> None:
        """Take the file's path."""
        super().__init__(site, scope, path)
        self._path = path

    async def respond(self, authenticate: Authenticate, receive: Receive) -> Response:  # noqa: ARG002 (a file is public)
        """Respond with the file."""
        return self.site.renderer.asset(self._path)
