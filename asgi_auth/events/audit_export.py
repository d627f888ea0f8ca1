"""Audit records as a file: lines of JSON, or CSV for spreadsheets, in bounded memory."""

import csv
import io
import re
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Literal, TypeAlias

import msgspec

from asgi_auth.model.records import AuditRecord
from asgi_auth.storage import Storage

Format: TypeAlias = Literal["csv", "jsonl"]
#: The media types of the formats (RFC 4180; JSON lines have no registered type).
MEDIA_TYPES: dict[Format, str] = {"csv": "text/csv", "jsonl": "application/x-ndjson"}
#: The records that are read at once.
PAGE = 500
COLUMNS = (
    "id", "at", "name", "outcome", "code", "user", "actor", "session", "address", "user_agent", "request_id", "count",
    "data",
)  # fmt: skip
#: What spreadsheets take for the beginning of a formula (OWASP, CSV injection), also in its full-width form, with the
#: space before it. No space is read twice, so that long ones take no long time.
FORMULA = re.compile(r"(?<![\s;])[\s;]*(?=[=+\-@\uff1d\uff0b\uff0d\uff20])")
#: What separates cells in some countries.
SEPARATORS = frozenset(";\t\r\n")


def first_id(at: int) -> str:
    """Return the text before which all ids of records from before a time are (UUID, version 7)."""
    digits = f"{at * 1000:012x}"
    return f"{digits[:8]}-{digits[8:]}"


def before_of(before: str | None, until: int | None) -> str | None:
    """Return the id before which the records are that are older than one id, and from before a time."""
    ends = [text for text in (before, first_id(until) if until is not None else "") if text]
    return min(ends, default=None)


@dataclass(frozen=True, kw_only=True)
class Filters:
    """Which records: those about a user, or about all; of the event `name`; from `since` to before `until`."""

    user_id: str | None = None
    name: str | None = None
    since: int = 0
    until: int | None = None


async def audit_pages(storage: Storage, filters: Filters) -> AsyncIterator[list[AuditRecord]]:
    """Yield the records page by page, the newest first. Raises StorageUnavailableError."""
    before = before_of(None, filters.until)
    while page := await storage.audit_records(filters.user_id, PAGE, before, name=filters.name, since=filters.since):
        yield page
        before = page[-1].id


async def audit_file(
    storage: Storage,
    format: Format,  # noqa: A002 (the word of the endpoint and of the command line)
    filters: Filters,
) -> AsyncIterator[bytes]:
    """Yield the records as a file, page by page, the newest first. Raises StorageUnavailableError."""
    if format == "csv":
        yield _csv([COLUMNS])
    async for page in audit_pages(storage, filters):
        yield WRITERS[format](page)


def _values(record: AuditRecord) -> dict[str, Any]:
    return {column: getattr(record, "user_id" if column == "user" else column) for column in COLUMNS}


def _json_lines(page: Sequence[AuditRecord]) -> bytes:
    return msgspec.json.Encoder().encode_lines(map(_values, page))


def _csv_lines(page: Sequence[AuditRecord]) -> bytes:
    return _csv([[_cell(value) for value in _readable(record).values()] for record in page])


def _readable(record: AuditRecord) -> dict[str, Any]:
    """Return the values as a spreadsheet shows them: the time in ISO 8601, in UTC."""
    values = _values(record)
    at = datetime.fromtimestamp(record.at, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return values | {"at": at, "data": msgspec.json.encode(record.data).decode() if record.data else ""}


def _cell(value: Any) -> str:
    """Return a cell that no spreadsheet runs as a formula: an apostrophe stands before what would be one.

    Clients choose their user agent, and parts of other values.
    """
    return "" if value is None else FORMULA.sub(_guarded, str(value))


def _guarded(found: re.Match[str]) -> str:
    """Put the apostrophe at the beginning of a cell, or after what separates cells."""
    begins = found.start() == 0 or not SEPARATORS.isdisjoint(found[0])
    return f"{found[0]}'" if begins else found[0]


def _csv(rows: Sequence[Sequence[str]]) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerows(rows)
    return text.getvalue().encode()


WRITERS: dict[Format, Callable[[Sequence[AuditRecord]], bytes]] = {"csv": _csv_lines, "jsonl": _json_lines}
