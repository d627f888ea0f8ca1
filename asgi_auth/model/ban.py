"""A ban: an account that an administrator has disabled, for a reason, until a time or for good."""

from typing import Annotated, Any

import msgspec

from asgi_auth.model.limits import YEAR_9999
from asgi_auth.model.records import Record, Status, User

#: The member of `User.data` that holds the ban.
BAN = "_ban"


class Ban(Record, frozen=True, kw_only=True):
    """Why an account is disabled.

    `until`: when the ban ends, in seconds since 1970; None: never. `by` is the id of the administrator. `tell`: whether
    the user is told reason and end at a login. `before` is the status that the account gets back.
    """

    reason: str = ""
    until: Annotated[int, msgspec.Meta(ge=0, le=YEAR_9999)] | None = None
    by: str | None = None
    tell: bool = False
    before: Status = "active"

    @classmethod
    def of(cls, user: User) -> "Ban | None":
        """Return the ban of a disabled user; None without one."""
        found = user.data.get(BAN)
        if user.status != "disabled" or found is None:
            return None
        try:
            return msgspec.convert(found, cls)
        except msgspec.ValidationError:
            # Written by other hands: the account stays disabled.
            return None

    def is_over(self, now: float) -> bool:
        """Tell whether the ban has ended."""
        return self.until is not None and self.until <= now

    def changes(self) -> dict[str, Any]:
        """Return the changes of a user that begin the ban."""
        return {"status": "disabled", "data": {BAN: msgspec.to_builtins(self)}}

    def ending(self) -> dict[str, Any]:
        """Return the changes of a user that end the ban."""
        return {"status": self.before, "data": {BAN: None}}
