"""HTTP as a plain ASGI app reads and writes it: a request, a response, and the errors of OAuth 2."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

from starlette.types import Receive, Scope, Send

#: The maximum size of a request's body, in bytes.
MOST = 64 * 1024
JSON = "application/json"
FORM = "application/x-www-form-urlencoded"


class RefusedError(Exception):
    """A request that a provider refuses. `code` is an error of OAuth 2 (RFC 6749, 4.1.2.1 and 5.2)."""

    def __init__(self, code: str, description: str = "", *, status: int = 400) -> None:
        super().__init__(f"{code}: {description}")
        self.code = code
        self.description = description
        self.status = status

    @property
    def members(self) -> dict[str, str]:
        """The members of the JSON object, or the parameters of the redirect."""
        return {"error": self.code} | ({"error_description": self.description} if self.description else {})


@dataclass(frozen=True)
class Request:
    """A request: names of headers are in lower case, and a name has one value."""

    method: str
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    form: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def bearer(self) -> str:
        """The bearer token (RFC 6750, 2.1), or an empty text."""
        scheme, _, token = self.headers.get("authorization", "").partition(" ")
        return token if scheme.lower() in {"bearer", "token"} else ""


@dataclass(frozen=True)
class Response:
    """A response."""

    status: int = 200
    body: bytes = b""
    headers: Sequence[tuple[str, str]] = ()

    @property
    def json(self) -> Any:
        """The value in the body."""
        return json.loads(self.body)

    @property
    def location(self) -> str:
        """The URL that a redirect names, or an empty text."""
        return next((value for name, value in self.headers if name == "location"), "")


def get(url: str, headers: Mapping[str, str] | None = None) -> Request:
    """Return the request that reads a URL."""
    parts = urlsplit(url)
    return Request("GET", parts.path, single(parts.query), headers=headers or {})


def post(url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Request:
    """Return the request that sends a form to a URL."""
    parts = urlsplit(url)
    return Request("POST", parts.path, single(parts.query), form, headers or {})


def single(text: str) -> dict[str, str]:
    """Read parameters. Raises RefusedError when a name stands twice (RFC 6749, 3.1)."""
    pairs = parse_qsl(text, keep_blank_values=True)
    found = dict(pairs)
    if len(found) != len(pairs):
        raise RefusedError("invalid_request", "a parameter stands twice")
    return found


async def read(scope: Scope, receive: Receive) -> Request:
    """Read a request. Raises RefusedError for one that is too large, or not a form."""
    body = b""
    more = True
    while more and len(body) <= MOST:
        message = await receive()
        body += message.get("body", b"")
        more = message.get("more_body", False)
    if len(body) > MOST:
        raise RefusedError("invalid_request", "the body is too large", status=413)
    headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
    if body and headers.get("content-type", "").partition(";")[0].strip() != FORM:
        raise RefusedError("invalid_request", "the body is not a form", status=415)
    query = single(scope["query_string"].decode("latin-1"))
    return Request(scope["method"], scope["path"], query, single(body.decode("latin-1")), headers)


async def write(send: Send, response: Response) -> None:
    """Send a response."""
    headers = [*response.headers, ("content-length", str(len(response.body))), ("cache-control", "no-store")]
    raw = [(name.encode(), value.encode("latin-1")) for name, value in headers]
    await send({"type": "http.response.start", "status": response.status, "headers": raw})
    await send({"type": "http.response.body", "body": response.body})


def as_json(value: Any, status: int = 200) -> Response:
    """Return a response with JSON."""
    return Response(status, json.dumps(value).encode(), [("content-type", JSON)])


def as_html(text: str) -> Response:
    """Return a response with a page."""
    page = f"<!doctype html><html lang=en><meta charset=utf-8><title>Provider</title>{text}"
    return Response(200, page.encode(), [("content-type", "text/html; charset=utf-8")])


def redirect(url: str, parameters: Mapping[str, str]) -> Response:
    """Return a redirect with parameters in the query."""
    return Response(303, b"", [("location", f"{url}{'&' if '?' in url else '?'}{urlencode(parameters)}")])


def hidden(parameters: Mapping[str, str]) -> str:
    """Return the hidden fields of a form."""
    return "".join(
        f'<input type="hidden" name="{escape(name)}" value="{escape(value)}">' for name, value in parameters.items()
    )
