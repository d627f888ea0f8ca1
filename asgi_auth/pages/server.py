"""The server of the pages: it finds the visit that answers a browser's request."""

from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import Scope

from asgi_auth.auth import Auth
from asgi_auth.errors import AuthError
from asgi_auth.feature.route import Route
from asgi_auth.pages.asset_visit import AssetVisit
from asgi_auth.pages.feature import Pages
from asgi_auth.pages.form_visit import FormVisit
from asgi_auth.pages.leading import lead
from asgi_auth.pages.navigation import NavigationVisit
from asgi_auth.pages.page_visit import PageVisit
from asgi_auth.pages.plan import Plan
from asgi_auth.pages.query import query_of
from asgi_auth.pages.site import Site
from asgi_auth.pages.visits import Visit
from asgi_auth.web.cookies import Cookies
from asgi_auth.web.headers import is_navigation
from asgi_auth.web.paths import CHANGE_PASSWORD, app_root, route_path
from asgi_auth.web.request_pipeline import RequestPipeline
from asgi_auth.web.routes import Routes

#: The methods that a form may select by `?_method=` in its action.
METHODS = {"PUT", "PATCH", "DELETE"}


class PageServer:
    """Answers browsers, for an app with the feature `Pages`."""

    def __init__(self, site: Site) -> None:
        """Take the pages and their paths."""
        self._site = site
        self.plan: Plan = site.plan
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
            found = site.routes.page_at(path)
            if found is not None:
                return PageVisit(site, scope, path, site.at[found[0]], found[1])
            stop = self._stop(path)
            return NavigationVisit(site, scope, path, *stop) if stop is not None else None
        asked = query_of(scope).get("_method", "POST")
        route = self._route(path, asked if asked in METHODS else "POST")
        return FormVisit(site, scope, path, *route) if route is not None else None

    def to_change_password(self, scope: Scope, mount: str) -> Response | None:
        """Redirect a password manager to the form that changes the password; None for another path or method."""
        form = self._site.routes.named("change_password")
        if form is None or route_path(scope) != CHANGE_PASSWORD or scope.get("method") not in {"GET", "HEAD"}:
            return None
        path, root = self._site.plan.paths.get("account"), app_root(scope, "", self._site.auth.settings)
        return self._site.renderer.redirect(f"{root}{mount}{path}#change-password") if path is not None else None

    def lead(self, error: AuthError, scope: Scope) -> Response | None:
        """Lead a browser that an error refuses a page of the host; None for all other requests."""
        return lead(self._site, error, scope)

    def missing(self, error: AuthError, path: str, scope: Scope) -> Response | None:
        """Show a browser that there is nothing for it at a path below the mount; None for other clients."""
        return Visit(self._site, scope, path).refuse(error) if is_navigation(scope) else None

    def _route(self, path: str, method: str) -> tuple[Route, Mapping[str, str]] | None:
        try:
            route, values = self._site.routes.find(path, method)
        except AuthError:
            return None
        other = route is None or route.endpoint.oauth2 or route.endpoint.navigates
        return None if route is None or other else (route, values)

    def _stop(self, path: str) -> tuple[Route, Mapping[str, str]] | None:
        """Return the endpoint at which another site may send a browser by GET."""
        route, values = self._site.routes.find(path, "GET") if self._site.routes.stops_at(path) else (None, {})
        return (route, values) if route is not None else None
