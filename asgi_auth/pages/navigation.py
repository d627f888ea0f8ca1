"""The stops of a browser between two sites, such as the end of a login at a provider: a redirect, or a page."""

from collections.abc import Mapping
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope

from asgi_auth.accounts.asked_mail import AskedMail
from asgi_auth.errors import AuthError
from asgi_auth.errors.authentication import WithNextStep
from asgi_auth.feature.route import Route
from asgi_auth.model.answers import Answer, LoginRedirect, Redirect, Requested, RequestedAtLogin
from asgi_auth.pages.site import Site
from asgi_auth.pages.visits import LOGIN, Authenticate, Visit
from asgi_auth.validation.targets import location
from asgi_auth.web.csrf import is_begun_elsewhere
from asgi_auth.web.request_pipeline import Result
from asgi_auth.web.responses import add_headers


class NavigationVisit(Visit):
    """A request of a browser that another site may have sent here: errors are pages with a way on."""

    def __init__(self, site: Site, scope: Scope, path: str, route: Route, values: Mapping[str, Any]) -> None:
        """Take the endpoint, and the values in its path."""
        super().__init__(site, scope, path)
        self._route = route
        self._in_path = values

    async def respond(self, authenticate: Authenticate, receive: Receive) -> Response:
        """Call the endpoint, and redirect the browser."""
        if self._comes_from_elsewhere():
            return self.passage(goes_on=self._route.endpoint.logs_in)
        identity = self.identity = await authenticate()
        try:
            values = await self.site.requests.values(self.scope, receive, self._route, identity, dict(self._in_path))
            result = await self.site.requests.call(self._route, values, self.scope, identity, "cookie")
        except AuthError as error:
            await self.site.auth.stream.report_refusal(error, self.client(identity))
            return self._refused(error)
        response = self.site.renderer.redirect(self._next(result))
        add_headers(response, result.headers)
        if self.asking is not None:
            cookie = self.site.asked.with_mail(self.client(identity).cookies, self.asking)
            add_headers(response, self.site.cookies.lines([cookie]))
        return response

    def _comes_from_elsewhere(self) -> bool:
        """Tell whether another site has sent the browser where a step on a page of this site is needed first."""
        if not self._route.endpoint.logs_in:
            return is_begun_elsewhere(self.scope, self._route.endpoint, self.site.auth.settings)
        return self.lacks_strict_cookies()

    def _next(self, result: Result) -> str:
        value = result.value if isinstance(result.value, Answer) else None
        asked = value.mail_request() if value is not None else None
        if asked is not None:
            self._remember(asked)
            said = {"request": asked.request, "said": "mail_sent"}
            return self.view().href("verify_email", **said) or self.to_login("", "mail_sent").headers["location"]
        if isinstance(value, LoginRedirect):
            self.query = {"next": value.next}
            return self.go_on()
        if isinstance(value, Redirect):
            return location(value.location if value.elsewhere else self.below_root(value.location))
        return self.go_on()

    def _remember(self, asked: Requested) -> None:
        """Remember the mail of a registration: its code is for this browser."""
        about = asked if isinstance(asked, RequestedAtLogin) else None
        self.query = {"next": about.next if about is not None else ""}
        at, name = int(self.site.auth.now()), about.name if about is not None else ""
        self.asking = AskedMail(
            request=asked.request,
            field="email" if name else "",
            name=name,
            page=LOGIN,
            at=at,
            until=at + asked.expires_in,
            registers=self._route.endpoint.logs_in,
            next=self.onward,
        )

    def _refused(self, error: AuthError) -> Response:
        """Lead on to the page that an error names, with the secret for it in a cookie; else show the error."""
        self.query = {"next": error.next}
        target = self.view().href(self.site.plan.first_of(error.leads_to))
        if isinstance(error, WithNextStep) and target:
            error.in_cookie = True
            response = self.site.renderer.redirect(target)
        else:
            response = self.refuse(error)
        response.raw_headers.extend(self.site.cookies.lines(error.http_cookies))
        return response
