"""Paths at the root of the host, where standards want them (RFC 8615)."""

from collections.abc import Mapping

from asgi_auth.model.records import Record

#: What every such path begins with.
WELL_KNOWN = "/.well-known/"


class RootPath(Record, frozen=True):
    """The endpoint, by name, that a path at the root of the host leads to, and the values of fields there."""

    endpoint: str
    values: Mapping[str, str] = {}
