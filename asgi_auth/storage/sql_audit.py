"""Audit records and known devices over SQL."""

from collections.abc import AsyncIterator, Sequence
from typing import Any

from asgi_auth.model.records import AuditRecord, Sighting
from asgi_auth.storage.rows import audit_record_of, columns
from asgi_auth.storage.runner import Runner
from asgi_auth.storage.statements import audit, users

#: Records in one page of an export.
PAGE = 500


class SQLAudit(Runner):
    """The methods of `Storage` for audit records and devices."""

    async def add_audit_records(self, records: Sequence[AuditRecord]) -> None:
        """Insert the records under a lock of each user, so that a concurrent deletion anonymizes them, too."""
        await self._run_for_each(audit.ADD_AUDIT_RECORD, records)

    async def count_audit_records(self, records: Sequence[AuditRecord]) -> None:
        """Insert the records, or add their counts, in the order of their ids: concurrent calls do not deadlock."""
        await self._run_for_each(audit.COUNT_AUDIT_RECORD, sorted(records, key=lambda record: record.id))

    async def _run_for_each(self, statement: str, records: Sequence[AuditRecord]) -> None:
        async def run(storage: "SQLAudit") -> None:
            for record in records:
                await storage.run(statement, columns(record))

        await self._atomically(run)

    async def audit_records(
        self, user_id: str | None, limit: int, before: str | None = None, *, name: str | None = None, since: int = 0
    ) -> list[AuditRecord]:
        """Select one page by the index."""
        values: dict[str, Any] = {"limit": limit, "before": before, "name": name, "since": since}
        statement = audit.ALL_AUDIT_RECORDS if user_id is None else audit.AUDIT_RECORDS
        values |= {} if user_id is None else {"user_id": user_id}
        return [audit_record_of(row) for row in await self.run(statement, values, read=True)]

    async def stored_events(self, user_id: str) -> AsyncIterator[list[dict[str, Any]]]:
        """Select one page after another by the index."""
        values = {"user_id": user_id, "after": "", "limit": PAGE}
        while rows := await self.run(audit.STORED_AUDIT_RECORDS, values, read=True):
            yield [{name: value for name, value in dict(row).items() if name != "id"} for row in rows]
            values["after"] = rows[-1]["id"]

    async def prune_audit_records(self, before: int, batch: int, *, without_user: bool = False) -> int:
        """Delete one batch, by the index of the times."""
        statement = audit.PRUNE_AUDIT_RECORDS_WITHOUT_USER if without_user else audit.PRUNE_AUDIT_RECORDS
        return len(await self.run(statement, {"before": before, "batch": batch}))

    async def see_device(self, user_id: str, digest: str, now: int, most: int) -> Sighting:
        """Update a known device; otherwise lock the user, check again, insert, and delete the oldest devices."""
        values = {"user_id": user_id, "digest": digest, "now": now}
        if await self.run(audit.SEE_DEVICE, values):
            return "known"

        async def see(storage: "SQLAudit") -> Sighting:
            if not await storage.run(users.LOCK_USER, {"user_id": user_id}):
                return "known"
            if await storage.run(audit.SEE_DEVICE, values):
                return "known"
            others = await storage.run(audit.DEVICES, {"user_id": user_id})
            await storage.run(audit.ADD_DEVICE, values)
            for row in others[most - 1 :]:
                await storage.run(audit.DELETE_DEVICE, {"user_id": user_id, "digest": row["digest"]})
            return "new" if others else "first"

        return await self._atomically(see)
