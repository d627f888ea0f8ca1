"""What many tests share: a clock that is moved by hand, an `Auth` with cheap hashes, and a client in process."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from starlette.types import ASGIApp, Message, Scope

from asgi_auth import Argon2, Auth, Lockout, Passwords, RateLimits, Settings
from asgi_auth.crypto.argon2 import PasswordHasher
from asgi_auth.feature import Feature
from asgi_auth.feature.base import BaseFeature
from asgi_auth.features.defaults import defaults
from asgi_auth.limits.counters import Counters
from asgi_auth.model.answers import TokenPair
from asgi_auth.sessions.service import HostClaims
from asgi_auth.storage import Storage
from asgi_auth.storage.sqlite import SQLite
from tests.openapi.walk import is_described

SECRET = "kV7-qWm2_zR9tYx4LbN8cPd3sGf6hJa1eUo5iTwQ0r"
INSTALLATION = "0123456789abcdef0123456789abcdef"
PASSWORD = "correct horse battery"
EMAIL = "ada@example.com"
ORIGIN = "https://app.example.com"


class Clock:
    """A clock that stands still until it is moved."""

    def __init__(self, at: float = 1_800_000_000) -> None:
        self.at = at

    def __call__(self) -> float:
        return self.at

    def move(self, seconds: float) -> None:
        self.at += seconds


def make_auth(
    storage: str | Storage = "sqlite://",
    *,
    clock: Clock | None = None,
    features: Sequence[BaseFeature] | None = None,
    passwords: dict[str, Any] | None = None,
    mailer: Any = None,
    counters: Counters | None = None,
    claims: HostClaims | None = None,
    **settings: Any,
) -> Auth:
    """An `Auth` with the cheapest hashes, and the flows by mail if there is a mailer; more `settings` by keyword.

    Accounts begin at once (`enumeration="tell"`), and nothing is purged by itself, unless a test asks for
    what is the default.
    Without RateLimits and Lockout, as tests log in often: those that are about them name their `features`.
    """
    settings.setdefault("base_url", ORIGIN)
    settings.setdefault("enumeration", "tell")
    settings.setdefault("purge_interval", 0)
    if features is None:
        features = [Passwords(argon2=Argon2.cheap(), **passwords or {}), *unlimited(mail=mailer is not None)]
    made = Settings(secret=SECRET, **settings)
    auth = Auth(
        storage,
        settings=made,
        features=features,
        claims=claims,
        mailer=mailer,
        counters=counters,
        now=clock or time.time,
    )
    auth.mail.pause = 0
    return auth


def cheap(*, mail: bool = False) -> list[Feature]:
    """The default features without the limits, and with the cheapest hashes."""
    return [Passwords(argon2=Argon2.cheap()), *unlimited(mail=mail)]


def unlimited(*, mail: bool) -> list[Feature]:
    """The default features but Passwords and the limits."""
    return [item for item in defaults(mail=mail) if not isinstance(item, Passwords | RateLimits | Lockout)]


async def register(auth: Auth, email: str = EMAIL, password: str = PASSWORD) -> str:
    """Register in process; return the user's id."""
    answer = await auth[Passwords].register(email=email, password=password)
    return answer.user_id


async def login(auth: Auth, email: str = EMAIL, password: str = PASSWORD) -> TokenPair:
    """Log in, in process."""
    return await auth[Passwords].login(email=email, password=password)


@dataclass
class Answer:
    """An answer: status, headers as pairs of text, body."""

    status: int
    headers: list[tuple[str, str]]
    body: bytes

    @property
    def json(self) -> Any:
        return json.loads(self.body)

    def header(self, name: str) -> str | None:
        return next((value for key, value in self.headers if key == name), None)

    def all(self, name: str) -> list[str]:
        return [value for key, value in self.headers if key == name]

    @property
    def cookies(self) -> dict[str, str]:
        pairs = [line.partition(";")[0].partition("=") for line in self.all("set-cookie")]
        return {name: value for name, _, value in pairs}


