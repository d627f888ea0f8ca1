"""AuthApp: the features' endpoints as a raw ASGI app, mountable anywhere. It answers every error itself."""

from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

from asgi_auth.auth import Auth
from asgi_auth.bounds.deadline import Deadline
from asgi_auth.bounds.settling import Settling
from asgi_auth.errors import AuthError, BadRequestError, CrossSiteRequestError, MethodNotAllowedError, NotFoundError
from asgi_auth.errors.authentication import WithNextStep
from asgi_auth.feature.endpoint import Endpoint
from asgi_auth.feature.root_path import WELL_KNOWN, RootPath
from asgi_auth.feature.route import Route, Served
from asgi_auth.model.answers import Answer, Redirect
from asgi_auth.runtime.event_loop import unexpected
from asgi_auth.sessions.identity import ANONYMOUS, Identity
from asgi_auth.settings import Secrets
from asgi_auth.web.authenticator import Headers, RequestAuthenticator
from asgi_auth.web.body import ClientDisconnectedError
from asgi_auth.web.client import client_of, is_forwarded, is_plain_page
from asgi_auth.web.client_address import address_of, is_of_socket
from asgi_auth.web.cors import Cors
from asgi_auth.web.csrf import is_begun_elsewhere
from asgi_auth.web.device_cookies import DeviceCookies
from asgi_auth.web.headers import headers, is_browser_form, single_header
from asgi_auth.web.lifespan import serve_lifespan
from asgi_auth.web.paths import onward, own_url, route_path
from asgi_auth.web.request_pipeline import RequestPipeline, Result
from asgi_auth.web.responses import (
    BY,
    HSTS,
    add_headers,
    answer,
    cacheable,
    oauth2_problem,
    problem_document,
    send_error,
)
from asgi_auth.web.routes import Routes

if TYPE_CHECKING:
    from asgi_auth.pages.server import PageServer
    from asgi_auth.pages.visits import Visit

TRANSPORTS = ("bearer", "cookie")
#: The key of a scope for the seconds that the middleware has spent on a request.
SPENT = "asgi_auth.spent"


