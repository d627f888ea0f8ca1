"""The request of a browser for a page: the page, a redirect, or the page for what is missing."""

import hashlib
from collections.abc import Mapping

from starlette.responses import Response
from starlette.types import Receive, Scope

from asgi_auth.errors import (
    AuthError,
    ForbiddenError,
    FreshLoginRequiredError,
    SecondFactorNeededError,
    UnauthorizedError,
)
from asgi_auth.feature.page import Page
from asgi_auth.pages.query import fields_of
from asgi_auth.pages.site import Site
from asgi_auth.pages.visits import Authenticate, Visit
from asgi_auth.sessions.identity import Identity

#: The cookie of a browser that the login page has just sent on.
SENT_ON = "sent-on"
#: A browser that comes back with the same target within these seconds, after it was sent on so many times, goes in a
#: circle. Several tabs that are loaded again do not.
CIRCLE, TURNS = 10, 3


class PageVisit(Visit):
    """A request for a page: it changes nothing, and uses no token of a link."""

    def __init__(self, site: Site, scope: Scope, path: str, page: Page, in_path: Mapping[str, str]) -> None:
        """Take the page, and the values in its path."""
        super().__init__(site, scope, path)
        self._page = page
        self._in_path = dict(in_path)
        self.given = dict.fromkeys(page.query, "") | self._in_path

    async def respond(self, authenticate: Authenticate, receive: Receive) -> Response:  # noqa: ARG002 (GET has no body)
        """Show the page, or redirect a user who is logged in already."""
        identity = self.identity = await authenticate()
        self.given = fields_of(self.scope, self._page.query) | self._in_path
        if self._page.login and not identity.is_authenticated and self.lacks_strict_cookies():
            return self.passage(goes_on=True)
        self._leave_to_others()
        try:
            return await self._answer(identity)
        except AuthError as error:
            if (response := await self.led_on(error, self._page, identity)) is not None:
                return response
            if not isinstance(error, UnauthorizedError):
                raise
            # The user was deleted, and the token is still valid: without its cookie the login page shows its form.
            response = self.to_login(self.reference(self._page), "login_needed")
            response.raw_headers.extend(self.site.cookies.clear())
            return response

    def _leave_to_others(self) -> None:
        """Leave the mail that another browser has asked for to that browser.

        Another person may have sent its `request` to this visitor, whose address the mail went to: with the code, the
        visitor would hand the address to that person's account.
        """
        if self.query.get("request") and self.asked is None:
            self.elsewhere = True
            self.query = {name: text for name, text in self.query.items() if name not in {"request", "said"}}

    async def _answer(self, identity: Identity) -> Response:
        again = self.query.get("said") == FreshLoginRequiredError.code
        if self._page.entrance and identity.is_authenticated and not again:
            return self._sent_on(identity)
        if self._page.name == SecondFactorNeededError.page and identity.is_authenticated:
            other = await self._other_proof(identity)
            if other is not None:
                return other
        return await self.show(self._page, identity)

    def _sent_on(self, identity: Identity) -> Response:
        """Redirect a logged-in user to the target of `next`; a few times only, if the target sends the user back here.

        A host that redirects refused users to the login page would do so without end.
        """
        target = self.go_on()
        if not self.onward:
            return self.site.renderer.redirect(target)
        mark = hashlib.sha256(f"{identity.session_id} {target}".encode()).hexdigest()[:32]
        marks = [f"{mark}.{turn}" for turn in range(TURNS)]
        found = self.client(identity).cookies.get(SENT_ON, "")
        turn = marks.index(found) + 1 if found in marks else 0
        came_back = turn == TURNS
        response = self.refuse(ForbiddenError(), target) if came_back else self.site.renderer.redirect(target)
        response.raw_headers.append(self.site.cookies.line(SENT_ON, *(("", 0) if came_back else (marks[turn], CIRCLE))))
        return response

    async def _other_proof(self, identity: Identity) -> Response | None:
        """Redirect a user who cannot prove here what a guard of the host has asked for; None for all others.

        Raises SecondFactorNeededError when the user has no second factor, and none can be set up.
        """
        said = self.query.get("said")
        if said == SecondFactorNeededError.code:
            error = SecondFactorNeededError()
            await self.site.auth.pipeline.admission.explain(error, identity)
            target = self.view().href(self.site.plan.first_of(error.leads_to), said=error.text_code)
            if error.is_missing and not target:
                raise error
            return self.site.renderer.redirect(target) if error.is_missing else None
        if said == FreshLoginRequiredError.code and not await self.site.auth.second_factors.ways(
            identity, second_factor=False
        ):
            return self.to_login(self.onward, said)
        return None
