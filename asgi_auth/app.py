"""AuthApp: the features' endpoints as a raw ASGI app, mountable anywhere. Every error ends at its own edge."""

import logging
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import msgspec
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from asgi_auth.auth import Auth
from asgi_auth.errors import AuthError, BadRequestError, InternalError, NotFoundError
from asgi_auth.feature import Endpoint, Route, Served
from asgi_auth.sessions.identity import Identity
from asgi_auth.settings import Secrets
from asgi_auth.web.authenticator import Headers, RequestAuthenticator, cookie_session, tokens_of, without_tokens
from asgi_auth.web.body import (
    FORM_TYPE,
    JSON_TYPE,
    ClientDisconnectedError,
    headers,
    parse_body,
    read_body,
    single_header,
)
from asgi_auth.web.client import check_origin, client_of, is_forwarded
from asgi_auth.web.cors import Cors
from asgi_auth.web.lifespan import serve_lifespan
from asgi_auth.web.responses import HSTS, answer, cacheable, oauth2_problem, own_url, problem, refuse, route_path
from asgi_auth.web.routes import Routes

if TYPE_CHECKING:
    from asgi_auth.pages.server import PageServer

logger = logging.getLogger("asgi_auth")
TRANSPORTS = ("bearer", "cookie")


class AuthApp:
    """Serves the endpoints of an `Auth`, given as such or as a storage URL with a `secret`.

    `include` or `exclude` select endpoints, by their names or their feature's; `paths={"login": "/sign-in"}` renames
    them. A name that doesn't exist is a ValueError.
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
        """Take what is served, and lay out the routes."""
        if isinstance(auth, Auth) and secret is not None:
            raise ValueError("the secret belongs to the Auth that was given")
        self.auth = auth if isinstance(auth, Auth) else Auth(auth, secret=secret)
        self.routes = Routes(self.auth.features, include, exclude, paths or {})
        self.authenticator = RequestAuthenticator(self.auth)
        self.cors = Cors(self.auth.settings)
        self.pages = self._page_server()
        self.auth.page_urls.serve(self.pages.places() if self.pages is not None else {})

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request below wherever the host has mounted this."""
        if scope["type"] == "lifespan":
            await serve_lifespan(self.auth, None, scope, receive, send)
            return
        await self.serve(route_path(scope), scope, receive, send)

    async def serve(self, path: str | None, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request for a path of ours; None is one that isn't."""
        if scope["type"] == "websocket":
            await refuse(NotFoundError(), scope, receive, send)
            return
        if not self.auth.settings.trusted_proxies and is_forwarded(scope):
            self.auth.config_check.note_proxy_headers()
        visit = self.pages.visit(path, scope) if self.pages is not None else None
        answer_error = visit.refuse if visit is not None else problem
        oauth2, renewed = False, Headers()
        try:
            if visit is not None:
                response = await visit.respond(partial(self._recognise, scope, renewed), receive)
            else:
                route, values = self.routes.find(path, scope["method"])
                oauth2 = route is not None and route.endpoint.oauth2
                response = await self._serve(route, values, renewed, scope, receive)
        except ClientDisconnectedError:
            return
        except AuthError as error:
            await self.auth.report_refusal(error, client_of(scope, self.auth.settings))
            response = oauth2_problem(error) if oauth2 else answer_error(error)
        except Exception:
            logger.exception("asgi_auth failed to answer %s", scope["method"])
            response = oauth2_problem(InternalError()) if oauth2 else answer_error(InternalError())
        if renewed and "set-cookie" not in response.headers:
            response.headers["cache-control"] = "no-store"
            response.raw_headers.extend(renewed)
        if visit is None:
            response.raw_headers.extend(self.cors.headers(scope))
        if self.auth.settings.hsts:
            response.headers["strict-transport-security"] = HSTS
        if scope["method"] == "HEAD":
            response.body = b""
        await response(scope, receive, send)

    def _page_server(self) -> "PageServer | None":
        if not self.auth.shows_pages:
            return None
        from asgi_auth.pages.server import PageServer  # noqa: PLC0415 (only those with pages need it)

        return PageServer.of(self.auth, self.routes, self.authenticator)

    def page_of(self, error: AuthError, path: str | None, scope: Scope) -> Response | None:
        """Make the page that says why a request goes no further; None for one that no page would have answered."""
        visit = self.pages.visit(path, scope) if self.pages is not None and scope["type"] == "http" else None
        return visit.refuse(error) if visit is not None else None

    async def _serve(
        self, route: Route | None, values: dict[str, Any], renewed: Headers, scope: Scope, receive: Receive
    ) -> Response:
        """Call an endpoint for a client; `values` are those of the path."""
        if route is None:
            response = _options(values["methods"])
            response.raw_headers.extend(self.cors.preflight(scope, values["methods"]))
            return response
        identity = await self._recognise(scope, renewed)
        endpoint, settings = route.endpoint, self.auth.settings
        transport = self._transport(endpoint, scope)
        shown = self.authenticator.reader.read(scope)
        if endpoint.method != "GET":
            body = await read_body(scope, receive, settings.max_body, settings.body_timeout)
            values |= parse_body(scope, body, FORM_TYPE if endpoint.oauth2 else JSON_TYPE) | values
            if shown.refresh and not endpoint.oauth2 and "refresh_token" in endpoint.fields.keys() - values.keys():
                values["refresh_token"] = shown.refresh
                transport = "cookie"
        if endpoint.method != "GET" and (shown.by_cookie or (transport == "cookie" and endpoint.gives_tokens)):
            check_origin(scope, settings)
        client = client_of(scope, settings, cookie_session(identity))
        result = await endpoint.call(route.feature, values, client, identity, self._served(route, scope))
        response = self._answer(endpoint, result, transport, by_cookie=shown.by_cookie)
        return cacheable(response, headers(scope, b"if-none-match")) if endpoint.cacheable else response

    def _served(self, route: Route, scope: Scope) -> Served | None:
        """What this app serves and where, for an endpoint that wants to know."""
        found = self.routes.named(route.endpoint.name) if "served" in route.endpoint.hints else None
        return Served(self.routes, own_url(scope, found[0], self.auth.settings)) if found else None

    async def _recognise(self, scope: Scope, renewed: Headers) -> Identity:
        """Take whom the middleware has found, if there is one for the same users; else look, and note the cookies."""
        identity = scope.get("asgi_auth")
        if isinstance(identity, Identity) and scope.get("asgi_auth.by") is self.auth:
            return identity
        identity, cookies = await self.authenticator.recognise(scope)
        renewed.extend(cookies)
        return identity

    def _transport(self, endpoint: Endpoint, scope: Scope) -> str:
        """How tokens are handed out: as the request asks, else by the setting. OAuth 2 knows no cookies."""
        if endpoint.oauth2:
            return "bearer"
        asked = single_header(scope, b"auth-transport")
        if asked is not None and asked not in TRANSPORTS:
            raise BadRequestError("Auth-Transport is bearer or cookie.")
        return asked or self.auth.settings.transport

    def _answer(self, endpoint: Endpoint, result: Any, transport: str, *, by_cookie: bool) -> Response:
        """Put tokens into cookies or the body, never both."""
        cookies: Headers = []
        pair = tokens_of(result)
        if transport == "cookie" and pair is not None:
            cookies = self.authenticator.cookies.set(pair)
            bare = without_tokens(pair)
            result = bare if result is pair else msgspec.structs.replace(result, tokens=bare)
        if endpoint.ends_session and by_cookie:
            cookies = self.authenticator.cookies.clear()
        response = answer(getattr(result, "http_status", endpoint.status), result)
        response.raw_headers.extend(cookies)
        return response


def _options(allowed: Sequence[str]) -> Response:
    response = answer(204)
    response.headers["allow"] = ", ".join(allowed)
    return response
