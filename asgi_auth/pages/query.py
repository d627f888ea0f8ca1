"""The query of a page's URL."""

from collections.abc import Collection

from starlette.types import Scope

from asgi_auth.web.percent import decode_part

#: The parameters that the pages read. Mail gateways, trackers and proxies add others, which are ignored.
NAMES = frozenset({b"token", b"request", b"code", b"next", b"said", b"_method"})


def query_of(scope: Scope, names: Collection[bytes] = NAMES) -> dict[str, str]:
    """Return the parameters of the pages. One with two different values, or not in UTF-8, is left out."""
    found: dict[bytes, set[bytes]] = {}
    for part in scope["query_string"].split(b"&"):
        raw, _, value = part.partition(b"=")
        name = _decoded(raw)
        if name in names:
            found.setdefault(name, set()).add(_decoded(value))
    return {name.decode(): text for name, values in found.items() if (text := _only(values)) is not None}


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
