"""Bans: accounts that an administrator switches off, for a reason, until a time or for good."""

from typing import Any

from asgi_auth.accounts.user_base import By, actor_of, called_by
from asgi_auth.accounts.user_editing import UserEditing
from asgi_auth.model import event_types as events
from asgi_auth.model.ban import BAN, Ban
from asgi_auth.model.limits import YEAR_9999
from asgi_auth.model.records import Client, User
from asgi_auth.sessions.bans import lifted
from asgi_auth.sources.kinds import check_kind

#: The most characters of a reason.
MAX_REASON = 1000


class Bans(UserEditing):
    """The part of `auth.users` that bans. Unknown ids raise UserNotFoundError."""

    async def ban(
        self,
        user_id: str,
        *,
        reason: str = "",
        until: float | None = None,
        tell: bool = False,
        by: By = None,
        client: Client | None = None,
    ) -> User:
        """Disable an account for a `reason`, `until` a time in seconds since 1970 or for good.

        Every session and every mailed token ends. With `tell`, a login with the right password is told both. After
        `until`, the account is as before. Raises ValueError for a reason over 1000 characters and for an end before
        1970 or after the year 9999, such as one in milliseconds, and TypeError for an end that is not a number.
        """
        check_kind("reason", reason, str)
        check_kind("tell", tell, bool)
        if len(reason) > MAX_REASON:
            raise ValueError(f"a reason has at most {MAX_REASON} characters")
        if until is not None and (isinstance(until, bool) or not isinstance(until, int | float)):
            raise TypeError("until: give the end as seconds since 1970")
        if until is not None and not 0 <= until <= YEAR_9999:
            raise ValueError("until: give the end as seconds since 1970, not as milliseconds")
        end = None if until is None else int(until)

        def changes(user: User) -> dict[str, Any]:
            earlier = Ban.of(user)
            before = user.status if earlier is None else earlier.before
            return Ban(reason=reason, until=end, by=actor_of(by), tell=tell, before=before).changes()

        return await self._set_status(user_id, changes, by, client)

    async def unban(self, user_id: str, *, by: By = None, client: Client | None = None) -> User:
        """End the ban of an account, which is as before; an account without a ban stays as it is."""
        user = await self.get(user_id)
        ban = Ban.of(user)
        if ban is None:
            return user
        # Another ban, which has begun meanwhile, stays.
        return await self._set_status(user_id, lambda now: ban.ending() if Ban.of(now) == ban else None, by, client)

    async def end_bans(self, now: int, batch: int) -> int:
        """End at most `batch` bans that are over, and return their number; the purge calls it."""
        await self._parts.start()
        number = 0
        for user in await self._storage.users_to_unban(now, batch):
            if (await lifted(self._storage, user, now)).data.get(BAN) is None:
                number += 1
                await self._emit(events.USER_CHANGE, user.id, None, called_by(None), status="active")
        return number
