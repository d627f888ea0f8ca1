"""What every refusal knows for its event; the errors that are answered stand in `errors`."""

from typing import ClassVar, Self


class Refusal(Exception):  # noqa: N818 (the base of what ends in Error)
    """Base of the errors; nothing of this is part of an answer."""

    #: The event that it is, whatever was asked for; by default the failure of what was asked for.
    event: ClassVar[str | None] = None
    #: Whom it is about.
    user_id: str | None = None
    session_id: str | None = None
    #: Whether its event has been told.
    told: bool = False

    def about(self, user_id: str | None, session_id: str | None = None) -> Self:
        """Say whom it is about."""
        self.user_id, self.session_id = user_id, session_id
        return self
