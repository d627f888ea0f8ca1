"""The contract between the library and a database; a driver implements `Storage`.

Rules for every method:

* Atomic: a method takes effect as a whole. In `transaction()`, all calls take effect together, or none does.
* Race-free: promises about concurrent calls hold across tasks, event loops, processes and machines.
* Durable: when a method returns outside a transaction, its changes survive a crash of the process or the database.
* Bounded: an unavailable, locked or slow database raises `StorageUnavailableError` after a bounded time. Errors of the
  driver's own library do not leave the storage.
* No clock: times are arguments, in whole seconds since 1970. `now` is the current time.
* Per event loop: connections belong to the event loop that opened them.

`tests/storage` checks each promise; a driver that passes these tests implements the contract.
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
    """Stores users, credentials, sessions, one-time tokens, audit records, known devices and counters.

    A session is live if it was not ended and has not expired. A one-time token is live if it was not used and has not
    expired. A canonical address is the normalized form of an email address, and is unique among users.
    """

    # The storage itself

    async def open(self) -> None:
        """Connect for the running event loop; a no-op if it is connected."""

    async def close(self) -> None:
        """Disconnect from the running event loop. The storage can be opened again."""

    async def migrate(self, now: int | None = None) -> list[int]:
        """Create or update the tables, and return the numbers of the migrations that ran.

        Opens the storage for the running event loop, and leaves it open. `now` defaults to the system's time. Any
        number of processes may call this at once: one runs all missing migrations, in one transaction. Raises
        ValueError if the users table belongs to the host and lacks a column or an index.
        """

    def transaction(self) -> AbstractAsyncContextManager["Storage"]:
        """Return a context manager that gives a storage whose calls are committed together.

        If the block raises, nothing is committed. A transaction inside a transaction is the same one. Await nothing
        slow in the block, such as a password hash or a mail: other writers wait.
        """

    async def wait_for_change(self, seconds: float) -> None:
        """Return when another process may have committed a change, at the latest after `seconds`."""

    # Users and credentials

    async def add_user(self, user: User, credential: Credential | None = None) -> bool:
        """Add a user, with a first credential if one is given. Returns False if the canonical address is taken."""

    async def user(self, user_id: str) -> User | None:
        """Return the user with an id."""

    async def user_by_email(self, canonical: str) -> User | None:
        """Return the user with a canonical address."""

    async def user_with_credential(self, canonical: str, kind: str) -> tuple[User, Credential | None] | None:
        """Return the user with a canonical address, and the newest credential of a kind; None without such a user."""

    async def update_user(self, user_id: str, changes: Mapping[str, Any], now: int) -> User | None:
        """Change fields of a user by name, and return the user; None if the user does not exist.

        `data` is merged into the stored object, key by key. `changes_since` reports a change of `status` or `roles`.
        Raises UserExistsError if a new canonical address is taken.
        """

    async def delete_user(self, user_id: str, now: int) -> list[str] | None:
        """Delete a user, and return the ids of the user's sessions; None if the user does not exist.

        Credentials, one-time tokens and devices are deleted. The sessions are ended, and `changes_since` reports them.
        Audit records are kept, without address, user agent and data.
        """

    async def stored(self, user_id: str) -> Stored | None:
        """Return everything that is stored about a user, without secrets; None if the user does not exist."""

    async def add_credential(self, credential: Credential) -> bool:
        """Add a credential. Returns False if its kind and identifier are taken, or the user does not exist."""

    async def credential(self, user_id: str, kind: str) -> Credential | None:
        """Return a user's newest credential of a kind."""

    async def replace_secret(self, credential: Credential, secret: str, now: int) -> Credential | None:
        """Set a new secret, raise the version by one, and return the new credential.

        Returns None if the stored version is no longer that of `credential`. Exactly one of many concurrent calls with
        the same version succeeds.
        """

    # Sessions

    async def add_session(self, session: Session, credential: Credential, limit: int) -> list[str] | None:
        """Add a session, and end the user's oldest sessions so that at most `limit` are live.

        Returns the ids of the sessions that were ended. Adds nothing and returns None if the user is not active, or if
        the stored version of `credential` has changed: a login with an old password must not succeed.
        """

    async def session(self, session_id: str) -> Session | None:
        """Return the session with an id, live or not."""

    async def sessions(self, user_id: str, now: int, idle_since: int) -> list[Session]:
        """Return the live sessions of a user that were used after `idle_since`, newest first."""

    async def rotate_session(
        self, session_id: str, generation: int, *, now: int, idle_since: int
    ) -> tuple[Session, tuple[str, ...]] | None:
        """Raise the generation of a session by one, and return the session with the user's roles.

        Returns None unless the session has this generation, is live and was used after `idle_since`, and its user is
        active. Exactly one of many concurrent calls with the same generation succeeds.
        """

    async def touch_session(
        self, session_id: str, generation: int, *, now: int, idle_since: int
    ) -> tuple[Session, tuple[str, ...]] | None:
        """Set the time of the last use without raising the generation; otherwise as `rotate_session`."""

    async def end_sessions(
        self, user_id: str, now: int, *, only: str | None = None, keep: str | None = None
    ) -> list[str]:
        """End the live sessions of a user, and return their ids.

        With `only`, end that session alone; with `keep`, end all but that one. A session of another user is not ended.
        """

    async def access(self, session_id: str, now: int) -> Access | None:
        """Return whether a session is live and its user is active, and the user's roles; None if it is unknown."""

    async def changes_since(self, since: int) -> Changes:
        """Return the sessions that ended, and the users whose status or roles changed, at `since` or later."""

    # One-time tokens

    async def add_token(self, token: OneTimeToken, *, quiet: int, since: int, most: int) -> bool:
        """Add a one-time token, within the limits for its purpose and subject; return whether it was added.

        It is not added if another one was added less than `quiet` seconds before; if `most` were added after `since`
        and at least one has not expired; or if its user does not exist. At most two of many concurrent calls for one
        purpose and subject succeed.
        """

    async def find_token(self, purpose: str, digest: str, now: int) -> OneTimeToken | None:
        """Return the live token of a purpose with a digest. Does not use it."""

    async def recall_token(self, request: str, purpose: str, subject: str, now: int) -> OneTimeToken | None:
        """Return the live token about a subject with the id `request`, of any purpose.

        Without one, returns the newest live token about the subject of the given purpose, or None.
        """

    async def try_code(self, purpose: str, token_id: str, code: str, *, now: int, tries: int) -> OneTimeToken | None:
        """Count an attempt on a live token, and return the token if the digest `code` is right. Does not use it.

        After `tries` attempts, a right code returns None, too. No number of concurrent calls gets more attempts.
        """

    async def use_token(self, token_id: str, now: int) -> bool:
        """Use a live token, and return whether it was live. Exactly one of many concurrent calls returns True."""

    async def void_tokens(self, user_id: str, now: int, purpose: str | None = None, *, keep: str | None = None) -> None:
        """Use all live tokens of a user, of one purpose or of any, but not the token with the id `keep`."""

    async def void_subject(self, subject: str, now: int, purpose: str) -> None:
        """Use all live tokens of a purpose about a canonical address that belong to no user."""

    # Audit records and devices

    async def add_audit_records(self, records: Sequence[AuditRecord]) -> None:
        """Add records, all or none. A record whose id is stored already stays unchanged.

        If the user of a record was deleted, address, user agent and data are left out.
        """

    async def audit_records(self, user_id: str, limit: int, before: str | None = None) -> list[AuditRecord]:
        """Return at most `limit` records about a user, newest first; with `before`, records older than that id."""

    async def prune_audit_records(self, before: int, batch: int) -> int:
        """Delete at most `batch` records that are older than the time `before`; return their number."""

    async def see_device(self, user_id: str, digest: str, now: int, most: int) -> Sighting:
        """Store that a user's device was seen, and return whether it is the "first", a "new" or a "known" device.

        At most `most` devices are stored; those that were not seen for the longest time are deleted. Of many concurrent
        calls for a new device, all but one return "known". Unknown users return "known".
        """

    # Counters

    async def count(self, key: str, now: int, window: int) -> Counter:
        """Add one to a counter, and return it. Each of many concurrent calls returns another count.

        The counter expires `window` seconds after its first count, and then starts again from one.
        """

    async def limit(self, windows: Sequence[Window], now: int) -> tuple[int, int] | None:
        """Count once in every window and return None; or return the index of a full window, and when it expires.

        The keys of the windows differ. If a window is full, no window counts the call; a concurrent call may still be
        counted in the others. Of many concurrent calls, at most `most` of a window return None.
        """

    async def count_with_backoff(self, key: str, now: int, *, after: int, pause: int, longest: int, memory: int) -> int:
        """Count an attempt and return 0; or, during a pause, return its remaining seconds (at least 1).

        Attempt number `after` starts a pause of `pause` seconds. Each further attempt starts one twice as long as the
        last, up to `longest` seconds. The counter expires `memory` seconds after the last attempt; `memory` exceeds
        `longest`. Concurrent calls return 0 no more often than consecutive calls.
        """

    async def counter(self, key: str, now: int) -> Counter | None:
        """Return a counter without counting; None if it does not exist or has expired."""

    async def clear_counter(self, key: str) -> None:
        """Delete a counter."""

    # Expired rows

    async def purge(self, before: int, batch: int) -> int:
        """Delete sessions, one-time tokens and counters that expired before the time `before`; return their number.

        Deletes at most `batch` of each. A one-time token that was added less than an hour before `before` is kept, used
        or not: `add_token` counts it.
        """
