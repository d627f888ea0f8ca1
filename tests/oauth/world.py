"""A service with an authorization server, a user in a browser, and a client that follows the redirects by hand."""

import base64
import hashlib
import html
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from asgi_auth import Auth, AuthMiddleware, AuthorizationServer, OAuthClient, Outbox, Pages, Resource, current_user
from tests.support import EMAIL, ORIGIN, PASSWORD, Answer, Client, Clock, cheap, make_auth, register

SCOPES = {"notes:read": "Read your notes", "notes:write": "Change your notes"}
LOCAL = "http://127.0.0.1:33418/callback"
VERIFIER = "v" * 43
SECRET = "f1xLw8+%Zq/ t7u~Rk3mPbn2cY4vJ9hd6"
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).decode().rstrip("=")
BROWSER = {"origin": ORIGIN, "sec-fetch-site": "same-origin", "accept": "text/html"}
FORM = {"content-type": "application/x-www-form-urlencoded"}


async def host(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer who asks."""
    user = current_user()
    await JSONResponse({"id": user.id, "client": user.client, "scopes": user.scopes})(scope, receive, send)


def make(clock: Clock | None, *, outbox: Outbox | None = None, storage: Any = "sqlite://", **options: Any) -> Auth:
    """An `Auth` with an authorization server."""
    reports = OAuthClient("Reports", ["https://reports.example.com/cb"], secret=SECRET)
    options.setdefault("clients", {"reports": reports})
    resources = options.pop("resources", {"/mcp": Resource("Notes", scopes=SCOPES)})
    features = [*cheap(mail=outbox is not None), Pages(), AuthorizationServer(resources, **options)]
    return make_auth(storage, clock=clock, mailer=outbox, features=features, name="Example")


@dataclass
class World:
    """The service, a browser and a client that talks to the service itself; `app` is the way to another process."""

    auth: Auth
    clock: Clock
    app: ASGIApp | None = None
    browser: Client = field(init=False)
    program: Client = field(init=False)

    def __post_init__(self) -> None:
        app = self.app or AuthMiddleware(host, self.auth, mount="/auth")
        self.browser, self.program = Client(app, BROWSER, keep_cookies=True), Client(app)

    async def log_in(self) -> str:
        """Make the user, and log in with the browser; return the user's id."""
        user_id = await register(self.auth)
        answer = await self.form("/auth/login", email=EMAIL, password=PASSWORD)
        assert answer.status == 303, answer.body
        return user_id

    async def form(self, path: str, **values: str) -> Answer:
        """Send a form of the browser."""
        return await self.browser.request("POST", path, body=urlencode(values).encode(), headers=FORM)

    async def register_client(self, *uris: str, name: str = "Claude") -> str:
        """Register a client; return its id."""
        answer = await self.program.post(
            "/auth/oauth/register", {"redirect_uris": uris or (LOCAL,), "client_name": name}
        )
        assert answer.status == 201, answer.body
        return str(answer.json["client_id"])

    def asked(self, client_id: str, **changes: str | None) -> str:
        """Return the path of an authorization request."""
        values: dict[str, str | None] = {
            "response_type": "code",
            "client_id": client_id,
            "redirect_uri": LOCAL,
            "code_challenge": CHALLENGE,
            "code_challenge_method": "S256",
            "state": "xyz",
            "resource": f"{ORIGIN}/mcp",
        }
        given = {name: value for name, value in (values | changes).items() if value is not None}
        return f"/auth/authorize?{urlencode(given)}"

    async def page(self, client_id: str, **changes: str | None) -> Answer:
        """Open the consent page."""
        return await self.browser.get(self.asked(client_id, **changes))

    async def decide(self, page: Answer, decision: str = "allow", **changes: str) -> Answer:
        """Answer a consent page."""
        return await self.form("/auth/authorize", **(hidden(page) | {"answer": decision} | changes))

    async def code(self, client_id: str, **changes: str | None) -> str:
        """Let a client in; return its code."""
        answer = await self.decide(await self.page(client_id, **changes))
        return answered(answer)["code"]

    async def token(self, basic: tuple[str, str] | None = None, /, **values: str) -> Answer:
        """Ask for tokens; `basic` is the name and the secret of the client."""
        shown = base64.b64encode(":".join(basic).encode()).decode() if basic is not None else ""
        headers = FORM | ({"authorization": f"Basic {shown}"} if basic is not None else {})
        return await self.program.request("POST", "/auth/oauth/token", body=urlencode(values).encode(), headers=headers)

    async def redeem(self, client_id: str, code: str, **changes: str) -> Answer:
        """Ask for tokens by a code."""
        values = {"grant_type": "authorization_code", "client_id": client_id, "code": code}
        values |= {"code_verifier": VERIFIER, "redirect_uri": LOCAL}
        return await self.token(**(values | changes))

    async def refresh(self, client_id: str, token: str, **changes: str) -> Answer:
        """Ask for tokens by a refresh token."""
        values = {"grant_type": "refresh_token", "client_id": client_id, "refresh_token": token}
        return await self.token(**(values | changes))

    async def connect(self, client_id: str, **changes: str | None) -> dict[str, Any]:
        """Let a client in; return its tokens."""
        answer = await self.redeem(client_id, await self.code(client_id, **changes))
        assert answer.status == 200, answer.body
        tokens: dict[str, Any] = answer.json
        return tokens

    async def use(self, token: str, path: str = "/mcp") -> Answer:
        """Ask the host with a token."""
        return await self.program.get(path, headers={"authorization": f"Bearer {token}"})


def hidden(page: Answer) -> dict[str, str]:
    """Return the hidden fields of a page."""
    assert page.status == 200, (page.status, page.headers, page.body[:500])
    found = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.body.decode())
    return {name: html.unescape(value) for name, value in found}


def answered(answer: Answer) -> Mapping[str, str]:
    """Return what a redirect tells a client."""
    assert answer.status == 303, (answer.status, answer.body[:500])
    return dict(parse_qsl(urlsplit(str(answer.header("location"))).query))
