"""The steps of every call of an endpoint over HTTP, for JSON and for forms alike."""

import time
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from starlette.types import Receive, Scope

from asgi_auth.bounds.deadline import current
from asgi_auth.errors import (
    AuthError,
    BadRequestError,
    BodyTooLargeError,
    CrossSiteRequestError,
    InternalError,
    RequestTimeoutError,
    StorageUnavailableError,
    UnsupportedMediaTypeError,
    ValidationError,
)
from asgi_auth.feature.call import BASIC, TRANSPORT, Call
from asgi_auth.feature.endpoint import Endpoint
from asgi_auth.feature.pipeline import Pipeline
from asgi_auth.feature.route import Route, Served
from asgi_auth.model.answers import Answer, Redirect, SetCookie
from asgi_auth.model.basic import BasicCredentials
from asgi_auth.model.records import Client
from asgi_auth.sessions.identity import ANONYMOUS, Identity
from asgi_auth.settings import Settings
from asgi_auth.validation.fields import from_text
from asgi_auth.validation.reasons import Reason
from asgi_auth.web.authenticator import Headers, RequestAuthenticator
from asgi_auth.web.body import JSON_TYPE, parse_body, parse_query, read_body
from asgi_auth.web.client import NO_COOKIES, client_of
from asgi_auth.web.cookie_choice import Choice
from asgi_auth.web.credentials import PresentedCredentials
from asgi_auth.web.csrf import check_form, check_origin, check_site
from asgi_auth.web.device_cookies import DeviceCookies
from asgi_auth.web.headers import FORM_TYPE, single_header

#: The errors of every request for an endpoint.
REQUEST_ERRORS = (BadRequestError, InternalError, StorageUnavailableError)
#: The further errors of requests with a body.
BODY_ERRORS = (
    CrossSiteRequestError,
    RequestTimeoutError,
    BodyTooLargeError,
    UnsupportedMediaTypeError,
    ValidationError,
)
#: The further errors of requests with a query.
QUERY_ERRORS = (ValidationError,)
#: The field that the refresh cookie fills in.
REFRESH_TOKEN = "refresh_token"
#: The field that the cookie of a pending login fills in.
PENDING = "pending"
#: The field that the refresh cookie of an administrator fills in, who acts for another user, and its cookie.
PARKED, PARKED_COOKIE = "parked", "admin"


class Result(msgspec.Struct):
    """What an endpoint returned, and the headers that belong to it, Set-Cookie among them."""

    value: Any
    headers: Headers
    in_cookies: bool