@dataclass
class Client:
    """Calls an ASGI app in process. `headers` go with every request; cookies are kept like a browser does."""

    app: ASGIApp
    headers: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    keep_cookies: bool = False

    async def request(
        self,
        method: str,
        path: str,
        *,
        json_body: Any = None,
        body: bytes | None = None,
        headers: dict[str, str] | list[tuple[str, str]] | None = None,
        scope: dict[str, Any] | None = None,
    ) -> Answer:
        pairs = [*self.headers.items(), *(headers.items() if isinstance(headers, dict) else headers or [])]
        if json_body is not None:
            body = json.dumps(json_body).encode()
            pairs.append(("content-type", "application/json"))
        if self.cookies:
            pairs.append(("cookie", "; ".join(f"{name}={value}" for name, value in self.cookies.items())))
        answer = await call(self.app, http_scope(method, path, pairs, **scope or {}), body or b"")
        if "root_path" not in (scope or {}):  # Behind one the path may be the host's.
            is_described(self.app, method, path, answer)
        if self.keep_cookies:
            self.cookies |= answer.cookies
            self.cookies = {name: value for name, value in self.cookies.items() if value}
        return answer

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.request("GET", path, **options)

    async def post(self, path: str, json_body: Any = None, **options: Any) -> Answer:
        return await self.request("POST", path, json_body=json_body, **options)


def http_scope(method: str, path: str, headers: Sequence[tuple[str, str]] = (), **more: Any) -> Scope:
    """A scope as a server makes it."""
    path, _, query = path.partition("?")
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": method,
        "scheme": "https",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode("latin-1"),
        "root_path": "",
        "headers": [(b"host", b"app.example.com"), *((k.lower().encode(), v.encode("latin-1")) for k, v in headers)],
        "client": ("192.0.2.7", 4711),
        "server": ("app.example.com", 443),
        **more,
    }


async def call(app: ASGIApp, scope: Scope, body: bytes = b"") -> Answer:
    """Send one request through an app; wait for a disconnect only when the answer is complete."""
    sent: list[Message] = []
    incoming: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    done = asyncio.Event()

    async def receive() -> Message:
        if incoming:
            return incoming.pop()
        await done.wait()
        return {"type": "http.disconnect"}

    async def send(message: Message) -> None:
        sent.append(message)
        if message["type"] == "http.response.body" and not message.get("more_body"):
            done.set()

    await app(scope, receive, send)
    start = next(message for message in sent if message["type"] == "http.response.start")
    pairs = [(key.decode().lower(), value.decode("latin-1")) for key, value in start["headers"]]
    return Answer(
        start["status"], pairs, b"".join(m.get("body", b"") for m in sent if m["type"] == "http.response.body")
    )


def bearer(pair: TokenPair | str) -> dict[str, str]:
    """The header that shows an access token."""
    return {"authorization": f"Bearer {pair if isinstance(pair, str) else pair.access_token}"}


async def change_password(client: Client, pair: TokenPair, new: str, current: str = PASSWORD) -> Answer:
    """Change the password over HTTP."""
    body = {"current_password": current, "new_password": new}
    return await client.post("/auth/change-password", body, headers=bearer(pair))


async def who(scope: Scope, _receive: Any, send: Any) -> None:
    """A host that answers who is asking."""
    user = scope["user"]
    content = {
        "id": user.id,
        "roles": list(user.roles),
        "transport": user.transport,
        "error": getattr(user.error, "code", None),
    }
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-type", b"application/json")]})
    await send({"type": "http.response.body", "body": json.dumps(content).encode()})


class CountingStorage(SQLite):
    """SQLite that counts the statements; `before` is awaited before each, to let something else go first."""

    def __init__(self, path: str = ":memory:") -> None:
        super().__init__(path)
        self.statements: list[str] = []
        self.before: Callable[[str], Awaitable[None]] | None = None

    async def run(
        self, statement: str, values: Mapping[str, Any], *, read: bool = False
    ) -> Sequence[Mapping[str, Any]]:
        self.statements.append(statement)
        if self.before is not None:
            await self.before(statement)
        return await super().run(statement, values, read=read)


class CountingHasher(PasswordHasher):
    """A hasher that counts what it does, and can let something happen after a password was verified."""

    def __init__(self) -> None:
        super().__init__(Argon2.cheap())
        self.verified: list[str | None] = []
        self.hashed = 0
        self.after_verify: Callable[[], Awaitable[None]] | None = None

    async def hash(self, password: str) -> str:
        self.hashed += 1
        return await super().hash(password)

    async def verify(self, hashed: str | None, password: str) -> bool:
        fits = await super().verify(hashed, password)
        self.verified.append(hashed)
        after, self.after_verify = self.after_verify, None
        if after is not None:
            await after()
        return fits
