"""What all requests of a browser share: the visitor, the pages and the ways on."""

from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope

from asgi_auth.accounts.asked_mail import AskedMail
from asgi_auth.errors import (
    AuthError,
    BadRequestError,
    ForbiddenError,
    FreshLoginRequiredError,
    InternalError,
    NotFoundError,
    SecondFactorNeededError,
    UnauthorizedError,
)
from asgi_auth.feature.call import Call
from asgi_auth.feature.endpoint import Endpoint
from asgi_auth.feature.page import Page, Section
from asgi_auth.model.answers import Answer, Redirect
from asgi_auth.model.records import Client
from asgi_auth.model.user_info import UserInfo
from asgi_auth.pages.forms import Failed
from asgi_auth.pages.groups import groups_of
from asgi_auth.pages.held import held_by
from asgi_auth.pages.inputs import from_url
from asgi_auth.pages.kept import Kept
from asgi_auth.pages.links import Links
from asgi_auth.pages.mails import opened_by_link
from asgi_auth.pages.page_values import parse_reference, reference
from asgi_auth.pages.query import query_of
from asgi_auth.pages.render import template_of
from asgi_auth.pages.site import Site
from asgi_auth.pages.view import View
from asgi_auth.process.log import logger
from asgi_auth.sessions.identity import ANONYMOUS, Identity
from asgi_auth.validation.targets import as_path, is_allowed, is_local_path, location
from asgi_auth.web.headers import headers, single_header
from asgi_auth.web.paths import app_root, below_root
from asgi_auth.web.responses import problem_document

#: Authenticates the request.
Authenticate = Callable[[], Awaitable[Identity]]
#: The page with the ways to log in.
LOGIN = "login"


