"""Calls of tools by clients of the Model Context Protocol, judged before the host sees them."""

from collections.abc import Iterator
from typing import Any

import msgspec
from starlette.types import Message, Receive, Scope

from asgi_auth.errors import BadRequestError
from asgi_auth.sessions.identity import Identity
from asgi_auth.sessions.resources import ProtectedResource
from asgi_auth.settings import Settings
from asgi_auth.web.body import read_body
from asgi_auth.web.headers import headers

#: The method of JSON-RPC that calls a tool, and the header that repeats the tool's name (MCP 2026-07-28).
CALL, NAME = "tools/call", b"mcp-name"


async def admit_calls(
    resource: ProtectedResource, identity: Identity, scope: Scope, receive: Receive, settings: Settings
) -> Receive:
    """Require the scopes of the tools that a request calls; return a `receive` that gives its body again.

    Raises InsufficientScopeError with all scopes of the calls, and BadRequestError for a body that is not JSON: the
    host may read more encodings than this function does. The messages of a websocket are not judged one by one: it
    needs the scopes of all tools.
    """
    if scope["type"] == "websocket":
        identity.require(scopes={name for scopes in resource.calls.values() for name in scopes})
    if scope["type"] != "http" or scope["method"] != "POST":
        return receive
    body = await read_body(scope, receive, settings.max_body, settings.body_timeout)
    named = headers(scope, NAME)
    wanted: set[str] = set()
    for name in _tools(body):
        if named and named != [name]:
            raise BadRequestError("The header Mcp-Name and the body differ.")
        wanted.update(resource.calls.get(name, ()))
    if wanted:
        identity.require(scopes=wanted)
    return _again(body, receive)


def _tools(body: bytes) -> Iterator[str]:
    try:
        found = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise BadRequestError("The body is not JSON.") from None
    for item in found if isinstance(found, list) else [found]:
        if isinstance(item, dict) and item.get("method") == CALL:
            params: Any = item.get("params")
            yield str(params.get("name", "")) if isinstance(params, dict) else ""


def _again(body: bytes, receive: Receive) -> Receive:
    sent = False

    async def again() -> Message:
        nonlocal sent
        if sent:
            return await receive()
        sent = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again
