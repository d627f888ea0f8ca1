"""One of the two installations: an app with all default features, and records of what its requests do."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from copy import copy
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar
from urllib.parse import urlencode

import msgspec
from starlette.types import ASGIApp

from asgi_auth import Account, Argon2, Audit, Auth, AuthMiddleware, MagicLink, Outbox, Passwords, Settings, Usernames
from asgi_auth.feature import Feature, PasswordService
from asgi_auth.features.defaults import defaults
from asgi_auth.mail.message import Letter, Mail
from asgi_auth.mail.send_once import WriteLetter
from asgi_auth.model.records import Status, User, new_id
from asgi_auth.pages.feature import Pages
from asgi_auth.storage.names import TABLES
from asgi_auth.storage.postgres import Postgres
from asgi_auth.storage.rows import Row
from asgi_auth.storage.sql import SQLStorage
from asgi_auth.storage.sqlite import SQLite
from asgi_auth.storage.statements import audit, counters, sessions, tokens, users
from tests.support import EMAIL, ORIGIN, PASSWORD, SECRET, Answer, Clock, call, http_scope, who

T = TypeVar("T")
#: The caller's own account, which both installations have.
MALLORY = "mallory@example.com"
#: The caller's second mailbox, which has no account in the beginning.
EVE = "eve@example.com"
#: The names of the caller and of the account that only one installation has.
MALLORYS, OWNERS = "mallory", "Ada"
DAY = 86400
#: The tables that are not about accounts.
KEPT = {"migrations", "installation", "changes"}
REOPEN = 3 * DAY


class Recorder(SQLStorage):
    """Notes the statements of the task that serves a request, and none of background work."""

    task: "asyncio.Task[Any] | None" = None
    #: Whether this is the storage of a transaction of the request, which may run in another thread.
    recording = False
    statements: list[str]

    async def run(self, statement: str, values: Mapping[str, Any], *, read: bool = False) -> Sequence[Row]:
        if self.recording or self._is_in_request():
            self.statements.append(name_of(statement))
        return await super().run(statement, values, read=read)

    async def _atomically(self, work: Callable[[Any], Awaitable[T]]) -> T:
        inner = copy(self)
        inner.recording = self.recording or self._is_in_request()
        return await super(Recorder, inner)._atomically(work)

    def _is_in_request(self) -> bool:
        try:
            return self.task is not None and asyncio.current_task() is self.task
        except RuntimeError:
            return False


class RecordingSQLite(Recorder, SQLite):
    """SQLite."""


class RecordingPostgres(Recorder, Postgres):
    """PostgreSQL."""


@cache
def names() -> dict[str, str]:
    """The statements by text."""
    modules = (audit, counters, sessions, tokens, users)
    return {text: name for module in modules for name, text in vars(module).items() if isinstance(text, str)}


def name_of(statement: str) -> str:
    """The name of a statement, else its first words: the same for statements that differ in values only."""
    return names().get(statement) or " ".join(statement.split()[:6])


def storage_of(url: str) -> Recorder:
    """A recording storage."""
    storage: Recorder = RecordingPostgres(url) if url.startswith("postgres") else RecordingSQLite()
    storage.statements = []
    return storage


def features() -> list[Feature]:
    """All default features, with cheap hashes, and those that are off by default."""
    others = [item for item in defaults(mail=True) if not isinstance(item, Passwords | Account)]
    return [Passwords(argon2=Argon2.cheap()), *others, Account(reopen=REOPEN), MagicLink(), Usernames(), Pages()]


@dataclass
class Seen:
    """What a call showed: the answer, the statements of its request, and the numbers of mails and of hashes."""

    answer: Answer
    statements: list[str]
    mails: int
    hashes: int


@dataclass
class Installation:
    """An app, its clock, its mails, and what the caller has been given by it."""

    auth: Auth
    app: ASGIApp
    outbox: Outbox
    clock: Clock
    #: The `request` values of answers, the newest last.
    requests: list[str] = field(default_factory=list)
    #: Random values that the caller has just sent, by kind.
    sent: dict[str, str] = field(default_factory=dict)
    cookies: dict[str, str] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    #: The mails to the address, which a stranger cannot read; those to the stranger stay in the outbox.
    owner_mails: list[Mail] = field(default_factory=list)
    #: Whether the last call logged the stranger in.
    granted: bool = False
    written: int = 0
    rendered: int = 0
    hashed: int = 0
    sorted: int = 0

    @classmethod
    def of(cls, url: str) -> "Installation":
        """Make one on a database, whose mails are not rendered for real: that would be most of the time."""
        outbox, clock = Outbox(), Clock()
        settings = Settings(secret=SECRET, base_url=ORIGIN, purge_interval=0, max_revocation_lag=60)
        auth = Auth(storage_of(url), settings=settings, features=features(), mailer=outbox, now=clock)
        auth.mail.pause = 0
        auth.purger.pause = 0
        made = cls(auth, AuthMiddleware(who, auth, mount="/auth"), outbox, clock)
        made._watch_mails()
        made._watch_hashes()
        return made

    def _watch_hashes(self) -> None:
        hasher = self.auth[PasswordService].hasher
        verify, make = hasher.verify, hasher.hash

        async def verified(hashed: str | None, password: str) -> bool:
            self.hashed += 1
            return await verify(hashed, password)

        async def made(password: str) -> str:
            self.hashed += 1
            return await make(password)

        hasher.verify, hasher.hash = verified, made  # type: ignore[method-assign]  # count

    def _watch_mails(self) -> None:
        delivery, send = self.auth.mail, self.auth.mail.send_later

        def counted(write: WriteLetter, *, decoy: bool = False) -> None:
            self.written += 1
            send(write, decoy=decoy)

        def rendered(letter: Letter) -> Mail:
            self.rendered += 1
            texts = {"subject": letter.purpose, "text": letter.purpose, "html": ""}
            shared = {name: getattr(letter, name) for name in ("purpose", "to", "link", "token", "code", "user_id")}
            return Mail(**shared, **texts)

        delivery.send_later = counted  # type: ignore[method-assign]  # counts
        delivery._templates.render = rendered  # type: ignore[method-assign]  # counts

    async def reset(self, at: float) -> None:
        """Empty the tables, forget what was given, and set the clock."""
        await self.auth.start()
        await self.auth.mail.idle()
        storage: Any = self.auth.storage
        for table in [*(name for name in TABLES if name not in KEPT), "users"]:
            await storage.run(f"DELETE FROM {{{table}}}", {})
        self.clock.at = at
        self.outbox.mails.clear()
        self.owner_mails.clear()
        self.sorted = 0
        self.requests, self.cookies, self.tokens = [], {}, {}

    async def add_user(
        self, email: str, *, name: str, status: Status = "active", verified: bool = True, password: str = PASSWORD
    ) -> User:
        """Add an account in process, as a script of an administrator does."""
        passwords, now = self.auth[PasswordService], int(self.clock())
        user = User(id=new_id(now), email=email, email_canonical=email, created_at=now, updated_at=now)
        secret = await hash_of(self.auth, password)
        assert await self.auth.storage.add_user(user, passwords.credential(user.id, secret))
        user = await self.auth.users.set_data(user.id, username=name)
        if verified:
            user = await self.auth.users.set_verified(user.id)
        if status != "active":
            user = await self.auth.users.set_status(user.id, status)
        await self.auth.mail.idle()
        return user

    async def settle(self) -> None:
        """Wait for the background work: mails and audit records."""
        await self.auth.mail.idle()
        await self.auth[Audit].queue.flush()

    def _sort_mails(self) -> None:
        """Keep the mails of the owner apart; those of one call have no order."""
        self.owner_mails += [mail for mail in self.outbox.mails if mail.to not in {MALLORY, EVE}]
        mine = [mail for mail in self.outbox.mails if mail.to in {MALLORY, EVE}]
        new = sorted(mine[self.sorted :], key=lambda mail: (mail.purpose, mail.to))
        self.outbox.mails[:] = [*mine[: self.sorted], *new]
        self.sorted = len(mine)

    async def call(
        self, method: str, path: str, body: Any, headers: Sequence[tuple[str, str]], client: str | None
    ) -> Seen:
        """Send a request, and wait until its mails are done."""
        storage: Any = self.auth.storage
        pairs, data = list(headers), b""
        if isinstance(body, Form):
            pairs.append(("content-type", "application/x-www-form-urlencoded"))
            data = urlencode(body.values).encode()
        elif body is not None:
            pairs.append(("content-type", "application/json"))
            data = json.dumps(body).encode()
        path, _, query = path.partition("?")
        address = {"client": (client, 4711) if client else None, "query_string": query.encode()}
        storage.statements, before, hashed = [], (self.written, self.rendered), self.hashed
        storage.task = asyncio.current_task()
        try:
            answer = await call(self.app, http_scope(method, "/auth" + path, pairs, **address), data)
        finally:
            storage.task = None
        await self.settle()
        mails = (self.written - before[0], self.rendered - before[1])
        assert mails[0] == mails[1]
        self._sort_mails()
        return Seen(answer, storage.statements, mails[0], self.hashed - hashed)


class Form(msgspec.Struct):
    """A body that is sent as a form."""

    values: dict[str, str]


_HASHED: dict[str, str] = {}


async def hash_of(auth: Auth, password: str) -> str:
    """The hash of a password, made once."""
    if password not in _HASHED:
        _HASHED[password] = await auth[PasswordService].hasher.hash(password)
    return _HASHED[password]


__all__ = ["EMAIL", "MALLORY", "Form", "Installation", "Seen"]
