"""What processes tell each other about access: revoked sessions, changed roles, and that the database is current."""

import msgspec

from asgi_auth.model.records import Record


class Heartbeat(Record, frozen=True, kw_only=True):
    """The heartbeat of a database with several servers, as one of them shows it.

    `server` names the server, and changes when it starts again. `age` is the seconds since the last beat, and `proven`
    those since the last one that is known to have been acknowledged, by the clock of the server; negative after its
    clock was set back.
    """

    server: str
    age: float
    proven: float


class Beat(Record, frozen=True, kw_only=True):
    """One beat that a server has acknowledged: the server, and its time in seconds since 1970."""

    server: str
    at: float


class Changes(Record, frozen=True, kw_only=True):
    """Revocations and role changes that each process must apply.

    `sessions` lists the revoked sessions as (id, time). `packed` holds further ones whose ids are UUIDs in lowercase:
    the 16 bytes of each, one after the other. A storage need not use it.
    `users` lists the users with changed roles as (id, roles, time).
    `inactive` lists users who are not active and have sessions among these that the storage has not ended yet.
    `lowered` lists the live sessions that have lost authentication methods; some of them longer ago.
    `up_to` is the greatest session id of those that have ended all at once: every session with a smaller or the same id
    has ended, unless it began in the same moment. The sessions themselves are not listed.
    `position` names the state of the storage that was read. With `more`, it names a page: the next call with it returns
    the next page. `is_new` says that the position which was asked for is of another state of the database: it has been
    restored, restarted or replaced by another server since, and everything is read again.
    `now` is the time of the database's own clock, in seconds since 1970; None for a database without one.
    """

    position: str = ""
    more: bool = False
    is_new: bool = False
    now: float | None = None
    heartbeat: Heartbeat | None = None
    sessions: list[tuple[str, int]] = msgspec.field(default_factory=list)
    packed: bytes = b""
    users: list[tuple[str, tuple[str, ...], int]] = msgspec.field(default_factory=list)
    inactive: list[str] = msgspec.field(default_factory=list)
    lowered: list[str] = msgspec.field(default_factory=list)
    up_to: str = ""


class Access(Record, frozen=True, kw_only=True):
    """The current access of a session: its user, whether it is active, the roles of the user, and its methods."""

    user_id: str
    alive: bool
    roles: tuple[str, ...]
    amr: tuple[str, ...] = ()
