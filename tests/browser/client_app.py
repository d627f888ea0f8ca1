"""The app behind the tests of the client for browsers, on two ports, and so of two origins of one site.

It can be told to move its clock, to answer 503, and how often tokens were renewed.
"""

import asyncio
import os
import time
from typing import Any, Literal

import uvicorn
from starlette.applications import Starlette
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route, WebSocketRoute
from starlette.websockets import WebSocket

from asgi_auth import (
    Argon2,
    Auth,
    AuthMiddleware,
    BrowserClient,
    Passkeys,
    Passwords,
    RecoveryCodes,
    SecondFactors,
    Settings,
    Totp,
)
from asgi_auth.errors import UnauthorizedError
from asgi_auth.feature import Event, Feature, Identity, post
from asgi_auth.hosts.starlette import install
from tests.support import SECRET, unlimited

PORT, OTHER = int(os.environ["PORT"]), int(os.environ["OTHER_PORT"])
SPA = f"http://localhost:{OTHER}"
#: No script but those of this origin and of the server; nothing inline.
POLICY = (
    f"default-src 'none'; script-src 'self' http://localhost:{PORT}; connect-src 'self' ws://localhost:{PORT} "
    f"http://localhost:{PORT} http://127.0.0.1:{PORT}; base-uri 'none'; form-action 'none'"
)
PAGE = (
    '<!doctype html><title>App</title><script type="module" src="/app.js"></script>'
    '<p><input autocomplete="username webauthn">'
)
SCRIPT = f"""
import {{ AuthError, createClient }} from "http://localhost:{PORT}/auth/client.js";
globalThis.violations = [];
addEventListener("securitypolicyviolation", (event) => violations.push(event.blockedURI));
Object.assign(globalThis, {{ AuthError, createClient, isReady: true }});
"""


class Probe(Feature):
    """What the tests change and count."""

    observes = {"refresh"}  # noqa: RUF012 (never changed)

    def __init__(self) -> None:
        self.ahead, self.refreshes, self.down, self.seen = 0.0, 0, False, list[str]()

    def now(self) -> float:
        """The time of the server."""
        return time.time() + self.ahead

    async def observe(self, event: Event) -> None:
        """Count."""
        self.refreshes += event.outcome == "success"

    @post("/ban-me", status=204)
    async def ban_me(self, *, identity: Identity) -> None:
        """End the sessions of the caller, as an administrator would."""
        await self.auth.users.set_status(identity.id, "disabled")


probe = Probe()
FEATURES = [Passwords(argon2=Argon2.cheap(), login_after_register=True), *unlimited(mail=False)]
auth = Auth(
    os.environ["AUTH_DATABASE_URL"],
    settings=Settings(
        secret=SECRET,
        base_url=f"http://localhost:{PORT}",
        development=True,
        cors_origins=[SPA],
        trusted_origins=[SPA],
        mount="/auth",
    ),
    features=[*FEATURES, SecondFactors(), Totp(), RecoveryCodes(), Passkeys(sign_up=True), BrowserClient(), probe],
    now=probe.now,
)


async def page(_: Request) -> Response:
    return Response(PAGE, media_type="text/html", headers={"content-security-policy": POLICY})


async def script(_: Request) -> Response:
    return Response(SCRIPT, media_type="text/javascript")


async def told(request: Request) -> Response:
    """Change what the probe has, and return it."""
    for name, value in (await request.json() if request.method == "POST" else {}).items():
        setattr(probe, name, value)
    return JSONResponse({"refreshes": probe.refreshes, "seen": probe.seen, "ahead": probe.ahead})


async def notes(request: Request) -> Response:
    """The API of the host: who asks, and what was sent."""
    probe.seen.append(request.method)
    if not request.user.is_authenticated:
        raise request.user.error or UnauthorizedError()
    return JSONResponse({"id": request.user.id, "body": (await request.body()).decode()})


async def own(_: Request) -> Response:
    """A refusal of the host that has nothing to do with the library."""
    probe.seen.append("own")
    return PlainTextResponse("no key for the weather", 401)


async def refused(_: Request) -> Response:
    """A refusal of the host, in the words of the library."""
    probe.seen.append("refused")
    raise UnauthorizedError


async def chat(socket: WebSocket) -> None:
    await socket.accept("chat" if "chat" in socket.scope["subprotocols"] else None)
    await socket.send_text(socket.scope["user"].id or "nobody")
    await socket.close()


ROUTES = [
    Route("/", page),
    Route("/app.js", script),
    Route("/probe", told, methods=["GET", "POST"]),
    Route("/notes", notes, methods=["GET", "POST"]),
    Route("/own", own),
    Route("/refused", refused),
    WebSocketRoute("/chat", chat),
]
host = Starlette(routes=ROUTES)
install(host)
inner = AuthMiddleware(host, auth, mount="/auth")


async def switched(scope: Any, receive: Any, send: Any) -> None:
    """The app, or 503 for everything but the probe."""
    if scope["type"] == "http" and probe.down and scope["path"] != "/probe":
        await PlainTextResponse("away", 503, headers={"retry-after": "7"})(scope, receive, send)
    else:
        await inner(scope, receive, send)


app = CORSMiddleware(switched, allow_origins=[SPA], allow_methods=["*"], allow_headers=["*"], allow_credentials=True)


class Server(uvicorn.Server):
    """A server whose signals are handled by the other one as well."""

    async def shutdown(self, sockets: Any = None) -> None:
        """Stop both."""
        for each in servers:
            each.should_exit = True
        await super().shutdown(sockets)


servers: list[Server] = []


async def main() -> None:
    """Serve on both ports; the first one has the lifespan."""
    for port in (PORT, OTHER):
        lifespan: Literal["on", "off"] = "on" if port == PORT else "off"
        config = uvicorn.Config(app, port=port, host="127.0.0.1", lifespan=lifespan, log_level="warning")
        servers.append(Server(config))
    await asyncio.gather(*(each.serve() for each in servers))


if __name__ == "__main__":
    asyncio.run(main())