class Visit:
    """One request of a browser."""

    def __init__(self, site: Site, scope: Scope, path: str) -> None:
        """Take the request, and its path below the mount."""
        self.site = site
        self.scope = scope
        #: The endpoint of a form.
        self.endpoint: Endpoint | None = None
        self.links: Links = Links(scope, path)
        self._root = app_root(scope, path, site.auth.settings)
        self.query: dict[str, str] = query_of(scope)
        #: The values of hidden fields, which go from one form to the next.
        self.carried: dict[str, str] = {}
        self.kept: Kept | None = None
        #: The mail that this request asks for.
        self.asking: AskedMail | None = None
        #: Whether another browser has asked for the mail that this request is about.
        self.elsewhere = False
        #: The endpoint whose answer the page shows.
        self.answered = ""
        #: The values in the URL of the page.
        self.given: dict[str, str] = {}
        #: The visitor, once authenticated.
        self.identity: Identity = ANONYMOUS

    async def respond(self, authenticate: Authenticate, receive: Receive) -> Response:
        """Respond. Raises AuthError for errors that need the page of errors."""
        raise NotImplementedError

    def refuse(self, error: AuthError, at: str = "") -> Response:
        """Respond to an error with the page of errors, or with a problem document when that fails.

        `at` is the page of the host that refuses the visitor: no link leads back to it.
        """
        try:
            response = self.site.renderer.page(["error"], self._about(error, at), error.status)
        except Exception:
            logger.exception("asgi_auth failed to show an error")
            return problem_document(InternalError())
        return with_headers_of(response, error)

    def _about(self, error: AuthError, at: str) -> dict[str, Any]:
        """Return the context of the page of errors, with the ways on from it."""
        view, knows_user = self.view(), self.identity.is_authenticated
        of_two_users = isinstance(error, BadRequestError) and error.of_cookies
        logs_out = of_two_users or (knows_user and isinstance(error, ForbiddenError))
        page, onward = ("account", "") if knows_user else (LOGIN, self.onward)
        target, home = "" if of_two_users else view.href(page, next=onward), self.way_home()
        return view.frame() | {
            "title": view.language.get("pages.error.title"),
            "alert": view.language.error(error),
            "home": home if home != at else "",
            "logout": view.action("logout") if logs_out else "",
            "links": [(target, view.name_of(page))] if target else [],
        }

    def view(self, user: UserInfo | None = None, failed: Failed | None = None, **more: Any) -> View:
        """Return the context of the templates; `more` are further attributes of it."""
        language = self.site.language(self.scope)
        query = self.query | {"next": self.onward}
        return View(
            site=self.site,
            language=language,
            links=self.links,
            query=query,
            user=user,
            failed=failed,
            carried=self.carried,
            kept=self.kept,
            logo=self.below_root(self.site.pages.logo or ""),
            dark_logo=self.below_root(self.site.pages.dark_logo or "") if self.site.pages.dark_logo else "",
            favicon=self.below_root(self.site.pages.favicon or "") if self.site.pages.favicon else "",
            given=self.given,
            visitor=self.identity,
            asked=self.asked,
            elsewhere=self.elsewhere,
            **more,
        )

    @property
    def onward(self) -> str:
        """The target of `next`, if it is allowed: a path, an allowed URL, or the name of a page for users."""
        target = self.query.get("next", "")
        if not target:
            return ""
        target = as_path(target, self._hosts())
        page = self.site.plan.pages.get(parse_reference(target)[0])
        return target if (page and page.login) or is_allowed(target, self.site.pages.next_allowed) else ""

    def _hosts(self) -> list[str]:
        """Return the names of this site, with ports, as absolute targets have them."""
        origin = self.site.auth.settings.origin
        return [*([origin.partition("://")[2]] if origin else []), *headers(self.scope, b"host")]

    @property
    def asked(self) -> AskedMail | None:
        """The mail that this browser has asked for, if the page is about its `request`."""
        return self.asked_for(self.query.get("request", ""))

    def asked_for(self, request: str) -> AskedMail | None:
        """Return the mail of a `request`, if this browser has asked for it."""
        if self.asking is not None and self.asking.request == request:
            return self.asking
        return self.site.asked.find(self.client(self.identity).cookies, request) if request else None

    def go_on(self) -> str:
        """Return the target after a login."""
        target = self.onward or self.site.pages.after_login
        if target.startswith("/") or target in self.site.pages.next_allowed:
            return location(self.below_root(target))
        page, values = parse_reference(target)
        known = {name: values.get(name, "") for name in self.site.plan.values_of(page)}
        return self.view().href(page, **known | {"next": ""}) or location(self.below_root("/"))

    def way_home(self) -> str:
        """Return the target of the link back to the app."""
        return self.below_root(self.site.pages.home)

    def below_root(self, target: str) -> str:
        """Return a target that is below the host's app if it is a path: the app may be served below a path."""
        return below_root(self._root, target) if is_local_path(target) else target

    def to_login(self, page: str, said: str) -> Response:
        """Redirect to the login page, and from there back to a page."""
        target = self.view().href(LOGIN, next=page, said=said)
        if not target:
            raise UnauthorizedError
        return self.site.renderer.redirect(target)

    def lacks_strict_cookies(self) -> bool:
        """Tell whether another site has sent the browser, so that strict cookies have not come along.

        They come neither from another site nor with what follows by a redirect: a page of this site that goes on by
        itself brings them.
        """
        is_strict = self.site.auth.settings.cookie_same_site == "strict"
        return is_strict and single_header(self.scope, b"sec-fetch-site") == "cross-site"

    def passage(self, *, goes_on: bool) -> Response:
        """Show a page that leads on to the same URL, by itself if it `goes_on`."""
        view, target = self.view(), f"?{self.scope['query_string'].decode('latin-1')}"
        more = {"title": view.language.get("pages.passage.title"), "target": target, "goes_on": goes_on}
        response = self.site.renderer.page(["passage"], view.frame() | more, 200)
        if goes_on:
            response.headers["refresh"] = f"0;url={target}"
        return response

    async def show(
        self, page: Page, identity: Identity, failed: Failed | None = None, answer: object = None
    ) -> Response:
        """Render a page, with the data of the logged-in user, and the answer of a form."""
        if not self._may_see(page, identity):
            return self.to_login(self.reference(page) if page.login else self.onward, "login_needed")
        user = await self._user(identity)
        data = await self.call(page.endpoint, identity) if page.loads else None
        if isinstance(data, Redirect):
            return self.site.renderer.redirect(data.location, elsewhere=data.elsewhere)
        held = await held_by(self.site, page, identity, self.client(identity), self.carried.get("pending", ""))
        opened = await opened_by_link(self.site, page, failed.sent if failed else self.query)
        if (asked := self.asked_for(opened.request)) is not None and not self.query.get("next"):
            self.query["next"] = asked.next
        more = {"data": data, "permissions": identity.permissions, "held": held}
        view = self.view(user, failed, dead=opened.dead if failed is None else None, **more)
        context = view.page(page) | {"answer": answer, "username": opened.owner}
        context["home"] = self.way_home() if page.login else ""
        context["here"] = self.reference(page) if page.login else ""
        sections = [item for item in self.site.plan.sections_of(page) if view.permits(item.endpoint)]
        shown = context["sections"] = [await self._section(section, page, view, identity) for section in sections]
        context["groups"] = groups_of(shown, self._opened(failed))
        response = self.site.renderer.page([page.name, "page"], context, failed.error.status if failed else 200)
        if isinstance(data, Answer) and data.form_action:
            self.site.renderer.let_forms_lead(response, data.form_action)
        return with_headers_of(response, failed.error) if failed else response

    def _opened(self, failed: Failed | None) -> set[str]:
        """Return the groups of the account page that are open: with the form that this request is about."""
        plan, said = self.site.plan, self.query.get("said", "")
        form = failed.endpoint if failed else self.answered or (self.kept.endpoint if self.kept else "")
        forms = [form] if form else [item.endpoint for item in plan.forms.values() if said and item.said == said]
        return {plan.group_of(item) for item in forms} - {""}

    def reference(self, page: Page) -> str:
        """Return what `next` says of a page that this request is about."""
        return reference(page.name, {name: self.given.get(name, "") for name in self.site.plan.values_of(page.name)})

    def _may_see(self, page: Page, identity: Identity) -> bool:
        """Tell whether a page is for this visitor."""
        name = page.carries
        if name and (self.carried.get(name) or self.client(identity).cookies.get(name)):
            return True
        return identity.is_authenticated if page.login else not name

    async def led_on(self, error: AuthError, page: Page, identity: Identity) -> Response | None:
        """Show the page where the visitor does what an error of a page asks for; None for other errors."""
        knows_way = not isinstance(error, FreshLoginRequiredError) or error.ways
        target = self.site.plan.first_of(error.leads_to)
        if target and knows_way:
            if not page.entrance:
                self.query.setdefault("next", self.reference(page))
            self.query["said"] = error.text_code
            self.carried |= {name: value for name, value in error.members().items() if isinstance(value, str)}
            return await self.show(self.site.plan.pages[target], identity)
        if not isinstance(error, FreshLoginRequiredError):
            return None
        if self.kept is None or LOGIN not in self.site.plan.paths:
            return self.to_login(self.reference(page), error.code)
        # No redirect, which would take no values along.
        self.query |= {"next": self.query.get("next", self.reference(page)), "said": error.code}
        return await self.show(self.site.plan.pages[LOGIN], identity)

    async def _user(self, identity: Identity) -> UserInfo | None:
        """Return the logged-in user. Raises UnauthorizedError for one that was deleted."""
        if not identity.is_authenticated:
            return None
        return await self.call("me", identity) if self.site.routes.named("me") else UserInfo.of(await identity.load())

    async def _section(self, section: Section, page: Page, view: View, identity: Identity) -> dict[str, Any]:
        """Return the template of a section, and its data; where it is refused, the template that says so."""
        try:
            data = await self.call(section.endpoint, identity) if section.loads else None
        except (ForbiddenError, FreshLoginRequiredError, SecondFactorNeededError) as error:
            proof = view.href(self.site.plan.first_of(error.leads_to), next=self.reference(page), said=error.text_code)
            title = view.language.maybe(f"pages.{section.name}.title") or view.language.get(f"pages.{page.name}.title")
            refused = {"title": title, "alert": view.language.error(error), "proof": proof}
            return {"name": section.name, "group": section.group, "template": "refused.html", "data": refused}
        return {"name": section.name, "group": section.group, "template": template_of(section), "data": data}

    async def call(self, name: str, identity: Identity) -> Any:
        """Call an endpoint that only reads."""
        _, route = self.site.routes.named(name) or (None, None)
        if route is None:
            raise NotFoundError
        values: dict[str, Any] = {name: text for name, text in self.carried.items() if name in route.endpoint.fields}
        fields = route.endpoint.fields.items()
        values |= {item: from_url(self.given[item], field.type) for item, field in fields if self.given.get(item)}
        call = Call(route.endpoint, values, self.client(identity), identity)
        return await self.site.auth.pipeline.run_request(route.feature, call)

    def client(self, identity: Identity) -> Client:
        """Return the client."""
        return self.site.requests.client(self.scope, identity)


def with_headers_of(response: Response, error: AuthError) -> Response:
    """Add the headers of an error, such as Retry-After."""
    for name, value in error.headers:
        response.headers.append(name, value)
    return response
