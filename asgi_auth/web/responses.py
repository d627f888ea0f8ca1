"""Responses: the same headers on every one, and errors as problem+json (RFC 9457)."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Iterable, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send

from asgi_auth.auth import Auth
from asgi_auth.errors import AuthError
from asgi_auth.model.answers import Download, TextFile
from asgi_auth.model.stored import Stored, StoredPages
from asgi_auth.runtime.event_loop import runs_asyncio

WEBSOCKET_UNAUTHORIZED = 4401
HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
}
#: The same as ASGI sends them.
ENCODED = [(name.encode(), value.encode()) for name, value in HEADERS.items()]
#: The key of a scope for the `Auth` of the middleware that has authenticated the request.
BY = "asgi_auth.by"
#: The key of a scope for the scope that the middleware was called with: hosts change paths in theirs.
OUTER = "asgi_auth.outer"
#: The key of a scope for the errors with which guards have refused a websocket, where the framework closes it.
REFUSALS = "asgi_auth.refusals"
HSTS = "max-age=31536000; includeSubDomains"


class WholeResponse(Response):
    """A response whose body is complete in one message."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002 (the signature of ASGI)
        """Send the response, for a refused websocket as well."""
        kind = "websocket.http.response" if scope["type"] == "websocket" else "http.response"
        await send({"type": f"{kind}.start", "status": self.status_code, "headers": self.raw_headers})
        # ASGI makes `more_body` optional, and Quart's test client requires it.
        await send({"type": f"{kind}.body", "body": self.body, "more_body": False})
        if scope["type"] == "websocket" and runs_asyncio():
            # uvicorn logs an error if the app returns before the connection is closed, in the next turn of the loop.
            await asyncio.sleep(0)


def answer(status: int, content: Any = None, media_type: str = "application/json") -> Response:
    """Make a response; None makes one without a body."""
    if isinstance(content, StoredPages):
        return StreamedResponse(status, _json_of(content), "application/json")
    if isinstance(content, Download):
        return StreamedResponse(status, content.parts, content.media_type)
    if isinstance(content, TextFile):
        return WholeResponse(content.text, status, HEADERS, content.media_type)
    body = b"" if content is None else msgspec.json.encode(content)
    response = WholeResponse(body, status, None, None if content is None else media_type)
    response.raw_headers[:0] = ENCODED
    return response


def add_headers(response: Response, headers: Iterable[tuple[bytes, bytes]]) -> None:
    """Add headers to a response. All but cookies replace those of the same name."""
    for name, value in headers:
        if name == b"set-cookie":
            response.raw_headers.append((name, value))
        else:
            response.headers[name.decode("latin-1")] = value.decode("latin-1")


class StreamedResponse(StreamingResponse):
    """An export, one part after another: a part is all that is in memory."""

    def __init__(self, status: int, parts: AsyncIterator[bytes], media_type: str) -> None:
        """Take the status and the parts of the body."""
        super().__init__(parts, status, HEADERS, media_type)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the response; the headers only for HEAD."""
        if scope["method"] == "HEAD":
            await Response(b"", self.status_code, dict(self.headers))(scope, receive, send)
        else:
            await super().__call__(scope, receive, send)


async def _json_of(content: StoredPages) -> AsyncIterator[bytes]:
    whole = {name: getattr(content, name) for name in Stored.__struct_fields__}
    # The events are the last member.
    yield msgspec.json.encode(whole)[: -len(b"]}")]
    separator = b""
    async for page in content.pages:
        yield separator + msgspec.json.encode(page)[1:-1]
        separator = b","
    yield b"]}"


def problem(error: AuthError, scope: Any = None) -> Response:
    """Make the response to an error: a problem document (RFC 9457), an ASGI app that a host can send as well.

    With `Pages` and the ASGI `scope` of the request, of any type, a browser that visits a page is redirected to the
    page that helps, such as the login page, or gets a page with the error.
    """
    auth = scope.get(BY) if scope is not None else None
    leads = auth.leads if isinstance(auth, Auth) else None
    led: Response | None = leads(error, scope) if leads is not None else None
    return problem_document(error) if led is None else led


def problem_document(error: AuthError) -> Response:
    """Make the problem document of an error (RFC 9457)."""
    response = answer(error.status, problem_content(error), "application/problem+json")
    for name, value in error.headers:
        response.headers.append(name, value)
    return response


def problem_content(error: AuthError) -> dict[str, Any]:
    """Return the members of a problem document (RFC 9457, section 3)."""
    content = {
        "type": "about:blank",
        "title": HTTPStatus(error.status).phrase,
        "status": error.status,
        "code": error.code,
        "detail": error.detail,
    }
    return content | error.members()


def oauth2_problem(error: AuthError) -> Response:
    """Make the response of the OAuth 2 token endpoint to an error (RFC 6749, section 5.2)."""
    response = answer(oauth2_status(type(error)), oauth2_content(error))
    for name, value in error.headers:
        if name != "www-authenticate" or error.of_program:
            response.headers.append(name, value)
    return response


def oauth2_content(error: AuthError) -> dict[str, Any]:
    """Return the members of an OAuth 2 error: those of RFC 6749, and those of a pending login."""
    return {"error": error.oauth2, "error_description": error.detail, **error.oauth2_members()}


def oauth2_status(kind: type[AuthError]) -> int:
    """Return the status of an error in the form of RFC 6749: 401 is for programs, and other refusals are 400."""
    refused = kind.status in {401, 403, 422} and not kind.of_program
    return 400 if refused else kind.status


def cacheable(response: Response, known: Sequence[str], max_age: int = 0) -> Response:
    """Let caches keep a response, and revalidate it by its ETag (RFC 9110, 13.1.2) after `max_age` seconds.

    `known` are the values of If-None-Match.
    """
    etag = f'"{hashlib.sha256(response.body).hexdigest()[:32]}"'
    tags = {tag.strip().removeprefix("W/") for tag in ",".join(known).split(",")}
    if tags & {etag, "*"}:
        response = answer(304)
    response.headers["etag"] = etag
    response.headers["cache-control"] = f"public, max-age={max_age}" if max_age else "no-cache"
    return response


async def send_error(error: AuthError, scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a request, or a websocket before it is accepted: by a response if the server can, else by close 4401."""
    if scope["type"] == "websocket":
        await receive()
    await send_late_error(error, scope, receive, send)


async def send_late_error(error: AuthError, scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a request or websocket in the same way after the app has begun to receive."""
    if scope["type"] == "websocket" and "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": WEBSOCKET_UNAUTHORIZED, "reason": error.code})
    else:
        await problem(error, scope)(scope, receive, send)
