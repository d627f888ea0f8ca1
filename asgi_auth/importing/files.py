"""Files of users, read record by record in bounded memory: JSON lines, CSV, and JSON documents with a list."""

import codecs
import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

#: The longest line, in bytes, and the longest record of a JSON document, in characters.
MAX_LINE = 2**20
#: The longest value beside the list of users in a JSON document, in characters.
MAX_VALUE = 2**26
CHUNK = 2**16
BOM = b"\xef\xbb\xbf"
SPACE = " \t\r\n"
#: The members of documents that hold the users: Firebase's and Keycloak's.
LISTS = ("users",)
TOO_LONG = "the line is longer than 1 MiB"


class Entry(NamedTuple):
    """A record of a file: its number, its size in bytes, and what it holds, or what is wrong with it.

    The number is that of the line where the record ends, and in a JSON document that of the record.
    """

    number: int
    size: int
    record: dict[str, Any] | None
    problem: str = ""


class FileError(ValueError):
    """A file cannot be read any further. The text says where, and nothing of the content."""


class UserFile:
    """A file of users, read by its suffix: `.jsonl` or `.ndjson`, `.csv`, or `.json`.

    `columns` are the names of the values in a file of CSV without a first line that has them.
    """

    def __init__(self, path: Path, columns: Sequence[str] = ()) -> None:
        """Open nothing yet. Raises FileError for another suffix."""
        if path.suffix.lower() not in READERS:
            raise FileError(f"the name of the file ends with {', '.join(READERS)}")
        self._path = path
        self._columns = columns
        self._file: BinaryIO | None = None
        self._size = 0

    def entries(self) -> Iterator[Entry]:
        """Yield the records.

        Raises FileError for a document that is not JSON, and OSError for a file that cannot be read.
        """
        with self._path.open("rb") as self._file:
            self._size = os.fstat(self._file.fileno()).st_size
            suffix = self._path.suffix.lower()
            yield from _csv(self._file, self._columns) if suffix == ".csv" else READERS[suffix](self._file)

    def part(self) -> float | None:
        """Return the part of the file that was read, from 0 to 1; None before that, and for what has no size."""
        if self._file is None or not self._size:
            return None
        return 1.0 if self._file.closed else min(self._file.tell() / self._size, 1.0)


def _lines(file: BinaryIO) -> Iterator[tuple[int, bytes | None]]:
    """Yield numbered lines; None for a line that is too long."""
    number = 0
    while line := file.readline(MAX_LINE + 1):
        number += 1
        whole = len(line) <= MAX_LINE
        while len(line) > MAX_LINE and not line.endswith(b"\n"):
            line = file.readline(MAX_LINE + 1)
        yield number, (line.removeprefix(BOM) if number == 1 else line) if whole else None


def _json_lines(file: BinaryIO) -> Iterator[Entry]:
    for number, line in _lines(file):
        if line is None:
            yield Entry(number, 0, None, TOO_LONG)
        elif line.strip():
            yield _entry(number, line)


class _TwiceError(Exception):
    """A member stands twice in an object: which value counts is unknown, and other readers take the other one."""


