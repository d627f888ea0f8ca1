"""Records that are stored or passed around. Times are whole seconds since 1970 (NumericDate, RFC 7519)."""

import re
import secrets
import uuid
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

import msgspec

from asgi_auth.model.concealed import Concealed
from asgi_auth.model.event_types import Outcome

#: An id that no user has: a look-up for an unknown user costs the same as one for a known user.
NO_USER_ID = "00000000-0000-0000-0000-000000000000"
ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
#: The beginning of the kinds of credentials that claim a value of an extra field, and open nothing.
CLAIM = "field:"
#: In the OpenAPI document, such a field is null where other fields are left out.
NULL_IS_SENT = msgspec.Meta(extra_json_schema={"x-null-is-sent": True})
#: Only an `active` user can log in. Users close their accounts (`closed`), hosts disable them (`disabled`).
Status = Literal["active", "disabled", "closed"]
#: Whether a device is the first of its user, another new one, or already known.
Sighting = Literal["first", "new", "known"]


def new_id(now: float) -> str:
    """Return a new UUID, version 7 (RFC 9562), for a time in seconds since 1970.

    Its leading bits are the time in milliseconds, so that database indexes stay compact. 74 bits are random.
    """
    milliseconds = int(now * 1000) & (2**48 - 1)
    value = milliseconds << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62 | secrets.randbits(62)
    return str(uuid.UUID(int=value))


def is_id(text: str) -> bool:
    """Tell whether a text has the shape of an id of `new_id`: a UUID in lowercase."""
    return ID.fullmatch(text) is not None


class Record(msgspec.Struct, frozen=True):
    """Base class of all records. Records are immutable."""


class User(Record, frozen=True, kw_only=True):
    """An account.

    `email` is the address as the user typed it, for display and mail. `email_canonical` is its normalized form, which
    is unique and used for look-ups. `data` holds the extra fields (see the setting `fields`). `last_login` is the time
    of the last login; None before the first one, and for a users table of the host without the column.
    """

    id: str
    email: str
    email_canonical: str
    email_verified: bool = False
    status: Status = "active"
    roles: tuple[str, ...] = ()
    data: dict[str, Any] = {}
    created_at: int
    updated_at: int
    last_login: Annotated[int | None, NULL_IS_SENT] = None

    @property
    def own_data(self) -> dict[str, Any]:
        """The extra fields without what the library notes for administrators, in members that begin with `_`."""
        return {name: value for name, value in self.data.items() if not name.startswith("_")}


class Credential(Concealed, Record, frozen=True, kw_only=True):
    """A credential that a user can log in with.

    The pair of `kind` and `identifier` is unique. `secret` is never plain text: for a password, it is a hash; it is not
    in the `repr`. `version` increases by one with each change of `secret` or `data`. `used_at` is the time of the last
    use, for the kinds that record it.
    """

    concealed: ClassVar[frozenset[str]] = frozenset({"secret"})

    id: str
    user_id: str
    kind: str
    identifier: str
    secret: str
    data: dict[str, Any] = {}
    version: int = 1
    created_at: int
    updated_at: int
    used_at: int | None = None

    @property
    def is_claim(self) -> bool:
        """Whether it only claims a unique value of an extra field."""
        return self.kind.startswith(CLAIM)


class Session(Record, frozen=True, kw_only=True):
    """A login on one device.

    `generation` is the number of refreshes, and `rotated_at` the time of the last one. `used_generation` is the newest
    generation of which a token was used, so that the client has surely received it. `auth_time` is the time of the
    login, and `amr` lists its methods (RFC 8176). `data` holds what core and features note, such as the times at which
    factors were proven.
    """

    id: str
    user_id: str
    generation: int = 0
    used_generation: int = 0
    created_at: int
    last_used_at: int
    rotated_at: int
    expires_at: int
    revoked_at: int | None = None
    auth_time: int
    amr: tuple[str, ...] = ()
    user_agent: str = ""
    address: str = ""
    data: dict[str, Any] = {}


class OneTimeToken(Concealed, Record, frozen=True, kw_only=True):
    """A mailed one-time token: a link and a code.

    `id` is the `request` value of the answer. `subject` is the canonical email address, with or without a user. `asker`
    is a digest of the client that asked for the mail. `digest` and `code` are digests: the link and the code themselves
    are not stored. `attempts` is the number of wrong codes, `password_attempts` that of passwords submitted with it.
    Digests and data, such as the hash of a password, are not in the `repr`.
    """

    concealed: ClassVar[frozenset[str]] = frozenset({"digest", "code", "data"})

    id: str
    purpose: str
    subject: str
    asker: str = ""
    user_id: str | None = None
    digest: str
    code: str
    data: dict[str, Any] = {}
    attempts: int = 0
    password_attempts: int = 0
    created_at: int
    expires_at: int
    used_at: int | None = None


