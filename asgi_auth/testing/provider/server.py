"""What all fake providers share: the authorization endpoint, the token endpoint, users, lies and troubles."""

import time
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from html import escape
from typing import Any
from urllib.parse import urlsplit

from starlette.types import Receive, Scope, Send

from asgi_auth.testing.provider.clients import RegisteredClient, Registry
from asgi_auth.testing.provider.grants import CODE_SECONDS, Grant, Grants
from asgi_auth.testing.provider.lies import LIES, Lie, changed
from asgi_auth.testing.provider.returns import MODES, Return
from asgi_auth.testing.provider.troubles import Trouble
from asgi_auth.testing.provider.wire import RefusedError, Request, Response, as_html, as_json, get, hidden, read, write

SECRET = "the secret of a client of a fake provider"
Handler = Callable[[Request], Response]


class FakeServer:
    """An authorization server with the code grant (RFC 6749) and PKCE (RFC 7636), which it requires by default.

    `visitor` is the user at the browser: a request for authorization ends at once with a code. Without a visitor, the
    browser gets a page with a button for each user. `refuses` is an error that ends each request instead. `requests`
    are all that came in, `trouble` is what is wrong with an endpoint, by its name. `auth_time` is when the visitor
    logged in, or None for now.
    """

    #: The names of the endpoints, with their paths below the issuer, or their URLs.
    paths: Mapping[str, str] = {"authorization": "/authorize", "token": "/token"}

    def __init__(
        self,
        issuer: str,
        *,
        client_id: str = "app",
        client_secret: str = SECRET,
        redirect_uris: Collection[str] = (),
        methods: Collection[str] = ("client_secret_basic", "client_secret_post"),
        requires_pkce: bool = True,
        now: Callable[[], float] = time.time,
    ) -> None:
        """Take the issuer's URL, which is the address of the server, and the first client."""
        self.issuer = issuer
        self.now = now
        self.methods = methods
        self.requires_pkce = requires_pkce
        self.users: dict[str, dict[str, Any]] = {}
        self.visitor: str | None = None
        self.auth_time: int | None = None
        self.refuses = ""
        self.grants: Grants = Grants()
        self.lie: Lie = Lie()
        self.trouble: dict[str, Trouble] = {}
        self.requests: list[Request] = []
        self.clients: dict[str, RegisteredClient] = {}
        self.add_client(RegisteredClient(client_id, client_secret, redirect_uris))
        self.handlers: dict[str, Handler] = {"authorization": self.authorize, "token": self.token}

    def add_client(self, client: RegisteredClient) -> None:
        """Add a client, or replace the one with its id."""
        self.clients[client.client_id] = client

    def add_user(self, subject: str, **claims: Any) -> None:
        """Add a user with claims, or replace it. The first user is the visitor."""
        self.users[subject] = claims
        self.visitor = self.visitor or subject

    def lies(self, lie: Lie | str) -> None:
        """Lie from now on; a text is a name of LIES."""
        self.lie = LIES[lie] if isinstance(lie, str) else lie

    def tells_the_truth(self) -> None:
        """End the lies and the troubles."""
        self.lie = Lie()
        self.trouble = {}

    def url(self, endpoint: str) -> str:
        """Return the address of an endpoint by its name. Its path may be a URL of another server."""
        path = self.paths[endpoint]
        return path if "://" in path else self.issuer.rstrip("/") + path

    def asked(self, endpoint: str) -> list[Request]:
        """Return the requests to an endpoint, oldest first."""
        path = urlsplit(self.url(endpoint)).path
        return [request for request in self.requests if request.path == path]

    async def visit(self, url: str) -> Return:
        """Go to the authorization endpoint as the visitor's browser, and return the way back to the client.

        Raises RefusedError where the provider does not send the browser back.
        """
        request = get(url)
        if url.partition("?")[0] != self.url("authorization"):
            raise RefusedError("invalid_request", f"{url} is not the authorization endpoint")
        self.requests.append(request)
        return self._decide(request)

    async def respond(self, request: Request) -> Response:
        """Answer a request, with the trouble of its endpoint."""
        self.requests.append(request)
        paths = {urlsplit(self.url(name)).path: name for name in self.paths}
        name = paths.get(request.path)
        if name is None:
            return as_json({"error": "not_found"}, 404)
        return await self.trouble.get(name, Trouble()).answer(lambda: self._answer(name, request))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve as an ASGI app."""
        if scope["type"] != "http":
            return
        try:
            request = await read(scope, receive)
        except RefusedError as error:
            await write(send, as_json(error.members, error.status))
            return
        await write(send, await self.respond(request))

    def _answer(self, name: str, request: Request) -> Response:
        try:
            return self.handlers[name](request)
        except RefusedError as error:
            return self.refusal(error)

    def refusal(self, error: RefusedError) -> Response:
        """Return the response with an error."""
        return as_json(error.members, error.status)

    # --- the authorization endpoint -----------------------------------------------------------------------------------

    def authorize(self, request: Request) -> Response:
        """Answer at the authorization endpoint. Raises RefusedError."""
        asked = {**request.query, **request.form}
        if self.visitor is None and "user" not in asked and asked.get("prompt") != "none" and not self.refuses:
            self._known(asked)
            return self._choice(asked)
        return self._decide(replace(request, query=asked)).response

    def _choice(self, asked: Mapping[str, str]) -> Response:
        """A page with a button for each user."""
        buttons = "".join(
            f'<button name="user" value="{escape(subject)}">{escape(str(claims.get("name") or subject))}</button> '
            for subject, claims in self.users.items()
        )
        action = escape(urlsplit(self.url("authorization")).path)
        return as_html(f'<h1>Log in</h1><form method="post" action="{action}">{hidden(asked)}{buttons}</form>')

    def _known(self, asked: Mapping[str, str]) -> RegisteredClient:
        """Return the client. Without a known address the browser is sent nowhere (RFC 6749, 4.1.2.1)."""
        client = self.clients.get(asked.get("client_id", ""))
        if client is None or not client.allows(asked.get("redirect_uri", "")):
            raise RefusedError("invalid_request", "unknown client or redirect URI")
        return client

    def _decide(self, request: Request) -> Return:
        """Let the user decide, and return the way back."""
        asked = request.query
        client = self._known(asked)
        try:
            self.check_authorization(asked)
            parameters = {"code": self.grants.code(self._grant(client, asked))}
        except RefusedError as error:
            parameters = error.members
        parameters |= {"state": asked["state"]} if "state" in asked else {}
        parameters |= self.beside_the_code()
        return Return(
            asked["redirect_uri"], changed(parameters, self.lie.callback), asked.get("response_mode", "query")
        )

    def check_authorization(self, asked: Mapping[str, str]) -> None:
        """Check a request for authorization. Raises RefusedError."""
        if asked.get("response_type") != "code":
            raise RefusedError("unsupported_response_type")
        if asked.get("response_mode", "query") not in MODES:
            raise RefusedError("invalid_request", "unknown response_mode")
        has_pkce = self.requires_pkce or "code_challenge" in asked
        if has_pkce and (asked.get("code_challenge_method") != "S256" or len(asked.get("code_challenge", "")) != 43):
            raise RefusedError("invalid_request", "a challenge of PKCE with S256 is required")
        if self.refuses:
            raise RefusedError(self.refuses)

    def _grant(self, client: RegisteredClient, asked: Mapping[str, str]) -> Grant:
        subject = asked.get("user") or self.visitor
        if subject not in self.users:
            raise RefusedError("login_required")
        now = self.now()
        since = self._since(asked, int(now))
        until = now + CODE_SECONDS
        return Grant(subject, client.client_id, asked["redirect_uri"], asked.get("scope", ""), asked, since, until)

    def _since(self, asked: Mapping[str, str], now: int) -> int:
        """When the user logged in: now, or at `auth_time` if the client accepts a login of that age."""
        most = asked.get("max_age", "")
        oldest = now - int(most) if most.isdecimal() else 0
        again = "login" in asked.get("prompt", "").split()
        return now if again or self.auth_time is None or self.auth_time < oldest else self.auth_time

    def beside_the_code(self) -> dict[str, str]:
        """Return further parameters of the way back."""
        return {}

    # --- the token endpoint -------------------------------------------------------------------------------------------

    def token(self, request: Request) -> Response:
        """Answer at the token endpoint. Raises RefusedError."""
        if request.method != "POST":
            raise RefusedError("invalid_request", "POST only", status=405)
        now = self.now()
        registry = Registry(self.clients, self.methods, (self.issuer, self.url("token")))
        client = registry.authenticate(request, now)
        kind = request.form.get("grant_type")
        if kind == "authorization_code":
            grant = self.grants.redeem(request.form, client.client_id, now)
            members = self.grants.tokens(grant, now, with_refresh=self.gives_refresh_tokens(grant))
        elif kind == "refresh_token":
            grant = self.grants.renew(request.form, client.client_id)
            members = self.grants.tokens(grant, now, with_refresh=self.grants.rotates)
        else:
            raise RefusedError("unsupported_grant_type")
        members |= self.beside_the_access_token(client, grant, str(members["access_token"]))
        return as_json(changed(members, self.lie.tokens))

    def gives_refresh_tokens(self, grant: Grant) -> bool:
        """Whether a grant gets a refresh token: `offline_access`, or Google's parameter `access_type`."""
        return "offline_access" in grant.scopes or grant.asked.get("access_type") == "offline"

    def beside_the_access_token(self, client: RegisteredClient, grant: Grant, token: str) -> dict[str, str]:
        """Return further members of the answer with an access token."""
        del client, grant, token
        return {}
