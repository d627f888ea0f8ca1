"""Audit: events are stored, and listed by user."""

from collections.abc import Collection, Container, Sequence

from asgi_auth.auth import Auth
from asgi_auth.events.audit_queue import AuditQueue
from asgi_auth.events.audit_tally import COUNTED, AuditTally, merged
from asgi_auth.events.hooks import check_name
from asgi_auth.events.log import encoded
from asgi_auth.feature import Feature
from asgi_auth.model import event_types as events
from asgi_auth.model.records import AuditRecord, Event, new_id
from asgi_auth.sources.kinds import checks_options
from asgi_auth.validation.numbers import check_whole

DAY = 86400
BATCH = 1000
DRAIN = 5.0
#: Events that are too frequent, that repeat another event, or that any client can cause at will.
LEFT_OUT = frozenset(
    {
        events.REFRESH,
        events.SESSION_START,
        events.PASSWORD_CHECK,
        events.MAIL,
        events.INPUT,
        events.ACCESS,
        events.CROSS_SITE,
        events.RATE_LIMIT,
        events.SERVICE,
    }
)


class Audit(Feature):
    """Stores events as records after the response. The log has every event as well.

    `leave_out` names the events that are not stored; `keep`: seconds until a record is deleted; `keep_unknown`: the
    same for records about no user, which any client can cause; `queue`: the longest queue of records that wait to be
    written. The records of a deleted user stay, without address, user agent and data.

    In an hour, a process stores 20 records of one kind about one user or from one network, and 1,000 of one kind about
    no user. Further ones are counted in one record.
    """

    @checks_options
    def __init__(
        self,
        *,
        leave_out: Collection[str] = LEFT_OUT,
        keep: int = 90 * DAY,
        keep_unknown: int = 7 * DAY,
        queue: int = 10_000,
    ) -> None:
        """Take the settings; raises ValueError."""
        check_whole(keep=keep, keep_unknown=keep_unknown, queue=queue)
        self.leave_out: frozenset[str] = frozenset(leave_out)
        self.observes: Container[str] | None = _AllBut(self.leave_out)
        self.keep = keep
        self.keep_unknown = keep_unknown
        self._tally = AuditTally()
        self.queue: AuditQueue = AuditQueue(self._write, limit=queue)
        self._millisecond = 0

    def attach(self, auth: Auth) -> None:
        """Join an `Auth`. Raises ValueError for a name in `leave_out` that is no event of the library or a feature."""
        super().attach(auth)
        for name in self.leave_out:
            check_name(name, auth.stream.actions)

    @property
    def services(self) -> tuple[AuditQueue]:
        """The queue: who reads records of other features, such as administration, writes the waiting ones first."""
        return (self.queue,)

    async def list(self, user_id: str, *, limit: int = 100, before: str | None = None) -> list[AuditRecord]:
        """List the records about a user, the newest first; the next page is `before` the id of the last one.

        Raises StorageUnavailableError.
        """
        await self.auth.start()
        await self.queue.flush()
        return await self.auth.storage.audit_records(user_id, limit, before)

    async def prune(self, older_than: int | None = None) -> int:
        """Delete the records older than `older_than` seconds, by default `keep`; return their number."""
        await self.auth.start()
        before, pruned = int(self.auth.now()) - (self.keep if older_than is None else older_than), 0
        while count := await self.auth.storage.prune_audit_records(before, BATCH):
            pruned += count
        return pruned

    async def observe(self, event: Event) -> None:
        """Add the event to the queue."""
        client = event.client
        record = AuditRecord(
            id=self._next_id(),
            name=event.name,
            outcome=event.outcome,
            code=event.code,
            at=event.at,
            user_id=event.user_id,
            session=event.session,
            address=encoded(client.address),
            user_agent=encoded(client.user_agent),
            request_id=encoded(client.request_id),
            data=encoded(event.data),
            actor=event.actor,
        )
        self.queue.add(self._tally.take(record))

    async def close(self) -> None:
        """Write the waiting records, for at most five seconds."""
        await self.queue.close(DRAIN)

    async def purge(self, now: int, batch: int) -> int:
        """Delete a batch of the records older than `keep`, and one of those about no user."""
        storage = self.auth.storage
        unknown = await storage.prune_audit_records(now - self.keep_unknown, batch, without_user=True)
        return unknown + await storage.prune_audit_records(now - self.keep, batch)

    def _next_id(self) -> str:
        """Return an id greater than the last one of this process, even within one millisecond."""
        self._millisecond = max(self._millisecond + 1, int(self.auth.now() * 1000))
        return new_id((self._millisecond + 0.5) / 1000)

    async def _write(self, records: Sequence[AuditRecord]) -> None:
        await self.auth.start()
        counting = [record for record in records if record.data == COUNTED]
        await self.auth.storage.add_audit_records([record for record in records if record.data != COUNTED])
        if counting:
            await self.auth.storage.count_audit_records(merged(counting))


class _AllBut:
    """All names except those that are left out, including names that only the host knows."""

    def __init__(self, left_out: frozenset[str]) -> None:
        self._left_out = left_out

    def __contains__(self, name: object) -> bool:
        return name not in self._left_out
