"""Bans that are over: the next login, the next request for a mail, or the purge ends them."""

from asgi_auth.model.ban import Ban
from asgi_auth.model.records import User
from asgi_auth.storage import Storage


async def lifted(storage: Storage, user: User, now: int) -> User:
    """Return the user, with the status from before the ban if that is over; reads nothing for other users.

    The ban is judged again with the row locked: another one may have begun meanwhile.
    """
    ban = Ban.of(user)
    if ban is None or not ban.is_over(now):
        return user
    async with storage.transaction() as inside:
        locked = (await inside.lock_users([user.id])).get(user.id, user)
        ban = Ban.of(locked)
        if ban is None or not ban.is_over(now):
            return locked
        return await inside.update_user(user.id, ban.ending(), now) or locked
