"""The server of the pages: it finds the visit that answers a browser's request."""

from collections.abc import Mapping

from starlette.types import Scope

from asgi_auth.auth import Auth
from asgi_auth.errors import AuthError
from asgi_auth.feature.route import Route
from asgi_auth.pages.feature import Pages
from asgi_auth.pages.query import query_of
from asgi_auth.pages.site import Site
from asgi_auth.pages.visits import AssetVisit, FormVisit, PageVisit, Visit
from asgi_auth.web.cookies import Cookies
from asgi_auth.web.request_pipeline import RequestPipeline
from asgi_auth.web.routes import Routes

#: The methods that a form may select by `?_method=` in its action.
METHODS = {"PUT", "PATCH", "DELETE"}


class PageServer:
    """Answers browsers, for an app with the feature `Pages`."""

    def __init__(self, site: Site) -> None:
        """Take the pages and their paths."""
        self._site = site
        self.page_paths: dict[str, str] = site.page_paths()

    @classmethod
    def of(cls, auth: Auth, routes: Routes, requests: RequestPipeline, cookies: Cookies) -> "PageServer | None":
        """Make the server of an `Auth`; None for one without `Pages`."""
        pages = auth.get(Pages)
        return cls(Site(pages, auth, routes, requests, cookies)) if pages is not None else None

    def visit(self, path: str, scope: Scope) -> Visit | None:
        """Return the visit of a request that a page or a form's redirect answers; None is a call of an endpoint."""
        site = self._site
        if scope["method"] in {"GET", "HEAD"}:
            if path in site.renderer.assets:
                return AssetVisit(site, scope, path)
            return PageVisit(site, scope, path, site.at[path]) if path in site.at else None
        asked = query_of(scope).get("_method", "POST")
        found = self._route(path, asked if asked in METHODS else "POST")
        return FormVisit(site, scope, path, *found) if found is not None else None

    def _route(self, path: str, method: str) -> tuple[Route, Mapping[str, str]] | None:
        try:
            route, values = self._site.routes.find(path, method)
        except AuthError:
            return None
        return (route, values) if route is not None and not route.endpoint.oauth2 else None
