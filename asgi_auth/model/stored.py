"""The export of everything that is stored about a user."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec

from asgi_auth.model.records import Record, User


class Stored(Record, frozen=True, kw_only=True):
    """All stored data about a user, without secrets and digests."""

    user: User
    credentials: list[dict[str, Any]]
    sessions: list[dict[str, Any]]
    tokens: list[dict[str, Any]]
    #: What features store in tables of their own, by the name of their class.
    features: dict[str, Any] = msgspec.field(default_factory=dict)
    events: list[dict[str, Any]] = msgspec.field(default_factory=list)

    def paged(self, pages: AsyncIterator[list[dict[str, Any]]]) -> "StoredPages":
        """Return the same with pages of events."""
        return StoredPages(pages=pages, **{name: getattr(self, name) for name in Stored.__struct_fields__})


class StoredPages(Stored, frozen=True, kw_only=True):
    """The same without the events, which come in pages: over HTTP they are sent one page after another."""

    pages: AsyncIterator[list[dict[str, Any]]]
