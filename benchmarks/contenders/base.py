"""What a contender offers: an app that asks who is there, the same app that doesn't ask, and its logins."""

import importlib
import json
from dataclasses import dataclass, field
from typing import Any

SECRET = "kV7-qWm2_zR9tYx4LbN8cPd3sGf6hJa1eUo5iTwQ0r"
PASSWORD = "correct horse battery"
COMMON = [
    (b"host", b"app.example.com"),
    (b"accept", b"*/*"),
    (b"user-agent", b"Mozilla/5.0"),
    (b"accept-language", b"en"),
]
Headers = list[tuple[bytes, bytes]]


@dataclass(frozen=True)
class Request:
    """A request to send in process."""

    method: str
    path: str
    headers: Headers = field(default_factory=list)
    body: bytes = b""
    number: int = 1

    def scope(self) -> dict[str, Any]:
        """A scope as a server makes it; each request has an address of its own, so that no limit is reached."""
        length = [(b"content-length", str(len(self.body)).encode())] if self.body else []
        address = f"10.{self.number >> 16 & 255}.{self.number >> 8 & 255}.{self.number & 255}"
        return {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.3"},
            "http_version": "1.1",
            "method": self.method,
            "scheme": "https",
            "path": self.path,
            "raw_path": self.path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [*COMMON, *self.headers, *length],
            "client": (address, 4711),
            "server": ("app.example.com", 443),
            "state": {},
        }


@dataclass(frozen=True)
class Options:
    """How a contender is to be made."""

    database: str = "sqlite://"
    users: int = 20
    seed: bool = True
    """Whether this process makes the users, or another has."""
    variant: str = ""


class Contender:
    """One way to authenticate. The route `/` wants a login; `kinds` are the ways its requests may come."""

    kinds: tuple[str, ...] = ("bearer",)
    operations: tuple[str, ...] = ("login", "refresh")
    app: Any
    bare: Any

    def __init__(self, options: Options) -> None:
        self.options = options

    async def open(self) -> None:
        """Make the apps, the tables and the users."""
        raise NotImplementedError

    async def close(self) -> None:
        """Let go of everything."""

    async def requests(self, kind: str, count: int) -> list[Request]:
        """Make requests of a kind to the route that wants a login."""
        raise NotImplementedError

    def login(self, number: int) -> Request:
        """Make a login of one of the users."""
        raise NotImplementedError

    def refresh(self, answer: bytes, number: int) -> Request:
        """Make the refresh that follows on an answer."""
        raise NotImplementedError


def json_request(path: str, content: object, number: int = 1) -> Request:
    """A POST of JSON."""
    return Request("POST", path, [(b"content-type", b"application/json")], json.dumps(content).encode(), number)


def parsed(answer: bytes) -> Any:
    """Read an answer of JSON."""
    return json.loads(answer)


def form_request(path: str, content: str, number: int = 1) -> Request:
    """A POST of a form."""
    return Request("POST", path, [(b"content-type", b"application/x-www-form-urlencoded")], content.encode(), number)


def bearer(token: str) -> Headers:
    """The header that shows a token."""
    return [(b"authorization", f"Bearer {token}".encode())]


def email_of(number: int) -> str:
    """The address of a user."""
    return f"user{number}@example.com"


def make(name: str, options: Options) -> Contender:
    """Import a contender by the name of its module; its class is named Contender, too."""
    module = importlib.import_module(f"benchmarks.contenders.{name}")
    made: Contender = module.make(options)
    return made
