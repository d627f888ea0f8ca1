"""Pages of the feed of changes: positions between two of them, and what one page tells."""

from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from asgi_auth.storage.rows import Row

#: The length of the text of a UUID, that without hyphens, the number of its bytes, and the places of the hyphens.
LENGTH, DIGITS, SIZE = 36, 32, 16
HYPHENS = (8, 13, 18, 23)


class Page(msgspec.Struct, frozen=True):
    """A position between two pages: where the reading began, where it ends, and the last row that was read.

    `base` is the position after which rows are read, empty for those since a time. `target` is the position of the
    reader after the last page. `place` is the id of the transaction of the last row, or its time without a `base`.
    """

    base: str
    target: str
    place: str
    number: int

    @property
    def text(self) -> str:
        """The position as a text."""
        return f"|{msgspec.json.encode(self).decode()}"

    @classmethod
    def of(cls, position: str) -> "Page | None":
        """Read a position between two pages; return None for any other position."""
        return msgspec.json.decode(position[1:], type=cls) if position.startswith("|") else None


class Found(NamedTuple):
    """What a page tells: rows, the packed ids of ended sessions, and the last row, None if no page follows."""

    rows: Sequence[Row]
    packed: bytes = b""
    last: tuple[str, int] | None = None


def packed(ids: str, count: int) -> bytes | None:
    """Return the bytes of so many UUIDs in lowercase, one after the other; None unless all are such."""
    if len(ids) != LENGTH * count or any(ids[place::LENGTH] != "-" * count for place in HYPHENS):
        return None
    digits = ids.replace("-", "")
    if len(digits) != DIGITS * count:
        return None
    try:
        found = bytes.fromhex(digits)
    except ValueError:
        return None
    # Capital letters and spaces are read, too.
    return found if found.hex() == digits else None


def of_one_page(rows: Sequence[Row], most: int) -> Sequence[Row]:
    """Return the first rows: one at least, and no more than tell of the sessions of one page."""
    number = 0
    for place, row in enumerate(rows):
        number += row["ended"] or 1
        if number > most and place:
            return rows[:place]
    return rows
