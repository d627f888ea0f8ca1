"""Audit records over SQL."""

from collections.abc import Sequence

from asgi_auth.model.records import AuditRecord
from asgi_auth.storage import statements
from asgi_auth.storage.rows import audit_record_of, columns
from asgi_auth.storage.runner import Runner


class SQLAudit(Runner):
    """Keeps the part of the contract that is about audit records."""

    async def add_audit_records(self, records: Sequence[AuditRecord]) -> None:
        """Insert them all; a user's row is held meanwhile, so that its deletion overlooks none."""

        async def add(storage: "SQLAudit") -> None:
            for record in records:
                await storage.run(statements.ADD_AUDIT_RECORD, columns(record))

        await self._atomically(add)

    async def audit_records(self, user_id: str, limit: int, before: str | None = None) -> list[AuditRecord]:
        """Select a page by the index."""
        values = {"user_id": user_id, "limit": limit, "before": before}
        return [audit_record_of(row) for row in await self.run(statements.AUDIT_RECORDS, values, read=True)]

    async def prune_audit_records(self, before: int, batch: int) -> int:
        """Delete one batch."""
        return len(await self.run(statements.PRUNE_AUDIT_RECORDS, {"before": before, "batch": batch}))
