"""The pages of an app: which requests are a browser's, and what is needed to answer them."""

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from starlette.types import Scope

from asgi_auth.errors import AuthError
from asgi_auth.feature import Feature, Route
from asgi_auth.pages.feature import Pages
from asgi_auth.pages.language import Language
from asgi_auth.pages.plan import PAGES, Page
from asgi_auth.pages.query import query_of
from asgi_auth.pages.render import Renderer
from asgi_auth.pages.visits import AssetVisit, FormVisit, PageVisit, Visit
from asgi_auth.validation.password_policy import PasswordPolicy
from asgi_auth.web.authenticator import RequestAuthenticator
from asgi_auth.web.body import FORM_TYPE, headers
from asgi_auth.web.routes import Routes

if TYPE_CHECKING:
    from asgi_auth.auth import Auth

#: The methods that a form may ask for by `?_method=` in its action.
METHODS = {"PUT", "PATCH", "DELETE"}


class PageServer:
    """Answers browsers, for an app whose features have `Pages` among them."""

    def __init__(self, pages: Pages, auth: "Auth", routes: Routes, authenticator: RequestAuthenticator) -> None:
        """Lay out the pages whose endpoints are there. Raises ValueError when an endpoint has the path of one."""
        self.pages = pages
        self.auth = auth
        self.routes = routes
        self.authenticator = authenticator
        self.renderer = Renderer(pages, auth.settings)
        self.policy = _policy(auth.features)
        self._at: dict[str, Page] = {}
        for page in PAGES:
            if (found := routes.named(page.endpoint)) is not None:
                self._at[page.path or found[0]] = page
        self.paths = {page.name: path for path, page in self._at.items()}
        self.by_name = {page.name: page for page in PAGES}
        routes.add_pages([*self._at, *self.renderer.assets])

    @classmethod
    def of(cls, auth: "Auth", routes: Routes, authenticator: RequestAuthenticator) -> "PageServer | None":
        """The pages of an `Auth`; None when it has none."""
        pages = next((feature for feature in auth.features if isinstance(feature, Pages)), None)
        return cls(pages, auth, routes, authenticator) if pages is not None else None

    def visit(self, path: str | None, scope: Scope) -> Visit | None:
        """Take a request that a page or a form's redirect answers; None is one for the endpoints."""
        if path is None:
            return None
        if scope["method"] in {"GET", "HEAD"}:
            if path in self.renderer.assets:
                return AssetVisit(self, scope, path)
            return PageVisit(self, scope, path, self._at[path]) if path in self._at else None
        if scope["method"] != "POST" or not is_form(scope):
            return None
        asked = query_of(scope).get("_method", "POST")
        found = self._route(path, asked if asked in METHODS else "POST")
        return FormVisit(self, scope, path, *found) if found is not None else None

    def places(self) -> dict[str, str]:
        """Where the pages are, by the paths that their endpoints declare."""
        return {route.endpoint.path: path for path, route in self.routes if path in self._at}

    def language(self, scope: Scope) -> Language:
        """The language that the browser likes best."""
        wanted = ",".join(headers(scope, b"accept-language"))
        return Language(self.auth.texts, self.auth.texts.choose(wanted))

    def _route(self, path: str, method: str) -> tuple[Route, Mapping[str, str]] | None:
        try:
            route, values = self.routes.find(path, method)
        except AuthError:
            return None
        return (route, values) if route is not None and not route.endpoint.oauth2 else None


def is_form(scope: Scope) -> bool:
    """Tell a browser's form from a client's request: by what it sends and by what it wants back."""
    types = [value.partition(";")[0].strip().lower() for value in headers(scope, b"content-type")]
    return types == [FORM_TYPE] and "text/html" in ",".join(headers(scope, b"accept")).lower()


def _policy(features: Sequence[Feature]) -> PasswordPolicy | None:
    """What is asked of a new password, by the first feature that has a `policy`."""
    found = (getattr(feature, "policy", None) for feature in features)
    return next((policy for policy in found if isinstance(policy, PasswordPolicy)), None)
