"""Browsers are led: from a page of the host that refuses them, to the page that helps or to a page with the error."""

from collections.abc import Sequence
from urllib.parse import quote, urlencode

from starlette.responses import Response
from starlette.types import Receive, Scope

from asgi_auth.errors import (
    AuthError,
    EmailNotVerifiedError,
    FreshLoginRequiredError,
    SecondFactorNeededError,
    UnauthorizedError,
)
from asgi_auth.pages.links import Links
from asgi_auth.pages.site import Site
from asgi_auth.pages.visits import LOGIN, Authenticate, Visit
from asgi_auth.sessions.identity import SESSION
from asgi_auth.sessions.scope import identity_in
from asgi_auth.validation.targets import is_local_path, location
from asgi_auth.web.headers import headers, is_navigation
from asgi_auth.web.paths import below_mount, below_root
from asgi_auth.web.responses import OUTER

#: What decides between a page, a redirect, and a problem document.
VARY = "Accept, Authorization, Cookie, Sec-Fetch-Mode"
#: The characters of a path that stand for themselves (RFC 3986, section 3.3), beside letters and digits.
IN_PATH = "/:@!$&'()*+,;=~"


class HostVisit(Visit):
    """A browser's visit of a page of the host. All links are below the mount of the auth routes."""

    def __init__(self, site: Site, scope: Scope) -> None:
        """Take the request as the middleware has received it."""
        super().__init__(site, scope, "")
        self._mount = site.auth.page_urls.below_mount("")
        self.links: Links = Links.below(self._root + self._mount)
        # The query is that of the host.
        self.query: dict[str, str] = {}

    async def respond(self, authenticate: Authenticate, receive: Receive) -> Response:  # noqa: ARG002 (a refusal only)
        """Refuse: the host answers its own pages."""
        return self.answer(UnauthorizedError())

    def answer(self, error: AuthError) -> Response:
        """Redirect to the page that helps, and from there back; else show the error."""
        page, said = self._helping(error)
        if page and below_mount(self._mount, self.scope) is None:
            more = {"next": self._target(), "said": said}
            query = urlencode({name: value for name, value in more.items() if value})
            response = self.site.renderer.redirect(f"{self._root}{self._mount}{self.site.plan.paths[page]}?{query}")
        else:
            response = self.refuse(error, self._path())
        response.headers["vary"] = VARY
        return response

    def _helping(self, error: AuthError) -> tuple[str, str]:
        """Return the page where the visitor does what an error asks for, and its message; empty without one."""
        pages: Sequence[str] = ()
        if isinstance(error, FreshLoginRequiredError):
            pages = (*error.leads_to, LOGIN)
        elif isinstance(error, SecondFactorNeededError):
            pages = error.leads_to
        elif isinstance(error, EmailNotVerifiedError):
            pages = ("verify_email",)
        elif isinstance(error, UnauthorizedError):
            # A login that the host does not accept must not lead back to the host at once.
            said = FreshLoginRequiredError.code if self.identity.is_authenticated else "login_needed"
            return self.site.plan.first_of([LOGIN]), said
        return self.site.plan.first_of(pages), error.text_code

    def _path(self) -> str:
        # The path of the scope is decoded: a question mark in it is no query.
        return below_root(self._root, quote(self.scope["path"], safe=IN_PATH))

    def _target(self) -> str:
        query, path = self.scope.get("query_string") or b"", self._path()
        target = path + location(f"?{query.decode('latin-1')}" if query else "")
        return target if is_local_path(target) else ""


def lead(site: Site, error: AuthError, scope: Scope) -> Response | None:
    """Return the response to a browser that an error refuses a page of the host; None for all other requests.

    A request with a bearer token, or with a credential of a feature, comes from a client that is not a browser.
    """
    identity, scope = identity_in(scope), scope.get(OUTER, scope)
    has_bearer = any(line[:7].lower() == "bearer " for line in headers(scope, b"authorization"))
    if has_bearer or identity.kind not in {"", SESSION} or not is_navigation(scope):
        return None
    visit = HostVisit(site, scope)
    visit.identity = identity
    return visit.answer(error)