class RequestPipeline:
    """Reads the fields, fills in the refresh token of the cookie, checks the origin, calls, and makes the cookies."""

    def __init__(
        self,
        settings: Settings,
        authenticator: RequestAuthenticator,
        pipeline: Pipeline,
        devices: DeviceCookies,
        allows: Callable[[str], bool],
    ) -> None:
        """Take the collaborators; `allows` tells whether a redirect may lead to a target."""
        self._settings = settings
        self._authenticator = authenticator
        self._pipeline = pipeline
        self._devices = devices
        self._allows = allows

    async def values(
        self, scope: Scope, receive: Receive, route: Route, identity: Identity, in_path: dict[str, Any]
    ) -> dict[str, Any]:
        """Read the fields of a request: those in the path, and those in the query of GET, or in the body.

        A request that is refused for its form counts against the address of the client.
        """
        endpoint = route.endpoint
        if endpoint.method != "GET":
            is_form = (endpoint.oauth2 and not endpoint.reads_json) or endpoint.navigates
            body_type = FORM_TYPE if is_form else JSON_TYPE
            return await self.body(scope, receive, body_type, route, identity) | in_path
        try:
            return self._query(scope, route, in_path) | in_path
        except AuthError:
            await self._pipeline.refused(endpoint, self.client(scope, identity), identity)
            raise

    async def body(
        self, scope: Scope, receive: Receive, content_type: str, route: Route, identity: Identity
    ) -> dict[str, Any]:
        """Read and parse the body of a request. One that is refused counts against the address of the client."""
        try:
            return await self._body(scope, receive, content_type)
        except AuthError:
            await self._pipeline.refused(route.endpoint, self.client(scope, identity), identity)
            raise

    def _query(self, scope: Scope, route: Route, in_path: dict[str, Any]) -> dict[str, Any]:
        """Read the fields in a query. Raises ValidationError for a field that is also in the path."""
        fields = self._pipeline.fields(route.endpoint)
        if not scope["query_string"] or not fields.keys() - in_path.keys():
            # Without fields there is nothing to read: caches and trackers add parameters to URLs.
            return {}
        sent = parse_query(scope["query_string"])
        if repeated := sent.keys() & in_path.keys():
            raise ValidationError({name: [Reason("unknown")] for name in repeated})
        return {name: from_text(text, fields[name].type) if name in fields else text for name, text in sent.items()}

    async def _body(self, scope: Scope, receive: Receive, content_type: str) -> dict[str, Any]:
        started = time.monotonic()
        raw = await read_body(scope, receive, self._settings.max_body, self._settings.body_timeout)
        if (deadline := current()) is not None:
            # `body_timeout` bounds a slow client.
            deadline.postpone(time.monotonic() - started)
        return parse_body(scope, raw, content_type)

    def client(
        self,
        scope: Scope,
        identity: Identity,
        transport: str = "cookie",
        presented: PresentedCredentials | None = None,
    ) -> Client:
        """Describe the client of a request, with the session of its cookie, and other cookies of ours."""
        by_cookie = identity.transport == "cookie" and identity.is_authenticated
        presented = presented or self._authenticator.reader.read(scope)
        device = presented.device or ("" if transport == "cookie" else None)
        session_id = identity.session_id if by_cookie else None
        return client_of(scope, self._settings, session_id, device, presented.own or NO_COOKIES)

    async def call(  # noqa: PLR0917 (one call site for each renderer)
        self,
        route: Route,
        values: dict[str, Any],
        scope: Scope,
        identity: Identity,
        transport: str,
        served: Served | None = None,
    ) -> Result:
        """Call an endpoint with the values of path and body. `transport` says where tokens go: `bearer` or `cookie`."""
        endpoint = route.endpoint
        # Where scripts of every site may call, no credentials count.
        presented = PresentedCredentials() if endpoint.any_origin else self._authenticator.reader.read(scope)
        choice = await self._chosen(endpoint, presented)
        if choice is None:
            return await self._way_out(route, scope, presented)
        own: Mapping[str, str] = presented.own or {}
        if endpoint.method != "GET" and not endpoint.navigates:
            if _fill_in(endpoint, values, choice.refresh, own, identity):
                transport = "cookie"
            if endpoint.oauth2 and not endpoint.any_origin:
                check_form(scope, self._settings)
            if presented.by_cookie or presented.own or (transport == "cookie" and endpoint.gives_tokens):
                check_origin(scope, self._settings)
            if transport == "cookie" and endpoint.gives_tokens and not presented.by_cookie:
                check_site(scope, self._settings)
        client = self.client(scope, identity, transport, presented)
        asked = Call(endpoint, values, client, identity, {TRANSPORT: transport, **_program(endpoint, scope)})
        value = await self._pipeline.run_request(route.feature, asked, served)
        added = self._added(value) if isinstance(value, Answer) else Headers()
        added += self._authenticator.cookies.lines(asked.cookies) if asked.cookies else []
        pair = value.token_pair() if isinstance(value, Answer) else None
        if pair is not None and transport == "cookie":
            device = await self._devices.after_login(pair, client) if endpoint.logs_in else Headers()
            if PENDING in own:
                added += self._authenticator.cookies.lines((SetCookie(PENDING, "", 0),))
            return Result(value, self._authenticator.cookies.set(pair) + device + added, in_cookies=True)
        ended = endpoint.ends_session and presented.by_cookie
        return Result(value, (await self._ended(choice, scope) if ended else []) + added, in_cookies=False)

    async def _chosen(self, endpoint: Endpoint, presented: PresentedCredentials) -> Choice | None:
        """Return the credentials of a request, or None where a way out takes those that cannot be used."""
        try:
            return await self._authenticator.choice.choose(presented)
        except BadRequestError:
            if endpoint.is_way_out:
                return None
            raise

    async def _way_out(self, route: Route, scope: Scope, presented: PresentedCredentials) -> Result:
        """End every session whose cookie a browser has that cannot be used, such as those of two users; delete them."""
        check_origin(scope, self._settings)
        client = self.client(scope, ANONYMOUS, presented=presented)
        forgotten, identities, refresh = await self._authenticator.choice.all_of(presented)
        calls = [Call(route.endpoint, {REFRESH_TOKEN: token}, client, ANONYMOUS) for token in refresh]
        calls += [Call(route.endpoint, {}, client, identity) for identity in identities]
        lines = self._authenticator.forget_all(forgotten, scope) + self._site_data()
        for call in calls:
            await self._pipeline.run_request(route.feature, call)
            lines += self._authenticator.cookies.lines(call.cookies)
        return Result(None, lines, in_cookies=False)

    def _added(self, value: Answer) -> Headers:
        """Return the headers and cookies that an answer asks for.

        Raises BadRequestError for a redirect that may lead a client of this site to another one.
        """
        if isinstance(value, Redirect) and not (value.elsewhere or self._allows(value.location)):
            raise BadRequestError("The target of the redirect is not allowed.")
        kind, added = type(value), Headers()
        if kind.http_headers is not Answer.http_headers:
            added += [(name.lower().encode("ascii"), text.encode("latin-1")) for name, text in value.http_headers]
        if kind.http_cookies is not Answer.http_cookies:
            added += self._authenticator.cookies.lines(value.http_cookies)
        return added

    async def _ended(self, choice: Choice, scope: Scope) -> Headers:
        """Return the headers that delete the cookies of an ended session, and the data of the site (ASVS 14.3.1)."""
        return await self._authenticator.forget(choice, scope) + self._site_data()

    def _site_data(self) -> Headers:
        kinds = ", ".join(f'"{kind}"' for kind in self._settings.clear_site_data)
        return [(b"clear-site-data", kinds.encode())] if kinds else Headers()


