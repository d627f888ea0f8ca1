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
#: The beginning of the kinds of credentials that keep something for a user, such as tokens of a provider, and open
#: nothing. They may change at any time.
KEPT = "kept:"
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
    """An account, as it is stored. Times are seconds since 1970."""

    id: str
    """The id: a UUID, unless the host chooses ids of its own."""
    email: str
    """The address as the user typed it, for display and mail."""
    email_canonical: str
    """The normalized address, which is unique and used for look-ups."""
    email_verified: bool = False
    """Whether the user has proved to receive mail at the address."""
    status: Status = "active"
    """`active`; `disabled` by the host; or `closed` by the user. Only active users can log in."""
    roles: tuple[str, ...] = ()
    """The roles, which no request of the user can set."""
    data: dict[str, Any] = {}
    """The extra fields (see the setting `fields`). Names that begin with `_` are of the library; see `own_data`."""
    created_at: int
    """The time of the registration."""
    updated_at: int
    """The time of the last change of the account."""
    last_login: Annotated[int | None, NULL_IS_SENT] = None
    """The time of the last login; None before the first one, and for a users table of the host without the column."""

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

    @property
    def is_kept(self) -> bool:
        """Whether it only keeps something for its user."""
        return self.kind.startswith(KEPT)


class Session(Record, frozen=True, kw_only=True):
    """A login on one device.

    `generation` is the number of refreshes, and `rotated_at` the time of the last one. `used_generation` is the newest
    generation of which a token was used, so that the client has surely received it. `auth_time` is the time of the
    login, and `amr` lists its methods (RFC 8176). `data` holds what core and features note, such as the times at which
    factors were proven. `grant_id` is the credential by which the user let a client in (RFC 6749, 1.1): the session is
    that of the client. The user's own sessions have None.
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
    grant_id: str | None = None


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


class Client(Concealed, Record, frozen=True, kw_only=True):
    """The client of a request. `device` and `cookies` are credentials: they are not in the `repr`."""

    concealed: ClassVar[frozenset[str]] = frozenset({"device", "cookies"})
    address: str = ""
    """The network address; empty where it is not known."""
    user_agent: str = ""
    """The header `User-Agent`."""
    accept_language: str = ""
    """The header `Accept-Language`."""
    session_id: str | None = None
    """The session of the cookies in the request, if any."""
    request_id: str = ""
    """The value of the header `X-Request-ID`, or a new id."""
    device: str | None = None
    """The device cookie: empty for a client of cookie mode without one, None for a client that takes no cookies."""
    cookies: Mapping[str, str] = {}
    """The cookies of features, by the names that these gave them. Events do not have them."""

    def identified(self) -> "Client":
        """Return the client with a request id: a new one for a call without any, shared by all events of the call."""
        return self if self.request_id else msgspec.structs.replace(self, request_id=secrets.token_hex(8))

    def without_cookies(self) -> "Client":
        """Return the client without the cookies of features, for events."""
        return msgspec.structs.replace(self, cookies={}) if self.cookies else self


class Event(Record, frozen=True, kw_only=True):
    """An event: something happened, or was rejected. Times are seconds since 1970."""

    name: str
    """The action, of `asgi_auth.model.event_types` or of a feature."""
    outcome: Outcome = "success"
    """`success` or `failure`."""
    code: str = ""
    """The code in the OWASP Logging Vocabulary."""
    at: int
    """The time of the event."""
    user_id: str | None = None
    """The id of the user that the event is about, where known."""
    session_id: str | None = None
    """The id of the session, for code. Do not log it."""
    session: str | None = None
    """A keyed digest of the id of the session, for logs."""
    client: Client = Client()
    """The client of the request."""
    account: str | None = None
    """The canonical email address of the user, where known. Do not log it."""
    data: dict[str, Any] = {}
    """Details of the action. A failure has the `endpoint`, the `reason`, and the `cause` that the answer conceals."""
    actor: str | None = None
    """The id of the user who did it, where that is another than the subject of the event."""


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
