"""Answers of ours: the same headers on every one, errors as problem+json (RFC 9457), and the path we were asked for."""

import hashlib
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

import msgspec
from starlette.responses import Response
from starlette.types import Message, Receive, Scope, Send

from asgi_auth.errors import AuthError
from asgi_auth.settings import Settings

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})
WEBSOCKET_UNAUTHORIZED = 4401
HEADERS = {
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "content-security-policy": "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
    "cross-origin-resource-policy": "same-origin",
}
HSTS = "max-age=31536000; includeSubDomains"


class Answer(Response):
    """A response that says that its body is whole, which ASGI leaves open and Quart's test client wants to hear."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it."""

        async def whole(message: Message) -> None:
            await send({"more_body": False, **message} if message["type"].endswith("response.body") else message)

        await super().__call__(scope, receive, whole)


def answer(status: int, content: Any = None, media_type: str = "application/json") -> Response:
    """Make an answer; None is an answer without a body."""
    body = b"" if content is None else msgspec.json.encode(content)
    return Answer(body, status, HEADERS, None if content is None else media_type)


def problem(error: AuthError) -> Response:
    """Make the answer to an error (RFC 9457): an ASGI app that hosts can send, too."""
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
    """Make the answer of the OAuth 2 token endpoint to an error (RFC 6749, section 5.2)."""
    response = answer(oauth2_status(error.status), oauth2_content(error))
    for name, value in error.headers:
        if name != "www-authenticate":
            response.headers.append(name, value)
    return response


def oauth2_content(error: AuthError) -> dict[str, Any]:
    """Return the members of an OAuth 2 error; RFC 6749 knows no others."""
    return {"error": error.oauth2, "error_description": error.detail}


def oauth2_status(status: int) -> int:
    """The status by which the OAuth 2 token endpoint answers an error that has this one elsewhere."""
    return 400 if status in {401, 403, 422} else status


def cacheable(response: Response, known: Sequence[str]) -> Response:
    """Let caches keep an answer, and ask by its ETag whether it is still the same (RFC 9110, 13.1.2).

    `known` are the values of If-None-Match.
    """
    etag = f'"{hashlib.sha256(response.body).hexdigest()[:32]}"'
    tags = {tag.strip().removeprefix("W/") for tag in ",".join(known).split(",")}
    if tags & {etag, "*"}:
        response = answer(304)
    response.headers["etag"] = etag
    response.headers["cache-control"] = "no-cache"
    return response


async def refuse(error: AuthError, scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse a request, or a websocket before it is accepted: by an answer if the server can, else by close 4401."""
    if scope["type"] == "websocket":
        await receive()
    await deny(error, scope, receive, send)


async def deny(error: AuthError, scope: Scope, receive: Receive, send: Send) -> None:
    """Refuse likewise what an app has begun to receive; servers don't mind when it hasn't."""
    if scope["type"] == "websocket" and "websocket.http.response" not in (scope.get("extensions") or {}):
        await send({"type": "websocket.close", "code": WEBSOCKET_UNAUTHORIZED, "reason": error.code})
    else:
        await problem(error)(scope, receive, send)


def route_path(scope: Scope) -> str | None:
    """Find the path below our mount: always with a slash before it and none behind; None when it isn't ours.

    Hosts and servers differ in what they put into `path` and `root_path`; the cases stand in the tests.
    """
    path = scope["path"] or "/"
    root = (scope.get("root_path") or "").rstrip("/")
    relative = _below(path, root)
    outer = (scope.get("app_root_path") or "").rstrip("/")
    if relative is None and outer and root.startswith(outer + "/"):
        # The server's root_path does not stand in the path: only what the mounts have added does.
        relative = _below(path, root[len(outer) :])
    if relative is None:
        relative = path
    if relative and not relative.startswith("/"):
        return None
    return relative.rstrip("/") or "/"


def own_url(scope: Scope, path: str, settings: Settings) -> str:
    """The URL of our mount: by `base_url`; without one its path alone, from a request for a `path` below it."""
    if settings.base_url is not None:
        return settings.base_url.rstrip("/") + settings.mount
    root = (scope.get("root_path") or "").rstrip("/")
    mount = (scope["path"] or "").rstrip("/").removesuffix(path)
    # Some hosts put the mount into both, and some servers the root_path into the first only.
    return quote((mount if mount.startswith(root) else root if root.endswith(mount) else root + mount) or "/")


def _below(path: str, prefix: str) -> str | None:
    """Cut the prefix off, if it ends where a segment ends."""
    if prefix and (path == prefix or path.startswith(prefix + "/")):
        return path[len(prefix) :]
    return None