def _object(members: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object. Raises _TwiceError."""
    found = dict(members)
    if len(found) < len(members):
        raise _TwiceError
    return found


def _entry(number: int, line: bytes) -> Entry:
    try:
        record = json.loads(line, object_pairs_hook=_object)
    except _TwiceError:
        return Entry(number, len(line), None, "a member stands twice")
    except (ValueError, RecursionError):
        return Entry(number, len(line), None, "the line is not JSON")
    if not isinstance(record, dict):
        return Entry(number, len(line), None, "the line is not a JSON object")
    return Entry(number, len(line), record)


def _csv(file: BinaryIO, columns: Sequence[str] = ()) -> Iterator[Entry]:
    too_long: set[int] = set()
    rows = csv.reader(_texts(file, too_long), strict=True)
    header: list[str] | None = None
    while True:
        try:
            row = next(rows)
        except StopIteration:
            return
        except csv.Error:
            yield Entry(rows.line_num, 0, None, "the line is not CSV")
            continue
        if rows.line_num in too_long:
            yield Entry(rows.line_num, 0, None, TOO_LONG)
        elif row and header is None and not (columns and "email" not in row):
            header = _header(row)
        elif row:
            yield _row(rows.line_num, header or columns, row if header else _padded(row, len(columns)))


def _header(names: list[str]) -> list[str]:
    """Return the names of the columns. Raises FileError for one that stands twice: which value counts is unknown."""
    for number, name in enumerate(names, 1):
        if name and (first := names.index(name) + 1) < number:
            raise FileError(f"the first line has the same name in the columns {first} and {number}")
    return names


def _texts(file: BinaryIO, too_long: set[int]) -> Iterator[str]:
    """Yield the lines for the reader of CSV, with an empty one in place of a line that is too long."""
    for number, line in _lines(file):
        too_long.clear()
        if line is None:
            too_long.add(number)
        # Bytes that are not UTF-8 become surrogates, which no field accepts.
        yield "\n" if line is None else line.decode("utf-8", "surrogateescape")


def _padded(row: list[str], length: int) -> list[str]:
    """Return a row of a file without a first line: empty values at its end may be missing, or too many."""
    while len(row) > length and not row[-1]:
        row = row[:-1]
    return row + [""] * (length - len(row))


def _row(number: int, header: Sequence[str], row: list[str]) -> Entry:
    size = sum(map(len, row))
    if len(row) != len(header):
        return Entry(number, size, None, f"the line has {len(row)} values, and the first line has {len(header)} names")
    return Entry(number, size, {name: value for name, value in zip(header, row, strict=True) if value != ""})


def _document(file: BinaryIO) -> Iterator[Entry]:
    """Yield the objects of a JSON document: those of its list, or of the list in its member `users`."""
    text = _Text(file)
    first = text.peek()
    if first == "{":
        _find_list(text)
    elif first != "[":
        raise FileError("the file is not a JSON document with a list of users")
    text.take()
    number = 0
    while text.peek() != "]":
        number += 1
        value, size = text.value(MAX_LINE, f"record {number}")
        problem = "" if isinstance(value, dict) else "the record is not a JSON object"
        yield Entry(number, size, value if isinstance(value, dict) else None, problem)
        if text.peek() == ",":
            text.take()
        elif text.peek() != "]":
            raise FileError(f"record {number}: the file is not JSON")


def _find_list(text: "_Text") -> None:
    """Go to the list of users in an object."""
    while text.take() in {"{", ","}:
        name, _ = text.value(CHUNK, "a name of a member")
        if text.peek() != ":":
            break
        text.take()
        if name in LISTS and text.peek() == "[":
            return
        text.value(MAX_VALUE, "a member before the users")
    raise FileError("the JSON document has no list of users")


class _Text:
    """The text of a document, of which only the part in use is in memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._decode = codecs.getincrementaldecoder("utf-8-sig")().decode
        self._buffer = ""
        self._at = 0
        self._decoder = json.JSONDecoder(object_pairs_hook=_object)

    def peek(self) -> str:
        """Return the next character that is not white space; an empty text at the end."""
        while True:
            while self._at < len(self._buffer) and self._buffer[self._at] in SPACE:
                self._at += 1
            if self._at < len(self._buffer):
                return self._buffer[self._at]
            if not self._more():
                return ""

    def take(self) -> str:
        """Return the next character, and go on."""
        found = self.peek()
        self._at += len(found)
        return found

    def value(self, most: int, name: str) -> tuple[Any, int]:
        """Return the next value, and its length. Raises FileError when it is longer than `most`, or not JSON."""
        self.peek()
        while True:
            try:
                value, end = self._decoder.raw_decode(self._buffer, self._at)
            except (ValueError, RecursionError):
                end = -1
            except _TwiceError:
                raise FileError(f"{name}: a member stands twice") from None
            # A number at the end of the buffer may go on.
            size = (end if end >= 0 else len(self._buffer)) - self._at
            if 0 <= end < len(self._buffer) and size <= most:
                self._at = end
                return value, size
            if size > most:
                raise FileError(f"{name} is not JSON, or longer than {most} characters")
            if not self._more(grow=True):
                raise FileError(f"{name}: the file is not JSON")

    def _more(self, *, grow: bool = False) -> bool:
        """Read on; with `grow` as much again as there is, so that a long value is not read too often."""
        self._buffer, self._at = self._buffer[self._at :], 0
        data = self._file.read(max(CHUNK, len(self._buffer) if grow else 0))
        try:
            self._buffer += self._decode(data, final=not data)
        except UnicodeDecodeError:
            raise FileError("the file is not UTF-8") from None
        return bool(data)


READERS: dict[str, Callable[[BinaryIO], Iterator[Entry]]] = {
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".csv": _csv,
    ".json": _document,
}
