"""What every refusal knows for its event; the errors that are answered stand in `errors`."""

import re
from collections.abc import Mapping
from typing import ClassVar, Self

#: What may not stand in the attributes of a challenge (RFC 6750, section 3).
UNQUOTABLE = re.compile(r"[^\x20\x21\x23-\x5b\x5d-\x7e]")


class Refusal(Exception):  # noqa: N818 (the base of what ends in Error)
    """Base of the errors; nothing of this is part of an answer."""

    #: The event that it is, whatever was asked for; by default the failure of what was asked for.
    event: ClassVar[str | None] = None
    #: What the headers mean that every answer to this error has, by their names: for the OpenAPI document.
    header_meanings: ClassVar[Mapping[str, str]] = {}
    #: Whom it is about.
    user_id: str | None = None
    session_id: str | None = None
    #: Whether its event has been told.
    told: bool = False

    def about(self, user_id: str | None, session_id: str | None = None) -> Self:
        """Say whom it is about."""
        self.user_id, self.session_id = user_id, session_id
        return self