class Counter(Record, frozen=True, kw_only=True):
    """The number of attempts under one key.

    `key` is a digest, so that no address is stored. `count` is the number of calls or wrong guesses. `free_at` is the
    time of the next allowed guess, or 0 without a backoff. At `expires_at` the counter restarts.
    """

    key: str
    count: int
    free_at: int
    expires_at: int


class Window(Record, frozen=True):
    """A rate limit: at most `most` counts of `key` within `seconds` of the first.

    With `judged`, the window counts wrong guesses: a call is in flight there until it is settled.
    """

    key: str
    seconds: int
    most: int
    judged: bool = False


class Backoff(Record, frozen=True, kw_only=True):
    """The pauses after wrong guesses, in seconds.

    Wrong guess number `after` starts a pause of `pause` seconds. Each further one starts a pause twice as long as the
    last, up to `longest`. Without a guess for `memory` seconds, which exceed `longest`, the count starts over.
    """

    after: int
    pause: int
    longest: int
    memory: int

    def seconds(self, wrong: int) -> int:
        """Return the pause after a number of wrong guesses."""
        # A shift without a bound would compute huge integers; 64 doublings exceed any `longest`.
        return min(self.pause << min(wrong - self.after, 64), self.longest) if wrong >= self.after else 0


class Changes(Record, frozen=True, kw_only=True):
    """Revocations and role changes that each process must apply.

    `sessions` lists the revoked sessions as (id, time); `users` the users with changed roles as (id, roles, time).
    `inactive` lists users who are not active and have sessions among these that the storage has not ended yet.
    `lowered` lists the live sessions that have lost authentication methods; some of them longer ago.
    `position` names the state of the storage that was read. `now` is the time of the database's own clock, in seconds
    since 1970; None for a database without one.
    """

    position: str = ""
    now: float | None = None
    sessions: list[tuple[str, int]] = []
    users: list[tuple[str, tuple[str, ...], int]] = []
    inactive: list[str] = []
    lowered: list[str] = []


class Access(Record, frozen=True, kw_only=True):
    """The current access of a session: its user, whether it is active, the roles of the user, and its methods."""

    user_id: str
    alive: bool
    roles: tuple[str, ...]
    amr: tuple[str, ...] = ()


class Client(Concealed, Record, frozen=True, kw_only=True):
    """The client of a request: network address, user agent and languages.

    `session_id` is the session of the cookies in the request, if any. `request_id` is the value of its `X-Request-ID`
    header, or a new id. `device` is the value of the device cookie: empty for a client that takes its tokens in cookies
    and has no device cookie yet, None for a client that takes no cookies. `cookies` are the cookies of features, by the
    names that they gave them. Both are credentials: they are not in the `repr`, and `cookies` not in events.
    """

    concealed: ClassVar[frozenset[str]] = frozenset({"device", "cookies"})
    address: str = ""
    user_agent: str = ""
    accept_language: str = ""
    session_id: str | None = None
    request_id: str = ""
    device: str | None = None
    cookies: Mapping[str, str] = {}

    def identified(self) -> "Client":
        """Return the client with a request id: a new one for a call without any, shared by all events of the call."""
        return self if self.request_id else msgspec.structs.replace(self, request_id=secrets.token_hex(8))

    def without_cookies(self) -> "Client":
        """Return the client without the cookies of features, for events."""
        return msgspec.structs.replace(self, cookies={}) if self.cookies else self


class Event(Record, frozen=True, kw_only=True):
    """An event: something happened, or was rejected.

    `name` is an action of `asgi_auth.model.event_types` or of a feature. `code` is its code in the OWASP Logging
    Vocabulary. Log `session`, a keyed digest, never `session_id`. `account` is the canonical email address of the user,
    where known; do not log it. `data` depends on the action. `actor` is the id of the user who did it, where that is
    another than the subject of the event.
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
    actor: str | None = None


class AuditRecord(Record, frozen=True, kw_only=True):
    """A stored event. Ids sort by time; `session` is the keyed digest of the session id.

    Above a number of events of one kind and subject in an hour, further ones are one record, whose `count` is their
    number. `actor` is the id of the user who did it, where that is another than the subject of the event.
    """

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
    count: int = 1
    actor: str | None = None


class LoginAttempt(Record, frozen=True):
    """A user who is about to get a session: the methods used (`amr`, RFC 8176), and the client."""

    user: User
    amr: tuple[str, ...]
    client: Client
