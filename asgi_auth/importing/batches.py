"""Batches of records: at most 500 in number, and a few MiB in size."""

import asyncio
from collections.abc import AsyncIterator, Iterable, Iterator
from itertools import count
from typing import Any

from asgi_auth.importing.files import Entry

#: The most records of a batch, which is one transaction, and the bytes after which it ends.
MOST, BYTES = 500, 2**22


async def batched(entries: Iterable[Entry], from_line: int) -> AsyncIterator[list[Entry]]:
    """Yield batches, without the records before a line. Reading happens in a thread."""
    iterator = (entry for entry in entries if entry.number >= from_line)
    while batch := await asyncio.to_thread(_next, iterator):
        yield batch


def _next(entries: Iterator[Entry]) -> list[Entry]:
    batch: list[Entry] = []
    size = 0
    for entry in entries:
        batch.append(entry)
        size += entry.size
        if len(batch) >= MOST or size >= BYTES:
            break
    return batch


def entries_of_records(records: Iterable[dict[str, Any]]) -> Iterator[Entry]:
    """Number records of Python."""
    return (Entry(number, 0, record) for number, record in zip(count(1), records, strict=False))
