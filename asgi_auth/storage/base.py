"""The contract between the library and a database. `tests/storage/test_contract.py` is its text for all drivers.

Every method is atomic by itself. Inside `transaction()` they are so together. Times are arguments, whole seconds.
A database that is away, locked or too slow is a StorageUnavailableError, after a bounded time.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any, Protocol

from asgi_auth.model.records import (
    Access,
    AuditRecord,
    Changes,
    Counter,
    Credential,
    OneTimeToken,
    Session,
    Sighting,
    Stored,
    User,
    Window,
)


class Storage(Protocol):
    """Users, credentials, sessions, one-time tokens, what has changed about them; counters, audit records, devices."""

    async def open(self) -> None:
        """Connect, for the running event loop; does nothing when that is done."""

    async def close(self) -> None:
        """Disconnect from the running loop; the storage can be opened again."""

    async def migrate(self, now: int) -> list[int]:
        """Bring the tables up to date and return the numbers of the migrations that ran.

        Safe when several processes start at once, and after a kill: one runs them, in one transaction. Raises
        ValueError when the host's own users table lacks something.
        """

    def transaction(self) -> AbstractAsyncContextManager["Storage"]:
        """Give a storage whose methods are committed together, or not at all when the block raises.

        Never hold one across a hash, a mail, or anything else that takes long.
        """

    async def wait_for_change(self, seconds: float) -> None:
        """Return when another process may have committed something, at the latest after `seconds`."""

    async def add_user(self, user: User, credential: Credential | None = None) -> bool:
        """Add a user, with a first credential; False when the canonical address is taken."""

    async def user(self, user_id: str) -> User | None:
        """Look a user up by id."""

    async def user_by_email(self, canonical: str) -> User | None:
        """Look a user up by canonical address."""

    async def user_with_credential(self, canonical: str, kind: str) -> tuple[User, Credential | None] | None:
        """Look a user up by canonical address, with the newest credential of a kind."""

    async def update_user(self, user_id: str, changes: Mapping[str, Any], now: int) -> User | None:
        """Change the named fields of a user and return the whole; None when there is no such user.

        `data` is merged into what is there.

        A change of `status` or `roles` is reported by `changes_since`. Raises UserExistsError when the new canonical
        address is taken.
        """

    async def delete_user(self, user_id: str, now: int) -> list[str] | None:
        """Delete a user with everything that hangs on it; return the ids of the sessions that there were.

        Audit records stay, without address, user agent and data.

        Reported by `changes_since` like the end of sessions. None when there is no such user.
        """

    async def stored(self, user_id: str) -> Stored | None:
        """Give all that is stored about a user, without secrets; None when there is no such user."""

    async def add_credential(self, credential: Credential) -> bool:
        """Add a credential; False when its kind and identifier are taken, or its user is gone."""

    async def credential(self, user_id: str, kind: str) -> Credential | None:
        """Look up the newest credential of a kind that a user has."""

    async def replace_secret(self, credential: Credential, secret: str, now: int) -> Credential | None:
        """Set a new secret if the version is still that of `credential`; None when another was faster."""

    async def add_session(self, session: Session, credential: Credential, limit: int) -> list[str] | None:
        """Add a session of an active user, if `credential` still has its version; else None.

        Returns the ids of the oldest sessions that ended, so that at most `limit` are alive.
        """

    async def session(self, session_id: str) -> Session | None:
        """Look a session up by id, dead or alive."""

    async def sessions(self, user_id: str, now: int, idle_since: int) -> list[Session]:
        """List the live sessions of a user, the newest first."""

    async def rotate_session(
        self, session_id: str, generation: int, *, now: int, idle_since: int
    ) -> tuple[Session, tuple[str, ...]] | None:
        """Raise the generation by one, if it is `generation` and session and user are alive.

        Returns the session with the user's roles. Of many concurrent calls exactly one gets it, the others None.
        """

    async def touch_session(
        self, session_id: str, generation: int, *, now: int, idle_since: int
    ) -> tuple[Session, tuple[str, ...]] | None:
        """Mark a session as used without a new generation, under the same conditions."""

    async def end_sessions(
        self, user_id: str, now: int, *, only: str | None = None, keep: str | None = None
    ) -> list[str]:
        """End the live sessions of a user, `only` one or all but `keep`; return the ids of those that ended."""

    async def access(self, session_id: str, now: int) -> Access | None:
        """Tell whether a session and its user are alive, and the user's roles; None for an unknown session."""

    async def changes_since(self, since: int) -> Changes:
        """List the sessions that ended, and the users whose status or roles changed, at `since` or later."""

    async def add_token(self, token: OneTimeToken, *, quiet: int, since: int, most: int) -> bool:
        """Add a one-time token, unless one for its purpose and subject was added less than `quiet` seconds before.

        Nor when `most` were added after `since`, as long as one of them has not expired; nor when its user is gone. Of
        many concurrent calls for one subject at most two are added.
        """

    async def find_token(self, purpose: str, digest: str, now: int) -> OneTimeToken | None:
        """Look a live token up, using nothing up."""

    async def recall_token(self, request: str, purpose: str, subject: str, now: int) -> OneTimeToken | None:
        """Look up the live token about a subject that `request` names, of any purpose, else the newest of a purpose."""

    async def try_code(self, purpose: str, token_id: str, code: str, *, now: int, tries: int) -> OneTimeToken | None:
        """Count an attempt on a live token; return it if the code fits and fewer than `tries` were made before."""

    async def use_token(self, token_id: str, now: int) -> bool:
        """Use a live token up. Of many concurrent calls exactly one gets True."""

    async def void_tokens(self, user_id: str, now: int, purpose: str | None = None, *, keep: str | None = None) -> None:
        """Use up all live tokens of a user, of one purpose or of any, but not `keep`."""

    async def add_audit_records(self, records: Sequence[AuditRecord]) -> None:
        """Add records, all or none; those that are there already stay as they are.

        Of a user who was deleted they are kept without address, user agent and data.
        """

    async def audit_records(self, user_id: str, limit: int, before: str | None = None) -> list[AuditRecord]:
        """List at most `limit` records about a user, the newest first; with the id `before` those older than that."""

    async def prune_audit_records(self, before: int, batch: int) -> int:
        """Delete at most `batch` records from before a time; return how many."""

    async def see_device(self, user_id: str, digest: str, now: int, most: int) -> Sighting:
        """Remember a device of a user, and tell whether it is the first, a new or a known one.

        Of more than `most` those not seen for the longest time are forgotten. Of many concurrent calls about one device
        exactly one is not told that it is known. Of a user who doesn't exist it is known.
        """

    async def count(self, key: str, now: int, window: int) -> Counter:
        """Add one to a counter and return it; it begins anew `window` seconds after its first.

        Of many concurrent calls each gets another count.
        """

    async def limit(self, windows: Sequence[Window], now: int) -> tuple[int, int] | None:
        """Count once in every window and return None; or return which one is full, and when it begins anew.

        When one is full, none is counted, but for calls that come at the same moment. The keys are different ones. Of
        many concurrent calls no more than `most` get None from a window.
        """

    async def count_with_backoff(self, key: str, now: int, *, after: int, pause: int, longest: int, memory: int) -> int:
        """Count an attempt and return 0, unless a pause is on: then return how many seconds it lasts, at least 1.

        The attempt number `after` begins a pause of `pause` seconds, and each further one a pause twice as long, of
        `longest` seconds at most. The counter begins anew `memory` seconds after the last attempt; that is longer than
        any pause. Of many concurrent calls no more get 0 than one after the other would.
        """

    async def counter(self, key: str, now: int) -> Counter | None:
        """Look a counter up, adding nothing; None when its time is over."""

    async def clear_counter(self, key: str) -> None:
        """Forget a counter."""

    async def void_subject(self, subject: str, now: int, purpose: str) -> None:
        """Use up all live tokens of a purpose about a canonical address that belong to no user."""

    async def purge(self, before: int, batch: int) -> int:
        """Delete at most `batch` sessions, one-time tokens and counters each that expired before a time.

        One-time tokens stay for an hour, used or not: they count against further mails. Returns how many.
        """
