"""The contract of a storage: users."""

from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from typing import Any, Protocol

from asgi_auth.model.records import Credential, Status, User
from asgi_auth.model.stored import Stored


class UserStore(Protocol):
    """Stores users. The rules of `Storage` hold for every method."""

    async def add_user(self, user: User, credential: Credential | None = None) -> User | None:
        """Add a user, with a first credential if one is given; return the user, or None if the address is taken.

        The id of the returned user differs from the given one if the database assigns the keys of the users table.
        """

    async def add_users(self, users: Sequence[tuple[User, Sequence[Credential]]]) -> list[User | None]:
        """Add users with their credentials in one transaction; return for each the user, or None.

        None stands for a user whose address, id or credential is taken: nothing of it is added.
        """

    async def user(self, user_id: str) -> User | None:
        """Return the user with an id."""

    async def user_by_email(self, canonical: str) -> User | None:
        """Return the user with a canonical address."""

    async def update_user(self, user_id: str, changes: Mapping[str, Any], now: int) -> User | None:
        """Change fields of a user by name, and return the user; None if the user does not exist.

        `data` is merged into the stored object, key by key. `changes_since` reports a change of `status` or `roles`.
        Raises UserExistsError if a new canonical address is taken.
        """

    async def users(
        self,
        *,
        prefix: str = "",
        status: Status | None = None,
        role: str | None = None,
        after: User | None = None,
        limit: int,
        newest: bool = False,
    ) -> list[User]:
        """Return at most `limit` users after the user `after`, of a status and with a role where these are given.

        They are in the order of their creation, with `newest` in the reverse order; with a `prefix` of their canonical
        addresses, in the order of these.
        """

    async def count_users(self, *, prefix: str = "", status: Status | None = None, role: str | None = None) -> int:
        """Return the number of users that `users` would return in all its pages."""

    async def lock_users(self, user_ids: Collection[str]) -> dict[str, User]:
        """Lock users until the end of the transaction, in the order of their ids; return those that exist, by id."""

    async def users_to_unban(self, now: int, limit: int) -> list[User]:
        """Return at most `limit` disabled users with a ban (`model.ban`) that is over at `now`."""

    async def note_change(self, user_id: str, now: int) -> tuple[User | None, list[str]]:
        """Let other processes know of a change of a user by SQL; return the user, and the ids of the ended sessions.

        The sessions end unless the user is active. `changes_since` reports the roles.
        """

    async def delete_user(self, user_id: str, now: int) -> list[str] | None:
        """Delete a user, and return the ids of the user's sessions; None if the user does not exist.

        Credentials, devices, networks, and the one-time tokens of the user and about its address are deleted. The
        sessions are ended, and `changes_since` reports them. Audit records are kept, without address, user agent and
        data.
        """

    async def closed_users(self, before: int, limit: int) -> list[str]:
        """Return the ids of at most `limit` users with the status `closed` since before the time `before`."""

    async def stored(self, user_id: str, *, events: bool = True) -> Stored | None:
        """Return everything that is stored about a user, without secrets; None if the user does not exist.

        Without `events`, the audit records are left out.
        """

    def stored_events(self, user_id: str) -> AsyncIterator[list[dict[str, Any]]]:
        """Return the audit records of a user in the form of `stored`, oldest first, page by page."""