def _program(endpoint: Endpoint, scope: Scope) -> dict[str, Any]:
    """Return the note with the name and secret of the program that calls, where an endpoint takes them."""
    line = single_header(scope, b"authorization") if "basic" in endpoint.injected else None
    basic = BasicCredentials.of(line.encode("latin-1")) if line else None
    return {BASIC: basic} if basic is not None else {}


def _fill_in(
    endpoint: Endpoint, values: dict[str, Any], refresh: str | None, own: Mapping[str, str], identity: Identity
) -> bool:
    """Fill in the fields that cookies have and the body has not; return whether there was one.

    Where a login may take the place of a pending one, the pending one of a cookie is for visitors only: it may be that
    of another user of the browser.
    """
    missing = REFRESH_TOKEN in endpoint.fields and values.get(REFRESH_TOKEN) is None
    if is_filled := bool(refresh and missing and not endpoint.oauth2):
        values[REFRESH_TOKEN] = refresh
    if PARKED in endpoint.fields and not values.get(PARKED) and _first_of(own, PARKED_COOKIE):
        values[PARKED] = own[PARKED_COOKIE]
        is_filled = True
    if PENDING not in endpoint.fields or values.get(PENDING) or not own.get(PENDING):
        return is_filled
    if identity.is_authenticated and not endpoint.fields[PENDING].required:
        return is_filled
    values[PENDING] = own[PENDING]
    return True


def _first_of(own: Mapping[str, str], name: str) -> str:
    """Return a cookie; empty without one, and for one with several values: another site may have set one."""
    try:
        return own.get(name, "")
    except BadRequestError:
        return ""
