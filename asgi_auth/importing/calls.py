"""The call that imports users."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, get_args

from asgi_auth.auth import Auth
from asgi_auth.importing.batches import batched, entries_of_records
from asgi_auth.importing.files import Entry, UserFile
from asgi_auth.importing.formats import CSV_COLUMNS, FORMATS, Context, Format, firebase_parameters
from asgi_auth.importing.importer import Importer, OnConflict, Options
from asgi_auth.importing.report import ImportReport, Refusal
from asgi_auth.importing.updating import Updates
from asgi_auth.model import event_types as events


async def import_users(
    auth: Auth,
    source: str | Path | Iterable[dict[str, Any]],
    *,
    format: Format = "native",  # noqa: A002 (the word of the command line)
    dry_run: bool = False,
    on_conflict: OnConflict = "skip",
    from_line: int = 1,
    with_roles: bool = False,
    with_credentials: bool = False,
    new_ids: bool = False,
    roles: Mapping[str, str] | None = None,
    firebase: str = "",
    progress: Callable[[ImportReport], None] = lambda _: None,
    refused: Callable[[Refusal], None] = lambda _: None,
) -> ImportReport:
    """Import users from a file, or from records of Python, in batches of at most 500: each is one transaction.

    A user whose id or address is there is skipped, so that an interrupted import can run again; `from_line` saves it
    the time. `on_conflict="update"` sets the extra fields of such a user, if id and address belong to one user;
    `with_roles` also its roles and status, `with_credentials` also its credentials and whether the address is verified.
    `"fail"` raises ImportStoppedError. `dry_run` stores nothing, and `new_ids` ignores the ids of the file. `roles`
    maps flags and roles of another system to roles here, `firebase` is the text of the hash parameters of a project.
    `progress` is called after each batch. Raises FileError, OSError, ValueError and StorageUnavailableError.
    """
    if format not in FORMATS or on_conflict not in get_args(OnConflict):
        raise ValueError(f"the formats are {', '.join(FORMATS)}; on_conflict is {', '.join(get_args(OnConflict))}")
    updates = Updates(roles=with_roles, credentials=with_credentials)
    options = Options(on_conflict=on_conflict, updates=updates, dry_run=dry_run, new_ids=new_ids)
    context = context_of(auth, roles or {}, firebase)
    await auth.start()
    importer = Importer(auth, FORMATS[format], context, options, refused)
    if not isinstance(source, str | Path):
        entries = entries_of_records(source)
        return await finish(auth, importer, batched(entries, from_line), progress, dry_run=dry_run)
    file = UserFile(Path(source), CSV_COLUMNS.get(format, ()))
    return await finish(auth, importer, batched(file.entries(), from_line), progress, file.part, dry_run=dry_run)


def context_of(auth: Auth, roles: Mapping[str, str], firebase: str = "") -> Context:
    """Return what the conversion of records depends on. Raises ValueError for wrong hash parameters."""
    return Context(
        fields=frozenset(item.name for item in auth.settings.fields),
        roles=roles,
        firebase=firebase_parameters(firebase) if firebase else {},
        now=auth.now(),
    )


async def finish(
    auth: Auth,
    importer: Importer,
    batches: AsyncIterator[Sequence[Entry]],
    progress: Callable[[ImportReport], None],
    part: Callable[[], float | None] = lambda: None,
    *,
    dry_run: bool,
) -> ImportReport:
    """Run an import to its end, and emit one event about it. `part` returns the part of the source that was read."""
    try:
        async for report in importer.run(batches):
            report.part = part()
            progress(report)
            # Other tasks of the process go on.
            await asyncio.sleep(0)
    finally:
        report = importer.report
        if not dry_run and report.made + report.updated:
            await auth.emit(events.USERS_IMPORT, data={"made": report.made, "updated": report.updated})
    return importer.report
