"""The records that are stored and passed around; times are whole seconds since 1970 (NumericDate)."""

import secrets
import uuid
from typing import Any, Literal, NamedTuple

import msgspec

from asgi_auth.model.event_types import Outcome

#: An id that no user has, to ask for with the same effort.
NO_USER_ID = "00000000-0000-0000-0000-000000000000"
Status = Literal["active", "disabled", "closed"]
#: How a device is known: it is the first of its user, or a further one, or was seen before.
Sighting = Literal["first", "new", "known"]


def new_id(now: float) -> str:
    """Make a UUID of version 7: random, yet in the order of time, so that indexes stay dense (RFC 9562)."""
    milliseconds = int(now * 1000) & (2**48 - 1)
    value = milliseconds << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))


class Record(msgspec.Struct, frozen=True):
    """Base of the records: immutable."""


class User(Record, frozen=True, kw_only=True):
    """An account. `email` is as typed; `email_canonical` is what is compared and unique."""

    id: str
    email: str
    email_canonical: str
    email_verified: bool = False
    status: Status = "active"
    roles: tuple[str, ...] = ()
    data: dict[str, Any] = {}
    created_at: int
    updated_at: int


class Credential(Record, frozen=True, kw_only=True):
    """A way for a user to log in. (`kind`, `identifier`) is unique; `version` grows with every change of `secret`."""

    id: str
    user_id: str
    kind: str
    identifier: str
    secret: str
    data: dict[str, Any] = {}
    version: int = 1
    created_at: int
    updated_at: int


class Session(Record, frozen=True, kw_only=True):
    """One login on one device. `generation` counts the refresh tokens that were made for it."""

    id: str
    user_id: str
    generation: int = 0
    created_at: int
    last_used_at: int
    rotated_at: int
    expires_at: int
    revoked_at: int | None = None
    auth_time: int
    amr: tuple[str, ...] = ()
    user_agent: str = ""
    address: str = ""


class OneTimeToken(Record, frozen=True, kw_only=True):
    """A one-time token that was mailed. Only digests of it and of its code are stored.

    `id` names the request that asked for it; `subject` the canonical address that it is about, with a user or without.
    """

    id: str
    purpose: str
    subject: str
    user_id: str | None = None
    digest: str
    code: str
    data: dict[str, Any] = {}
    attempts: int = 0
    created_at: int
    expires_at: int
    used_at: int | None = None


class Counter(Record, frozen=True, kw_only=True):
    """How often something was tried. `key` is a digest: no address stands in the table.

    `free_at`: when the next attempt is allowed, 0 without pauses. `expires_at`: when it begins anew.
    """

    key: str
    count: int
    free_at: int
    expires_at: int


class Window(NamedTuple):
    """A limit: at most `most` counts of `key` in `seconds` from the first."""

    key: str
    seconds: int
    most: int


class Stored(Record, frozen=True, kw_only=True):
    """All that is stored about a user, without secrets and digests."""

    user: User
    credentials: list[dict[str, Any]]
    sessions: list[dict[str, Any]]
    tokens: list[dict[str, Any]]
    events: list[dict[str, Any]] = []


class Changes(Record, frozen=True, kw_only=True):
    """What every process must know: sessions that ended (id, when), users whose access changed (id, roles, when)."""

    sessions: list[tuple[str, int]] = []
    users: list[tuple[str, tuple[str, ...], int]] = []


class Access(Record, frozen=True, kw_only=True):
    """What a session may do at this moment."""

    alive: bool
    roles: tuple[str, ...]


class Client(Record, frozen=True, kw_only=True):
    """Who is calling: address, user agent and languages; `session_id` is the session its cookie named.

    `request_id` is that of the `X-Request-ID` header, or a new one.
    """

    address: str = ""
    user_agent: str = ""
    accept_language: str = ""
    session_id: str | None = None
    request_id: str = ""


class Event(Record, frozen=True, kw_only=True):
    """Something that has happened, or was refused: by one of the names in `events`.

    `code` is that of the OWASP Logging Vocabulary. `session` is a keyed digest: whoever writes an event down takes it
    in place of `session_id`. `account` is the user's canonical address, where it was at hand; it is not written down.
    """

    name: str
    outcome: Outcome = "success"
    code: str = ""
    at: int
    user_id: str | None = None
    session_id: str | None = None
    session: str | None = None
    client: Client = Client()
    account: str | None = None
    data: dict[str, Any] = {}


class AuditRecord(Record, frozen=True, kw_only=True):
    """An event as it is kept. `id` is in the order of time; `session` is a digest."""

    id: str
    name: str
    outcome: Outcome
    code: str
    at: int
    user_id: str | None = None
    session: str | None = None
    address: str = ""
    user_agent: str = ""
    request_id: str = ""
    data: dict[str, Any] = {}


class LoginAttempt(Record, frozen=True):
    """A user about to get a session: by which factors, and from where."""

    user: User
    amr: tuple[str, ...]
    client: Client


class UserInfo(Record, frozen=True, kw_only=True):
    """What a user is told about the own account."""

    id: str
    email: str
    email_verified: bool
    roles: tuple[str, ...]
    data: dict[str, Any]
    created_at: int

    @classmethod
    def of(cls, user: User) -> "UserInfo":
        """Copy the fields that may be shown, by name."""
        return cls(
            id=user.id,
            email=user.email,
            email_verified=user.email_verified,
            roles=user.roles,
            data=user.data,
            created_at=user.created_at,
        )
