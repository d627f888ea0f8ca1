"""The query of a page's URL."""

from collections.abc import Collection

from starlette.types import Scope

from asgi_auth.errors import BadRequestError
from asgi_auth.web.percent import decode_part

#: The parameters that the pages read. Mail gateways, trackers and proxies add others, which are ignored.
NAMES = frozenset({b"token", b"request", b"code", b"next", b"said", b"_method"})


def query_of(scope: Scope) -> dict[str, str]:
    """Return the parameters that all pages read. One with two different values, or not in UTF-8, is left out."""
    return {name: text for name, text in _read(scope, NAMES).items() if text is not None}


def fields_of(scope: Scope, names: Collection[str]) -> dict[str, str]:
    """Return the parameters that the endpoint of a page reads; an empty text for one that is not sent.

    Raises BadRequestError for one with two different values, or not in UTF-8: the endpoint refuses it as well, and
    without it a request means something else, such as more scopes (RFC 6749, 3.1).
    """
    found = _read(scope, [name.encode() for name in names])
    if any(text is None for text in found.values()):
        raise BadRequestError("The query of the URL is not valid.")
    return {name: found.get(name) or "" for name in names}


def _read(scope: Scope, names: Collection[bytes]) -> dict[str, str | None]:
    found: dict[bytes, set[bytes]] = {}
    for part in scope["query_string"].split(b"&"):
        raw, _, value = part.partition(b"=")
        name = _decoded(raw)
        if name in names:
            found.setdefault(name, set()).add(_decoded(value))
    return {name.decode(): _only(values) for name, values in found.items()}


def _decoded(part: bytes) -> bytes:
    """Decode a part; one with an invalid percent-encoding stays as it is."""
    try:
        return decode_part(part)
    except ValueError:
        return part


def _only(values: set[bytes]) -> str | None:
    """Return the text of the only value; None for several values, and for one that is not UTF-8."""
    if len(values) > 1:
        return None
    try:
        return values.pop().decode()
    except UnicodeDecodeError:
        return None
