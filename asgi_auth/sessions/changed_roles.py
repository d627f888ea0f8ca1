"""The current roles of users whose access changed while access tokens with earlier roles may be in use."""

from collections.abc import Callable, Iterable

from asgi_auth.sessions.ended import older

NEVER = float("-inf")


class ChangedRoles:
    """Roles by user id, from this process and from the feed."""

    def __init__(self, changed: Callable[[str], None]) -> None:
        """Start empty. `changed` is called with the id of each user whose roles are others than those known."""
        #: The roles by user id.
        self.current: dict[str, tuple[str, ...]] = {}
        self._changed = changed
        self._changed_at: dict[str, int] = {}
        self._told: dict[str, tuple[tuple[str, ...], int]] = {}
        #: When this process changed roles itself, by the monotonic clock: a look that began before may not know it.
        self._own_changes: dict[str, float] = {}

    def change(self, user_id: str, roles: tuple[str, ...], now: int, monotonic: float) -> None:
        """Record roles that this process has changed. A synchronization in flight cannot overwrite them."""
        self._set(user_id, roles, now)
        self._told.pop(user_id, None)
        self._own_changes[user_id] = monotonic

    def learn(self, users: Iterable[tuple[str, tuple[str, ...], int]], started: float, now: int) -> None:
        """Take in what a look has read that began at the monotonic time `started`."""
        for user_id, roles, at in users:
            # A change that is read again keeps the time when it was learned.
            if self._told.get(user_id) == (roles, at):
                continue
            # Clocks of machines differ: compare the order of look and change on this machine.
            if started >= self._own_changes.get(user_id, NEVER):
                self._own_changes.pop(user_id, None)
                is_own = user_id not in self._told and self.current.get(user_id) == roles
                self._told[user_id] = (roles, at)
                if not is_own:
                    self._set(user_id, roles, now)

    def date(self, at: int) -> None:
        """Set one time for all changes."""
        for user_id in list(self._changed_at):
            self._changed_at[user_id] = at

    def forget(self, before: int) -> None:
        """Drop changes that are not younger than `before`."""
        for user_id in older(self._changed_at, before):
            del self._changed_at[user_id], self.current[user_id]
            self._own_changes.pop(user_id, None)
            self._told.pop(user_id, None)

    def _set(self, user_id: str, roles: tuple[str, ...], at: int) -> None:
        if self.current.get(user_id) != roles:
            self._changed(user_id)
        self.current[user_id] = roles
        self._changed_at.pop(user_id, None)
        self._changed_at[user_id] = at
