"""Imports users batch by batch: each batch is one transaction, and what is there already is left alone."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias, TypeVar

from asgi_auth.accounts.passwords import PasswordService
from asgi_auth.auth import Auth
from asgi_auth.errors import BusyError, StorageUnavailableError
from asgi_auth.importing.files import Entry
from asgi_auth.importing.formats import Context, Record
from asgi_auth.importing.prepare import Prepared, Preparer
from asgi_auth.importing.record import RefusedError, read_record
from asgi_auth.importing.report import ImportReport, ImportStoppedError, Refusal
from asgi_auth.importing.updating import Update, Updates
from asgi_auth.model.records import User
from asgi_auth.storage import Storage

T = TypeVar("T")
#: The outcomes of the records that were taken, and the refused ones.
Stored: TypeAlias = tuple[list[str], list[Refusal]]
OnConflict: TypeAlias = Literal["skip", "update", "fail"]
#: Attempts at a batch while the database is unavailable or busy; the pause before each is twice as long as the last.
TRIES, PAUSE = 6, 0.25
ASSIGNED = "id: the database assigns the ids of users; see new_ids"
MISMATCH = "the id and the address do not belong to one user"
TAKEN = "a credential or a unique value of it belongs to another user"
REFUSED = "the users table refuses a value of the record"


class _DryRunError(Exception):
    """Ends the transaction of a dry run without a commit."""


@dataclass(frozen=True, kw_only=True)
class Options:
    """How an import treats users that are there, whether it stores anything, and whether it ignores given ids."""

    on_conflict: OnConflict = "skip"
    updates: Updates
    dry_run: bool = False
    new_ids: bool = False


class Importer:
    """Imports the users of one source into one `Auth`."""

    def __init__(
        self,
        auth: Auth,
        convert: Callable[[Record, Context], Record | None],
        context: Context,
        options: Options,
        refused: Callable[[Refusal], None],
    ) -> None:
        """Take what an import depends on; `refused` is called for each refused record."""
        self._auth = auth
        self._convert = convert
        self._context = context
        self._options = options
        self._preparer = Preparer(auth, new_ids=options.new_ids)
        self._refused = refused
        self.report: ImportReport = ImportReport()

    async def run(self, batches: AsyncIterator[Sequence[Entry]]) -> AsyncIterator[ImportReport]:
        """Import all batches, and yield the report after each."""
        async for batch in batches:
            if not batch:
                continue
            prepared, refusals = await asyncio.to_thread(self._prepared, batch)
            for each in prepared:
                await self._hash(each)
            done, more = await self._stored(prepared)
            for refusal in sorted([*refusals, *more]):
                self.report.refuse(refusal)
                self._refused(refusal)
            for outcome in done:
                setattr(self.report, outcome, getattr(self.report, outcome) + 1)
            self.report.line = batch[-1].number
            yield self.report

    def _prepared(self, batch: Sequence[Entry]) -> tuple[list[Prepared], list[Refusal]]:
        prepared, refusals = list[Prepared](), list[Refusal]()
        for entry in batch:
            try:
                prepared += self._prepare(entry)
            except RefusedError as error:
                refusals.append(Refusal(entry.number, str(error)))
        return prepared, refusals

    def _prepare(self, entry: Entry) -> list[Prepared]:
        """Prepare a record; returns nothing for one that is no user."""
        if entry.record is None:
            raise RefusedError(entry.problem)
        converted = self._convert(entry.record, self._context)
        return [] if converted is None else [self._preparer.prepare(entry.number, read_record(converted))]

    async def _hash(self, each: Prepared) -> None:
        """Hash a plain password, one at a time: logins come first."""
        if each.password is None or self._options.dry_run:
            return
        service = self._auth[PasswordService]
        secret = await _trying(lambda: service.hasher.hash(each.password or ""), BusyError)
        each.credentials.append(service.credential(each.user.id, secret))
        each.password = None

    async def _stored(self, batch: list[Prepared]) -> Stored:
        """Store a batch. Returns the outcomes, and the records that were refused."""
        options = self._options
        if options.on_conflict != "fail":
            # Concurrent imports lock addresses in one order, so that none waits for another in a circle.
            batch = sorted(batch, key=lambda each: each.user.email_canonical)
            if not options.dry_run and not any(each.was_used for each in batch):
                added = await _trying(lambda: self._added_at_once(batch), StorageUnavailableError)
                return await self._outcomes(self._auth.storage, batch, added)
        return await _trying(lambda: self._in_transaction(batch), StorageUnavailableError)

    async def _added_at_once(self, batch: list[Prepared]) -> list[User | None]:
        """Add the users of a batch, in a transaction that ends before those that are there are looked up."""
        async with self._auth.storage.transaction() as storage:
            return await self._added(storage, batch)

    async def _in_transaction(self, batch: list[Prepared]) -> Stored:
        """Store a batch, with all that belongs to it, or for a dry run nothing."""
        stored: Stored = ([], [])
        with contextlib.suppress(_DryRunError):
            async with self._auth.storage.transaction() as storage:
                added = await self._added(storage, batch)
                for credential in [each for prepared in batch for each in prepared.credentials]:
                    if credential.used_at is not None:
                        await storage.use_credential(credential.id, credential.used_at, 0)
                stored = await self._outcomes(storage, batch, added)
                if self._options.dry_run:
                    raise _DryRunError
        return stored

    async def _added(self, storage: Storage, batch: list[Prepared]) -> list[User | None]:
        """Add the users of a batch; None for each that is there, or whose id cannot be kept."""
        keeps = [not (self._preparer.assigns and each.given_id is not None) for each in batch]
        new = [(each.user, each.credentials) for each, kept in zip(batch, keeps, strict=True) if kept]
        added = iter(await storage.add_users(new))
        return [next(added) if kept else None for kept in keeps]

    async def _outcomes(self, storage: Storage, batch: list[Prepared], added: Sequence[User | None]) -> Stored:
        outcomes, refusals = list[str](), list[Refusal]()
        for each, user in zip(batch, added, strict=True):
            try:
                outcomes.append("made" if user is not None else await self._met(storage, each))
            except RefusedError as error:
                refusals.append(Refusal(each.line, str(error)))
        return outcomes, refusals

    async def _met(self, storage: Storage, each: Prepared) -> str:
        """Decide about a user whose id, address or credential is taken. Raises RefusedError."""
        by_id = await storage.user(each.given_id) if each.given_id is not None else None
        by_address = await storage.user_by_email(each.user.email_canonical)
        if by_address is None and by_id is None:
            raise RefusedError(await self._reason(storage, each))
        if self._options.on_conflict == "skip":
            return "skipped"
        if self._options.on_conflict == "fail":
            raise ImportStoppedError(each.line, replace(self.report))
        if by_address is None or (each.given_id is not None and (by_id is None or by_id.id != by_address.id)):
            raise RefusedError(MISMATCH)
        update = Update(self._auth, by_address, each, self._options.updates)
        await _trying(lambda: update.run(storage, dry_run=self._options.dry_run), StorageUnavailableError)
        return "updated"

    async def _reason(self, storage: Storage, each: Prepared) -> str:
        """Return why a user could not be added whose id and address are free."""
        if self._preparer.assigns and each.given_id is not None:
            return ASSIGNED
        for credential in each.credentials:
            if await storage.find_credential(credential.kind, credential.identifier) is not None:
                return TAKEN
        names = [field.name for field in self._auth.settings.fields if field.column]
        own = [name for name in names if each.user.data.get(name) is not None]
        return f"{REFUSED}: {', '.join(own)}" if own else TAKEN


async def _trying(work: Callable[[], Awaitable[T]], error: type[Exception]) -> T:
    """Do something, and again after an error that passes. The last attempt raises it."""
    for number in range(TRIES - 1):
        try:
            return await work()
        except error:
            await asyncio.sleep(PAUSE * 2**number)
    return await work()
