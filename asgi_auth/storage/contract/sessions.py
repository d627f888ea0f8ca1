"""The contract of a storage: sessions."""

from collections.abc import Collection, Mapping
from typing import Any, Protocol

from asgi_auth.model.records import Credential, Session
from asgi_auth.model.revocations import Access


class SessionStore(Protocol):
    """Stores sessions. The rules of `Storage` hold for every method."""

    async def add_session(
        self, session: Session, credential: Credential, limit: int, *, factor: Credential | None = None
    ) -> list[str] | None:
        """Add a session, and end the user's oldest sessions so that at most `limit` are live.

        Sessions in which another user acts are not counted, and not ended. The sessions of a grant count and end among
        themselves, as the user's own ones do. Their `credential` is the grant: raises ValueError for another one.
        Returns the ids of the sessions that were ended. Adds nothing and returns None if the user is not active, or if
        the stored version of `credential` has changed: a login with an old password must not succeed. Nor if `factor`,
        the credential of the second factor, was deleted: its deletion takes methods from all sessions of the user
        (`lower_sessions`), and a concurrent login must not keep them.
        """

    async def add_acting_session(self, session: Session) -> bool:
        """Add a session in which another user acts, and end no other; return False if its user is not active."""

    async def session(self, session_id: str) -> Session | None:
        """Return the session with an id, live or not."""

    async def sessions(self, user_id: str, now: int, idle_since: int) -> list[Session]:
        """Return the user's own live sessions that were used after `idle_since`, newest first; those of no grant."""

    async def rotate_session(
        self,
        session_id: str,
        generation: int,
        *,
        now: int,
        idle_since: int,
        grant: bool = False,
        ahead: bool = False,
    ) -> tuple[Session, tuple[str, ...]] | None:
        """Raise the generation of a session by one, and return the session with the user's roles.

        `generation` becomes the used generation: its refresh token was used.

        Returns None unless the session has this generation, is live and was used after `idle_since`, and its user is
        active. With `grant`, it must be the session of a grant that still exists, and otherwise of none. Exactly one of
        many concurrent calls with the same generation succeeds.
        A last use that is as far in the future as `idle_since` is in the past counts as before `idle_since`.

        With `ahead`, the session must have a lower generation, and is raised to the one after `generation`: the
        database has lost rotations, as by an asynchronous failover. Of many concurrent calls exactly one succeeds, too.
        """

    async def touch_session(
        self,
        session_id: str,
        generation: int,
        *,
        now: int,
        idle_since: int,
        grant: bool = False,
        ahead: bool = False,
    ) -> tuple[Session, tuple[str, ...]] | None:
        """Set the time of the last use without raising the generation; otherwise as `rotate_session`.

        With `ahead`, the session must have a lower generation, and is raised to `generation`.
        """

    async def renew_session(
        self,
        session_id: str,
        *,
        auth_time: int | None,
        amr: Collection[str],
        data: Mapping[str, Any],
        now: int,
        factor: Credential | None = None,
    ) -> tuple[Session, tuple[str, ...]] | None:
        """Record that the user of a session has proven a factor again; return the session with the user's roles.

        Sets the time of the login unless it is None, adds methods to those of the session, and merges `data` into its
        data, key by key.
        Returns None unless the session is live and of no grant, and its user is active, and if the credential `factor`
        that was proven has been deleted.
        """

    async def lower_sessions(self, user_id: str, methods: Collection[str], now: int) -> list[str]:
        """Take methods from the `amr` of a user's live sessions; return the ids of those that had one.

        `changes_since` tells other processes: access tokens that name the methods are still in use.
        """

    async def use_generation(self, session_id: str, generation: int) -> None:
        """Record that a token of a generation was used. A no-op for a generation that was never given, or used before.

        The session may have ended meanwhile.
        """

    async def end_sessions(
        self,
        user_id: str,
        now: int,
        *,
        only: str | None = None,
        keep: str | None = None,
        grant_id: str | None = None,
    ) -> list[str]:
        """End the live sessions of a user, own ones and those of grants, and return their ids.

        With `only`, end that session alone; with `keep`, end all but that one; with `grant_id`, end those of a grant.
        A session of another user is not ended. To withdraw a grant, delete its credential first, in one transaction: a
        concurrent `add_session` then gives no session, or one that is ended.
        """

    async def end_batch(
        self, after: str, now: int, batch: int, *, up_to: str | None = None, begun_by: int | None = None
    ) -> list[str]:
        """End at most `batch` sessions of any user whose ids are greater than `after`; return their ids, ascending.

        With `up_to`, end none with a greater id; with `begun_by`, none that began later. The feed tells the greatest of
        the ids alone (`Changes.up_to`): the caller has ended the sessions with smaller ids.
        """

    async def access(self, session_id: str, now: int) -> Access | None:
        """Return the user of a session, the user's roles, whether all is active, and the methods of the session.

        A session whose grant was deleted is not active.
        Returns None for an unknown session.
        """

    async def end_inactive(self, user_id: str, now: int) -> list[str]:
        """End the sessions of a user who is not active, and return their ids; a no-op for an active user."""
