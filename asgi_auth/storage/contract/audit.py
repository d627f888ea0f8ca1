"""The contract of a storage: audit records and devices."""

from collections.abc import Sequence
from typing import Protocol

from asgi_auth.model.records import AuditRecord, Sighting


class AuditStore(Protocol):
    """Stores audit records and devices. The rules of `Storage` hold for every method."""

    async def add_audit_records(self, records: Sequence[AuditRecord]) -> None:
        """Add records, all or none. A record whose id is stored already stays unchanged.

        If the user of a record was deleted, address, user agent and data are left out.
        """

    async def count_audit_records(self, records: Sequence[AuditRecord]) -> None:
        """Add records; for one whose id is stored already, add its count to that of the stored record."""

    async def audit_records(
        self, user_id: str | None, limit: int, before: str | None = None, *, name: str | None = None, since: int = 0
    ) -> list[AuditRecord]:
        """Return at most `limit` records about a user, newest first; with `before`, records older than that id.

        Without a user, records about all users and about none.

        With `name`, records of that event only; with `since`, those of that time and later.
        """

    async def prune_audit_records(self, before: int, batch: int, *, without_user: bool = False) -> int:
        """Delete at most `batch` records that are older than the time `before`; return their number.

        `without_user` deletes only records that are about no user.
        """

    async def see_device(self, user_id: str, digest: str, now: int, most: int) -> Sighting:
        """Store that a user's device was seen, and return whether it is the "first", a "new" or a "known" device.

        At most `most` devices are stored; those that were not seen for the longest time are deleted. Of many concurrent
        calls for a new device, all but one return "known". Unknown users return "known".
        """
