"""Administration: how many users there are, and what has happened last."""

from typing import ClassVar

from asgi_auth.accounts.authority import READ
from asgi_auth.bounds.replica import each_from_replica
from asgi_auth.errors import UserNotFoundError
from asgi_auth.events.audit_export import MEDIA_TYPES, Filters, Format, audit_file
from asgi_auth.feature import Identity, Line, Record, Time, get
from asgi_auth.features.admin.answers import AdminEvent
from asgi_auth.features.admin.base import AdminBase
from asgi_auth.model.answers import Download
from asgi_auth.model.records import AuditRecord

#: The number of events.
EVENTS = 10
#: How long counts are reused, in seconds: each one reads all users.
REUSE = 10


class UserCounts(Record, frozen=True, kw_only=True):
    """The number of users by status."""

    active: int
    disabled: int
    closed: int


class LatestEvent(AdminEvent, frozen=True, kw_only=True, omit_defaults=True):
    """An audit record with the id of the user that it is about."""

    user: str | None = None

    @classmethod
    def of(cls, record: AuditRecord) -> "LatestEvent":
        """Return what administrators see of a record."""
        members = {name: getattr(record, name) for name in AdminEvent.__struct_fields__}
        return cls(**members, user=record.user_id)


class UsersOverview(Record, frozen=True, kw_only=True):
    """The number of users by status, which may be ten seconds old, and the latest audit records of all.

    `addresses` has those of the users that the records name, by id; a deleted user has none.
    """

    counts: UserCounts
    events: list[LatestEvent]
    addresses: dict[str, str]


class AuditFile(Download, frozen=True, kw_only=True):
    """Audit records, the newest first: CSV, or lines of JSON."""

    media_types: ClassVar[tuple[str, ...]] = tuple(MEDIA_TYPES.values())


class Overview(AdminBase):
    """The part of administration that looks at all users."""

    _counts: tuple[float, UserCounts] | None = None

    @get("/users-overview", replica=True, permission=READ)
    async def users_overview(self, *, identity: Identity) -> UsersOverview:  # noqa: ARG002 (the permission needs it)
        """Count the users by status, and list the latest audit records."""
        await self._write_waiting()
        records = await self.auth.storage.audit_records(None, EVENTS)
        return UsersOverview(
            counts=await self._counted(),
            events=[LatestEvent.of(record) for record in records],
            addresses=await self._addresses(each for record in records for each in (record.user_id, record.actor)),
        )

    @get(
        "/admin/audit",
        replica=True,
        permission=READ,
        limits="10/m/account, 60/h/account",
        errors=(UserNotFoundError,),
    )
    async def export_audit(
        self,
        *,
        format: Format = "csv",  # noqa: A002 (a field of the API)
        user: Line = "",
        name: Line = "",
        since: Time = 0,
        until: Time | None = None,
        identity: Identity,  # noqa: ARG002 (the permission needs it)
    ) -> AuditFile:
        """Export the audit records of all users, or of one, the newest first, with the filters of the list of events.

        Records of deleted users and about no user are among them.
        """
        if user and not self.auth.storage.is_user_id(user):
            raise UserNotFoundError
        await self._write_waiting()
        filters = Filters(user_id=user or None, name=name or None, since=since, until=until)
        parts = each_from_replica(audit_file(self.auth.storage, format, filters))
        return AuditFile(media_type=MEDIA_TYPES[format], filename=f"audit.{format}", parts=parts)

    async def _counted(self) -> UserCounts:
        now, known = self.auth.now(), self._counts
        if known is None or not 0 <= now - known[0] < REUSE:
            count = self.auth.users.count
            counts = UserCounts(
                active=await count(status="active"),
                disabled=await count(status="disabled"),
                closed=await count(status="closed"),
            )
            known = self._counts = (now, counts)
        return known[1]