class AuthApp:
    """Serves the endpoints of an `Auth`, given as such or as a storage URL with a `secret`.

    `include` or `exclude` select endpoints, by their names or their feature's; `paths={"login": "/sign-in"}` renames
    them. An unknown name is a ValueError.
    """

    def __init__(
        self,
        auth: Auth | str,
        *,
        secret: Secrets | None = None,
        include: Collection[str] | None = None,
        exclude: Collection[str] = (),
        paths: Mapping[str, str] | None = None,
    ) -> None:
        """Take the `Auth`, and compose the routes."""
        if isinstance(auth, Auth) and secret is not None:
            raise ValueError("a secret is only for a storage URL: this Auth has its own")
        self.auth: Auth = auth if isinstance(auth, Auth) else Auth(auth, secret=secret)
        self.routes: Routes = Routes(self.auth.features, include, exclude, paths or {})
        #: The paths at the root of the host that the middleware serves by this app.
        self.root_paths: Mapping[str, RootPath] = self.routes.root_paths
        if self.root_paths:
            self.auth.root = self.at_root
        self.authenticator: RequestAuthenticator = authenticator_of(self.auth)
        self.requests: RequestPipeline = self._request_pipeline()
        self.cors: Cors = Cors(self.auth.settings)
        self.pages: PageServer | None = self._page_server()
        self.auth.page_urls.serve(self.pages.page_paths if self.pages is not None else {})
        if self.pages is not None and (self.auth.leads is None or "login" in self.pages.plan.paths):
            self.auth.leads = self.pages.lead

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request; its path is relative to the mount of the app."""
        if scope["type"] == "lifespan":
            await serve_lifespan(self.auth, None, scope, receive, send)
            return
        await self.serve(route_path(scope), scope, receive, send)

    def at_root(self, scope: Scope) -> ASGIApp | None:
        """Return the app that serves a path at the root of the host; None for all paths but `root_paths`."""
        if WELL_KNOWN not in scope["path"]:
            return None
        root = self.root_paths.get(route_path(scope) or "")
        found = self.routes.named(root.endpoint) if root is not None else None
        return partial(self.serve, found[0], values=root.values) if root is not None and found is not None else None

    async def serve(
        self, path: str | None, scope: Scope, receive: Receive, send: Send, *, values: Mapping[str, str] | None = None
    ) -> None:
        """Serve a request for a path below the mount; None is a path outside of it.

        `values` are those of a path at the root of the host.
        """
        if scope["type"] == "websocket":
            await send_error(NotFoundError(), scope, receive, send)
            return
        settings = self.auth.settings
        if self.root_paths and BY not in scope:
            self.auth.config_check.note_no_middleware(self.root_paths)
        if not settings.trusted_proxies and is_forwarded(scope):
            self.auth.config_check.note_proxy_headers()
        if is_of_socket(address_of(scope, settings.trusted_proxies)):
            self.auth.config_check.note_unknown_client()
        if is_plain_page(scope, settings):
            self.auth.config_check.note_plain_page()
        renewed = Headers()
        async with Settling(enabled=not settings.after_answer) as settling:
            with Deadline(self.auth.request_timeout - scope.get(SPENT, 0.0)) as deadline:
                response = await self._respond(path, scope, receive, renewed, values)
            settling.seconds = deadline.left()
        if response is None:
            return
        if renewed and not any(self.authenticator.cookies.sets_token(line) for line in _cookies_of(response)):
            response.headers["cache-control"] = "no-store"
            response.raw_headers.extend(renewed)
        if settings.hsts:
            response.headers["strict-transport-security"] = HSTS
        if scope["method"] == "HEAD":
            response.body = b""
        await response(scope, receive, send)

    def page_of(self, error: AuthError, path: str | None, scope: Scope) -> Response | None:
        """Make the page that shows an error; None for a request that no page would have answered."""
        visit = self._visit(path, scope) if scope["type"] == "http" else None
        return visit.refuse(error) if visit is not None else None

    async def _respond(
        self,
        path: str | None,
        scope: Scope,
        receive: Receive,
        renewed: Headers,
        at_root: Mapping[str, str] | None = None,
    ) -> Response | None:
        """Answer by a page or by an endpoint, errors too; None when the client has disconnected."""
        visit = self._visit(path, scope) if at_root is None else None
        any_origin = False
        render_error = visit.refuse if visit is not None else problem_document
        try:
            if visit is not None:
                return await visit.respond(partial(self._authenticate, visit.endpoint, scope, renewed), receive)
            route, values = self.routes.find(path, scope["method"])
            if route is not None and route.endpoint.oauth2:
                render_error = oauth2_problem
            any_origin = values["any_origin"] if route is None else route.endpoint.any_origin
            values |= at_root or {}
            response = await self._serve(route, values, renewed, scope, receive, path=path or "")
        except ClientDisconnectedError:
            return None
        except AuthError as error:
            await self.auth.stream.report_refusal(error, client_of(scope, self.auth.settings))
            response = self._missing(error, path, scope) or render_error(error)
            response.raw_headers.extend(self.authenticator.cookies.lines(error.http_cookies))
        except Exception as error:  # noqa: BLE001 (`unexpected` logs it)
            response = render_error(unexpected(error, f"answer {scope['method']}"))
        if visit is None:
            response.raw_headers.extend(self.cors.headers(scope, any_origin=any_origin))
        return response

    def _missing(self, error: AuthError, path: str | None, scope: Scope) -> Response | None:
        """Make the page for a browser at a path where there is nothing for it; None for all other errors."""
        if self.pages is None or path is None or not isinstance(error, NotFoundError | MethodNotAllowedError):
            return None
        return self.pages.missing(error, path, scope)

    def _visit(self, path: str | None, scope: Scope) -> "Visit | None":
        """Return the visit of a browser that asks for a page, or sends a form; None is a call of an endpoint."""
        if self.pages is None or path is None:
            return None
        reads = scope["method"] in {"GET", "HEAD"}
        for_pages = (
            self._is_shown(path, scope["method"]) if reads else scope["method"] == "POST" and is_browser_form(scope)
        )
        return self.pages.visit(path, scope) if for_pages else None

    def _is_shown(self, path: str, method: str) -> bool:
        """Tell whether a browser that reads a path sees a page, or is sent on."""
        return self.routes.page_at(path) is not None or (method == "GET" and self.routes.stops_at(path))

    def _request_pipeline(self) -> RequestPipeline:
        auth, authenticator = self.auth, self.authenticator
        devices = DeviceCookies(authenticator.cookies, auth.known_clients, auth.verifier.verify)
        return RequestPipeline(auth.settings, authenticator, auth.pipeline, devices, auth.page_urls.allows)

    def _page_server(self) -> "PageServer | None":
        if not self.auth.shows_pages:
            return None
        from asgi_auth.pages.server import PageServer  # noqa: PLC0415 (only apps with pages need it)

        return PageServer.of(self.auth, self.routes, self.requests, self.authenticator.cookies)

    async def _serve(
        self,
        route: Route | None,
        values: dict[str, Any],
        renewed: Headers,
        scope: Scope,
        receive: Receive,
        *,
        path: str,
    ) -> Response:
        """Call an endpoint for a client; `values` are those of the `path`."""
        if route is None:
            response = _options(values["methods"])
            response.raw_headers.extend(self.cors.preflight(scope, values["methods"], any_origin=values["any_origin"]))
            return response
        endpoint = route.endpoint
        if endpoint.navigates and is_begun_elsewhere(scope, endpoint, self.auth.settings):
            raise CrossSiteRequestError("Another site cannot begin this. Begin on a page of this site.")
        identity = ANONYMOUS if endpoint.any_origin else await self._authenticate(endpoint, scope, renewed)
        transport = self._transport(endpoint, scope)
        values = await self.requests.values(scope, receive, route, identity, values)
        served = self._served(endpoint, scope) if "served" in endpoint.injected else None
        try:
            result = await self.requests.call(route, values, scope, identity, transport, served)
        except AuthError as error:
            if isinstance(error, WithNextStep):
                error.in_cookie = transport == "cookie"
            raise
        response = _render(endpoint, result)
        if isinstance(result.value, Redirect):
            response.headers["location"] = onward(scope, path, self.auth.settings, result.value.location)
        if not endpoint.cacheable:
            return response
        return cacheable(response, headers(scope, b"if-none-match"), endpoint.max_age)

    def _served(self, endpoint: Endpoint, scope: Scope) -> Served | None:
        """Return what this app serves and where, for an endpoint that asks for it."""
        found = self.routes.named(endpoint.name)
        return Served(self.routes, own_url(scope, found[0], self.auth.settings)) if found else None

    async def _authenticate(self, endpoint: Endpoint | None, scope: Scope, renewed: Headers) -> Identity:
        """Return the middleware's identity, if it has the same users; else authenticate, and note new cookies.

        Raises BadRequestError when the cookies belong to two users, unless the endpoint ends the sessions of both.
        """
        identity = scope.get("asgi_auth")
        if not isinstance(identity, Identity) or scope.get(BY) is not self.auth:
            identity = self.authenticator.from_cache(scope)
        if identity is None:
            identity, cookies = await self.authenticator.authenticate(scope)
            renewed.extend(cookies)
        if isinstance(identity.error, BadRequestError) and not (endpoint is not None and endpoint.is_way_out):
            raise identity.error
        return identity

    def _transport(self, endpoint: Endpoint, scope: Scope) -> str:
        """Return the transport of tokens: by the request's header, else by the setting. OAuth 2 has no cookies."""
        if endpoint.oauth2 or endpoint.navigates:
            # A browser on its way between two sites can keep tokens in cookies only.
            return "bearer" if endpoint.oauth2 else "cookie"
        requested = single_header(scope, b"auth-transport")
        if requested is not None and requested not in TRANSPORTS:
            raise BadRequestError("Auth-Transport is bearer or cookie.")
        return requested or self.auth.settings.transport


def authenticator_of(auth: Auth) -> RequestAuthenticator:
    """Make the authenticator of an `Auth`."""
    return RequestAuthenticator(
        auth.settings, auth.verifier, auth.features, auth.start, auth.refresh, auth.session_of, auth.now
    )


def _render(endpoint: Endpoint, result: Result) -> Response:
    """Make the JSON response; tokens are in cookies or in the body, never in both."""
    value, status = result.value, endpoint.status
    if isinstance(value, Answer):
        shown = value.without_tokens() if result.in_cookies else value
        value = shown.body()
        status = (value or shown).http_status or status
    response = answer(status, value)
    add_headers(response, result.headers)
    return response


def _cookies_of(response: Response) -> list[bytes]:
    return [value for name, value in response.raw_headers if name == b"set-cookie"]


def _options(allowed: Sequence[str]) -> Response:
    response = answer(204)
    response.headers["allow"] = ", ".join(allowed)
    return response
