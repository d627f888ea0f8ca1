"""The contract between the library and a database; a driver implements `Storage`.

Rules for every method:

* Atomic: a method takes effect as a whole. In `transaction()`, all calls take effect together, or none does.
* Race-free: promises about concurrent calls hold across tasks, event loops, processes and machines.
* Durable: when a method returns outside a transaction, its changes survive a crash of the process or the database.
* Bounded: an unavailable, locked or slow database raises `StorageUnavailableError` after `timeout` seconds, or earlier
  by the deadline of the request (`asgi_auth.bounds.deadline`). A call that waits behind more calls than can be served
  in that time, or asks a database that has stopped answering, raises it at once. The error says nothing about a
  statement that was sent: it may have been done. Errors of the driver's own library do not leave the storage.
* No clock: times are arguments, in whole seconds since 1970. `now` is the current time of the calling process. As the
  clocks of processes differ, these times do not order events: `changes_since` numbers them.
* Per event loop: connections belong to the event loop that opened them.

`tests/storage` checks each promise; a driver that passes these tests implements the contract.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from asgi_auth.storage.contract.audit import AuditStore
from asgi_auth.storage.contract.counters import CounterStore
from asgi_auth.storage.contract.credentials import CredentialStore
from asgi_auth.storage.contract.feed import FeedStore
from asgi_auth.storage.contract.networks import NetworkStore
from asgi_auth.storage.contract.sessions import SessionStore
from asgi_auth.storage.contract.tokens import TokenStore
from asgi_auth.storage.contract.users import UserStore
from asgi_auth.validation.user_field import Field


class Storage(
    UserStore,
    CredentialStore,
    SessionStore,
    FeedStore,
    TokenStore,
    AuditStore,
    CounterStore,
    NetworkStore,
    Protocol,
):
    """Stores users, credentials, sessions, one-time tokens, audit records, known devices and networks, and counters.

    A session is live if it was not ended and has not expired. A one-time token is live if it was not used and has not
    expired, and was not created more than `MAX_SKEW` seconds in the future. A canonical address is the normalized form
    of an email address, and is unique among users.
    """

    @property
    def timeout(self) -> float:
        """The seconds after which a call fails, and those that a request has for all its calls. A missing one is 5."""

    def use_fields(self, fields: Sequence[Field]) -> None:
        """Keep extra fields, which have a `column`, in these columns of the users table instead of in `data`.

        Called once, before the storage is opened. `User.data` has all fields in both cases. Raises ValueError where the
        users table is not of the host.
        """

    def is_user_id(self, text: str) -> bool:
        """Tell whether a text has the shape of a user's id. Reads nothing."""

    async def open(self) -> None:
        """Connect for the running event loop; a no-op if it is connected."""

    async def close(self) -> None:
        """Disconnect from the running event loop. The storage can be opened again."""

    async def migrate(self, now: int | None = None) -> list[int]:
        """Create or update the tables, and return the numbers of the migrations that ran.

        Opens the storage for the running event loop, and leaves it open. `now` defaults to the system's time. Any
        number of processes may call this at once: one runs all missing migrations, in one transaction. Without missing
        migrations it writes nothing and takes no lock. Raises StorageSetupError if the role may not change tables, and
        ValueError if the users table belongs to the host and does not fit.
        """

    async def check_tables(self) -> None:
        """Raise StorageSetupError if migrations are missing, or if a users table of the host does not fit.

        Opens the storage for the running event loop, and only reads.
        """

    async def missing_migrations(self) -> list[int]:
        """Return the numbers of the migrations that have not run.

        Opens the storage for the running event loop, and only reads.
        """

    async def ping(self) -> None:
        """Read one row. Raises StorageUnavailableError if the database does not answer, or has no tables."""

    async def installation(self, now: int) -> str:
        """Return the id of the installation: random, made with the tables, and the same for all processes.

        Tables of another database, schema or prefix have another id. Without the stored id, stores a new one.
        """

    def transaction(self) -> AbstractAsyncContextManager["Storage"]:
        """Return a context manager that gives a storage whose calls are committed together.

        If the block raises, nothing is committed. A transaction inside a transaction is the same one. Await nothing
        slow in the block, such as a password hash or a mail: other writers wait.
        """

    async def purge(self, before: int, batch: int) -> int:
        """Delete what expired before the time `before`; return the number of deleted rows.

        Deletes at most `batch` sessions, one-time tokens, counters and networks each.
        """
