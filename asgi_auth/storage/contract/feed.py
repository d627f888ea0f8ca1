"""The contract of a storage: the feed of changes, which tells processes of what others have ended and changed."""

from collections.abc import Collection
from typing import Protocol

from asgi_auth.model.revocations import Beat, Changes


class FeedStore(Protocol):
    """Tells each process what others have changed. The rules of `Storage` hold for every method."""

    async def wait_for_change(self, seconds: float) -> None:
        """Return when another process may have committed a change, at the latest after `seconds`."""

    async def changes_since(self, since: int, after: str = "") -> Changes:
        """Return the sessions that ended or lost methods, and the users whose status or roles changed.

        `after` is the `Changes.position` of an earlier call: the changes that it contained are left out, and all others
        are returned, no matter when their transactions began or what any clock says. Without `after`, or when
        the database has been restored since, the changes at `since` or later are returned. The work does not grow with
        the duration of open transactions.

        Many changes come in pages. While `Changes.more` is True, call again with the position of the page, and the
        same `since`. The position of the last page names the state of the database before the first one. A page may
        hold ids of ended sessions in `Changes.packed` in place of `sessions`.

        `Changes.now` is the time of the database's own clock, or None if the database has none. An end is never dated
        before the last use of the session. Sessions of a changed user who is not active are returned as ended, even if
        no transaction has ended them: one with an older snapshot does not see a session that began meanwhile.

        `Changes.heartbeat` is read in the same snapshot as the changes: they are complete up to `heartbeat.proven`
        seconds ago, whatever server has answered. So it also is the staleness of a replica. A position is one of a
        server: on another server it counts as none.
        """

    async def beat(self, after: float, proven: Beat | None = None) -> Beat | None:
        """Write the heartbeat, unless it is younger than `after` seconds, and store that `proven` was acknowledged.

        A server that has been replaced by another one without knowing must not acknowledge a beat, where that can be
        avoided: with a synchronous standby, PostgreSQL does not. Returns the beat after its commit was acknowledged.
        Returns None if the heartbeat is younger, or if the database needs none: it has one server, or only reads.
        """

    async def end_again(self, session_ids: Collection[str], now: int) -> list[str]:
        """End those of the sessions that are live, and return their ids: a failover has lost their end.

        Those that the storage does not know are added to the changes as ended, too: a failover has lost their login.
        """
