"""The form of a browser: the same endpoint as for a client, with cookies, and the page that follows."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope

from asgi_auth.accounts.asked_mail import AskedMail
from asgi_auth.errors import AuthError, FreshLoginRequiredError, InvalidOneTimeTokenError, SecondFactorNeededError
from asgi_auth.feature.page import ONWARD, Form
from asgi_auth.feature.route import Route
from asgi_auth.model.answers import Answer, Redirect, Requested, SetCookie
from asgi_auth.pages.boxes import joined
from asgi_auth.pages.forms import Failed
from asgi_auth.pages.inputs import fields_of, values_of
from asgi_auth.pages.kept import Kept
from asgi_auth.pages.mails import by_mail, is_request
from asgi_auth.pages.page_values import names_in, parse_reference
from asgi_auth.pages.plan import PROVEN
from asgi_auth.pages.site import Site
from asgi_auth.pages.view import PAGE
from asgi_auth.pages.visits import Authenticate, Visit
from asgi_auth.sessions.identity import Identity
from asgi_auth.validation.targets import location
from asgi_auth.web.csrf import check_origin
from asgi_auth.web.headers import FORM_TYPE
from asgi_auth.web.request_pipeline import Result
from asgi_auth.web.responses import add_headers

#: The fields with the address or the name to which a mail goes, in the order in which they count.
NAMES = ("new_email", "email", "username")


class FormVisit(Visit):
    """A form: the same endpoint as for a client, with cookies, and a redirect at the end."""

    def __init__(self, site: Site, scope: Scope, path: str, route: Route, values: Mapping[str, Any]) -> None:
        """Take the endpoint, and the values in its path."""
        super().__init__(site, scope, path)
        self._route = route
        self.endpoint = route.endpoint
        self._in_path = values
        self._form = site.plan.forms.get(route.endpoint.name) or Form(endpoint=route.endpoint.name, page="")
        self.given = dict.fromkeys(site.plan.values_of(self._form.page), "") | self._values_for(self._form.page, None)

    async def respond(self, authenticate: Authenticate, receive: Receive) -> Response:
        """Call the endpoint; show the page again after an error, else redirect to the next page."""
        settings = self.site.auth.settings
        # Checked without cookies as well: another site must not log the visitor into its account (login CSRF).
        check_origin(self.scope, settings)
        identity = self.identity = await authenticate()
        sent: dict[str, str] = await self.site.requests.body(self.scope, receive, FORM_TYPE, self._route, identity)
        if (page := sent.pop(PAGE, "")) in self._form.also:
            self._form = replace(self._form, page=page)
        # A page that is shown again keeps the `request` of its forms.
        kept = {"next": sent.pop("next", self.query.get("next", "")), "request": sent.get("request", "")}
        self.kept = Kept.taken_from(sent)
        self.query: dict[str, str] = {name: value for name, value in kept.items() if value}
        if self._is_of_another_browser():
            if by_mail(self._route.endpoint) and not sent.get("token"):
                return await self._sent_away(identity)
            # A new request, as of a visitor who has none.
            del sent["request"], self.query["request"]
        self._fields = fields_of(self._route, "", settings)
        self._sent = sent = joined(self._fields, sent)
        self.carried: dict[str, str] = {name: sent[name] for name in self._form.hidden if sent.get(name)}
        try:
            result = await self._call(sent, identity)
        except AuthError as error:
            response = await self._refused(sent, error, identity)
            response.raw_headers.extend(self.site.cookies.lines(error.http_cookies))
            return response
        return await self._followed(result, identity)

    def _is_of_another_browser(self) -> bool:
        """Tell whether another browser has asked for the mail of the `request` that this form brings."""
        is_about_mail = by_mail(self._route.endpoint) or is_request(self._route.endpoint)
        is_shown = "request" not in self._form.by_script
        return is_about_mail and is_shown and "request" in self.query and self.asked is None

    async def _sent_away(self, identity: Identity) -> Response:
        """Redirect to the page that says where the code belongs; or on, after a form that was sent twice."""
        if await self._was_sent_twice(identity):
            return self.site.renderer.redirect(self.go_on())
        return self.site.renderer.redirect(self.view().href(self._form.page, request=self.query["request"]))

    async def _call(self, sent: Mapping[str, str], identity: Identity) -> Result:
        endpoint = self._route.endpoint
        fields = {name: field for name, field in self._fields.items() if name not in self._form.leaves_out}
        values = values_of(fields, sent, partial=endpoint.partial) | dict(self._in_path)
        return await self.site.requests.call(self._route, values, self.scope, identity, "cookie")

    async def _refused(self, sent: Mapping[str, str], error: AuthError, identity: Identity) -> Response:
        endpoint = self._route.endpoint
        await self.site.auth.stream.report_refusal(error, self.client(identity))
        page = self.site.plan.pages.get(self._form.page)
        if page is None or page.name not in self.site.plan.paths:
            raise error
        if isinstance(error, FreshLoginRequiredError | SecondFactorNeededError):
            fields = {name: field for name, field in self._fields.items() if name not in self._form.by_script}
            # The first form that was refused, whatever the proof of its user asks for.
            self.kept = self.kept or Kept.of(endpoint.name, sent, fields)
        if (response := await self.led_on(error, page, identity)) is not None:
            return response
        if isinstance(error, InvalidOneTimeTokenError) and await self._was_sent_twice(identity):
            return self.site.renderer.redirect(self.go_on())
        failed = Failed(endpoint=endpoint.name, sent=sent, error=error)
        return await self.show(page, identity, failed)

    async def _was_sent_twice(self, identity: Identity) -> bool:
        """Tell whether the first request of a form that was sent twice may have logged in by a mail.

        Such a login has verified the address.
        """
        if not self._route.endpoint.gives_tokens or self.kept is not None:
            return False
        user = await self._user(identity)
        return user is not None and user.email_verified

    async def _followed(self, result: Result, identity: Identity) -> Response:
        """Redirect to the next page, or show the answer on the page of the form, with the cookies of the result."""
        value = result.value if isinstance(result.value, Answer) else None
        self._asked_for = value.mail_request() if value is not None else None
        cookies = self._remembered(self._asked_for)
        if isinstance(value, Redirect):
            target = value.location if value.elsewhere else self.below_root(value.location)
            response = self.site.renderer.redirect(location(target), elsewhere=value.elsewhere)
        elif self._form.shows and self._form.page in self.site.plan.paths:
            response = await self._shown(result.value, identity)
        elif value is not None and (shown := await self._gone_on(value, identity)) is not None:
            response = shown
        else:
            values = self._values_for(self._form.after, result.value)
            response = self.site.renderer.redirect(self._next(value, identity, values))
        add_headers(response, result.headers)
        if cookies:
            add_headers(response, self.site.cookies.lines(cookies))
        return response

    def _remembered(self, asked: Requested | None) -> list[SetCookie]:
        """Remember the mail that this form asks for, or forget the one whose code it brought."""
        if asked is None and "request" not in self.query:
            return []
        earlier, cookies = self.asked, self.client(self.identity).cookies
        if asked is None:
            return [self.site.asked.without(cookies, earlier.request)] if earlier is not None else []
        field = next((name for name in NAMES if self._sent.get(name)), "")
        at, again = int(self.site.auth.now()), earlier if earlier and earlier.request == asked.request else None
        self.asking = AskedMail(
            request=asked.request,
            field=field,
            name=self._sent.get(field, ""),
            page=again.page if again else self._form.page,
            at=at,
            until=at + asked.expires_in,
            registers=again.registers if again else self._route.endpoint.logs_in,
            next=self.onward or (again.next if again else ""),
        )
        return [self.site.asked.with_mail(cookies, self.asking)]

    async def _gone_on(self, value: Answer, identity: Identity) -> Response | None:
        """Show the form whose values were kept, after a proof; after a mail, the page for its code; None without one.

        A redirect would lose the values. They are for the user that typed them.
        """
        form = self._kept_form()
        if form is None:
            return None
        pair, asked = value.token_pair(), self._asked_for
        waits = self.site.plan.pages.get(self._form.waits or self._form.after)
        if asked is not None and waits is not None and waits.name in self.site.plan.paths:
            self.query |= {"request": asked.request, "said": "mail_sent"}
            return await self.show(waits, identity)
        # The page loads its data with the proof.
        proven = await self.site.auth.authenticate(pair.access_token, "cookie") if pair is not None else None
        if proven is None or proven.id != identity.id:
            return None
        self.query["said"] = PROVEN
        self.given = dict.fromkeys(self.site.plan.values_of(form.page), "") | self._given_in_next(form.page)
        return await self.show(self.site.plan.pages[form.page], proven)

    def _kept_form(self) -> Form | None:
        """Return the form whose values were kept, if it is served."""
        form = self.site.plan.forms.get(self.kept.endpoint) if self.kept is not None else None
        if form is None or form.page not in self.site.plan.paths:
            return None
        return form if set(names_in(self.site.plan.paths[form.page])) <= self._given_in_next(form.page).keys() else None

    def _given_in_next(self, page: str) -> dict[str, str]:
        """Return the values in the URL of a page that `next` leads back to."""
        name, values = parse_reference(self.query.get("next", ""))
        return {item: values[item] for item in self.site.plan.values_of(page) if name == page and item in values}

    async def _shown(self, answer: object, identity: Identity) -> Response:
        """Show an answer. Further forms of the page go on with its `request`, and with their hidden fields from it."""
        page = self.site.plan.pages[self._form.page]
        more = {"request": getattr(answer, "request", ""), "said": self._form.said}
        self.query |= {name: text for name, text in more.items() if text}
        hidden = {name: getattr(answer, name, "") for form in self.site.plan.forms_of(page) for name in form.hidden}
        self.carried |= {name: text for name, text in hidden.items() if isinstance(text, str) and text}
        self.answered = self._route.endpoint.name
        return await self.show(page, identity, answer=answer)

    def _values_for(self, page: str, answer: object) -> dict[str, str]:
        """Return the values in the path of a page: those in the path of the form, else members of the answer."""
        names = names_in(self.site.plan.paths.get(page, ""))
        return {name: str(self._in_path.get(name) or getattr(answer, name, "")) for name in names}

    def _stays(self, identity: Identity) -> bool:
        """Tell whether a session with new tokens goes on to a page of its user, and sees the message there."""
        page = self.site.plan.pages.get(self._form.after)
        return page is not None and page.login and not self.query.get("next") and identity.is_authenticated

    def _next(self, answer: Answer | None, identity: Identity, values: Mapping[str, str]) -> str:
        """Return the page where the code of a mail is typed, the target of a login, or the page after the form."""
        form, view = self._form, self.view()
        asked = self._asked_for
        if asked is not None:
            form, query = replace(form, after=form.waits or form.after), {"request": asked.request, "said": "mail_sent"}
        else:
            query = {"said": form.said}
        has_tokens = answer is not None and answer.token_pair() is not None
        if has_tokens and form.after == self.site.pages.after_login and not self.query.get("next"):
            return view.href(form.after, **values, **query) or self.go_on()
        comes_back = by_mail(self._route.endpoint) and identity.is_authenticated and bool(self.onward)
        if form.after == ONWARD or comes_back or (has_tokens and not self._stays(identity)):
            return self.go_on()
        after = "login" if form.after == "account" and not identity.is_authenticated else form.after
        return view.href(after, **values, **query) or self.go_on()
