"""Bodies and queries: one strict reader. What two parsers could read differently is refused (ASVS 1.5.3, 15.3.7)."""

import asyncio
import json
import math
import re
from collections.abc import Iterable
from typing import Any, NoReturn

from starlette.types import Receive, Scope

from asgi_auth._begun import Begun
from asgi_auth.errors import BadRequestError, BodyTooLargeError, RequestTimeoutError, UnsupportedMediaTypeError
from asgi_auth.web.headers import headers
from asgi_auth.web.percent import pairs_of

MAX_DEPTH = 16
MAX_VALUES = 1000
MAX_FIELDS = 100
INT64 = 2**63
JSON_TYPE = "application/json"
#: The spellings of UTF-8 that clients send, among them the labels of the Encoding Standard (4.2).
UTF_8 = re.compile(r"(?:unicode-1-1-utf-|unicode[12][01]utf|x-unicode20utf|utf[-_ ]?)8")
#: A parameter of a media type (RFC 9110, section 5.6.6). A quoted value may hold a semicolon.
PARAMETER = re.compile(r""";\s*([^=;\s]*)\s*(?:=\s*("(?:[^"\\]|\\.)*"|[^;]*))?""")
#: The longest content type, in characters.
MAX_TYPE = 1024


class ClientDisconnectedError(Exception):
    """The client has disconnected; no response can be sent."""


async def read_body(scope: Scope, receive: Receive, limit: int, seconds: float) -> bytes:
    """Read a whole body of at most `limit` bytes, within `seconds`.

    Raises BodyTooLargeError (by Content-Length before a byte is read), RequestTimeoutError, ClientDisconnectedError,
    and BadRequestError when Content-Length is not a number.
    """
    for value in headers(scope, b"content-length"):
        if not (value.isascii() and value.isdigit()):
            raise BadRequestError("The header content-length is not a number.")
        if int(value[:20]) > limit:
            raise BodyTooLargeError
    # Other event loops, such as trio's, are refused, also where the body needs no timer.
    asyncio.get_running_loop()
    # Most bodies have arrived with the headers.
    reading = Begun(_whole_body(receive, limit))
    if reading.is_done:
        return await reading
    try:
        async with asyncio.timeout(seconds):
            return await reading
    except TimeoutError:
        raise RequestTimeoutError from None


async def _whole_body(receive: Receive, limit: int) -> bytes:
    body = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnectedError
        body += message.get("body", b"")
        if len(body) > limit:
            raise BodyTooLargeError
        if not message.get("more_body"):
            return bytes(body)


def parse_body(scope: Scope, body: bytes, expected: str) -> dict[str, Any]:
    """Parse a body of the content type `expected`. An empty body has no fields."""
    if not body:
        # Clients set headers for every request, also for one that needs no field.
        return {}
    if headers(scope, b"content-encoding"):
        raise UnsupportedMediaTypeError("Content encodings are not supported.")
    types = headers(scope, b"content-type")
    if types != [expected] and (len(types) != 1 or _media_type(types[0]) != expected):
        raise UnsupportedMediaTypeError(f"Send this request as {expected}, in UTF-8.")
    return parse_json(body) if expected == JSON_TYPE else parse_form(body)


def parse_json(body: bytes) -> dict[str, Any]:
    """Parse a JSON object (RFC 8259) in UTF-8: unique names, no NaN, limited depth, 64-bit integers."""
    try:
        value = DECODER.decode(body.decode("utf-8", "strict"))
        _check_limits(value)
    except (ValueError, RecursionError):
        raise BadRequestError("The body is not valid JSON.") from None
    if not isinstance(value, dict):
        raise BadRequestError("The body must be a JSON object.")
    return value


def parse_form(body: bytes) -> dict[str, Any]:
    """Parse a form (URL Standard, 5.1) in UTF-8, with unique names."""
    try:
        # Some clients end a form with a separator.
        return _unique(pairs_of(body.removesuffix(b"&"), MAX_FIELDS))
    except ValueError:
        raise BadRequestError("The body is not a valid form.") from None


def parse_query(query: bytes) -> dict[str, str]:
    """Parse the query of a URL (URL Standard, 5.1) in UTF-8, with unique names."""
    try:
        return _unique(pairs_of(query.removesuffix(b"&"), MAX_FIELDS))
    except ValueError:
        raise BadRequestError("The query of the URL is not valid.") from None


def _media_type(value: str) -> str | None:
    """Return the media type; None when its charset is not UTF-8. Other parameters mean nothing here (RFC 8259)."""
    media_type, _, parameters = value.lower().partition(";")
    if len(value) > MAX_TYPE:
        return None
    charsets = [text.strip(" \t\"'") for name, text in PARAMETER.findall(";" + parameters) if name == "charset"]
    return media_type.strip() if all(UTF_8.fullmatch(charset) for charset in charsets) else None


def _unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for name, value in pairs:
        if name in found:
            raise ValueError("a name occurs twice")
        found[name] = value
    return found


def _refuse(_: str) -> NoReturn:
    raise ValueError("not a number")


DECODER = json.JSONDecoder(object_pairs_hook=_unique, parse_constant=_refuse)


def _check_limits(value: object) -> None:
    """Refuse too many levels or values, and numbers out of range; a lone surrogate raises UnicodeEncodeError."""
    pending, count = [(value, 1)], 0
    while pending:
        item, depth = pending.pop()
        children = [*item, *item.values()] if isinstance(item, dict) else item if isinstance(item, list) else ()
        count += len(children)
        if depth > MAX_DEPTH or count > MAX_VALUES:
            raise BadRequestError("The body is nested too deeply, or has too many values.")
        if (isinstance(item, int) and not -INT64 <= item < INT64) or (isinstance(item, float) and math.isinf(item)):
            raise BadRequestError("A number in the body is too large.")
        if isinstance(item, str):
            item.encode()
        pending += [(child, depth + 1) for child in children]
