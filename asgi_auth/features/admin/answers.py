"""What administrators see of users."""

from typing import Any, ClassVar

from asgi_auth.feature import Answer, Record, Session, User
from asgi_auth.model.ban import Ban
from asgi_auth.model.event_types import Outcome
from asgi_auth.model.records import AuditRecord, Status
from asgi_auth.model.session_info import SessionView


class BanInfo(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A ban: its reason, its end if it has one, its author, and whether a login is told.

    `by` is the id of the author, and `by_email` the address, in the details of a user and while the author exists.
    """

    reason: str
    tell: bool
    until: int | None = None
    by: str | None = None
    by_email: str | None = None

    @classmethod
    def of(cls, user: User) -> "BanInfo | None":
        """Return the ban of a user."""
        ban = Ban.of(user)
        return cls(reason=ban.reason, tell=ban.tell, until=ban.until, by=ban.by) if ban is not None else None


class AdminUser(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A user as administrators see it; times are seconds since 1970. `ban` says why the account is disabled."""

    id: str
    email: str
    email_verified: bool
    status: Status
    roles: tuple[str, ...]
    data: dict[str, Any]
    created_at: int
    updated_at: int
    ban: BanInfo | None = None

    @classmethod
    def values_of(cls, user: User) -> dict[str, Any]:
        """Return the fields of a user."""
        return {
            "id": user.id,
            "email": user.email,
            "email_verified": user.email_verified,
            "status": user.status,
            "roles": user.roles,
            "data": user.own_data,
            "created_at": user.created_at,
            "updated_at": user.updated_at,
            "ban": BanInfo.of(user),
        }

    @classmethod
    def of(cls, user: User) -> "AdminUser":
        """Return what administrators see of a user."""
        return cls(**cls.values_of(user))


class AdminUserList(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A page of users. `next` is the `after` of the next page; the last one has none."""

    users: list[AdminUser]
    next: str | None = None


class UserDetails(AdminUser, frozen=True, kw_only=True, omit_defaults=True):
    """A user with its second factors, the ways to log in, the newest login, and the end of an open invitation."""

    factors: list[str]
    ways: list[str]
    last_login: int | None = None
    invited_until: int | None = None


class AdminSession(SessionView, frozen=True, kw_only=True, omit_defaults=True):
    """A session as administrators see it; times are seconds since 1970. `actor` is the user who acts in it."""

    amr: tuple[str, ...]

    @classmethod
    def of(cls, session: Session) -> "AdminSession":
        """Return what administrators see of a session."""
        return cls(**cls.values_of(session), amr=session.amr)


class AdminSessionList(Record, frozen=True, kw_only=True):
    """The live sessions of a user, the newest first."""

    sessions: list[AdminSession]


class EndedSessions(Record, frozen=True, kw_only=True):
    """The number of sessions that were ended."""

    ended: int


class RemovedFactors(Record, frozen=True, kw_only=True):
    """The kinds of second factors that were removed."""

    removed: list[str]


class AdminEvent(Record, frozen=True, kw_only=True, omit_defaults=True):
    """An audit record. `actor` is the user who did it, if it is not the user that the record is about."""

    id: str
    name: str
    outcome: Outcome
    code: str
    at: int
    address: str
    user_agent: str
    request_id: str
    data: dict[str, Any]
    count: int
    session: str | None = None
    actor: str | None = None

    @classmethod
    def of(cls, record: AuditRecord) -> "AdminEvent":
        """Return what administrators see of a record."""
        return cls(**{name: getattr(record, name) for name in cls.__struct_fields__})


class AdminEvents(Record, frozen=True, kw_only=True, omit_defaults=True):
    """Audit records of a user, the newest first. `next` is the `before` of the next page; the last one has none.

    `addresses` has those of the users that the records name, by id; a deleted user has none.
    """

    events: list[AdminEvent]
    addresses: dict[str, str]
    next: str | None = None


class Stopped(Answer, frozen=True):
    """The end of an impersonation without tokens: the client has its own."""

    http_status: ClassVar[int | None] = 204
    has_body: ClassVar[bool] = False

    def body(self) -> None:
        """Return no body."""
        return
