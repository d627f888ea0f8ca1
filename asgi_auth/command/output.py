"""What a command writes: text for people or JSON for scripts, and the progress of long work."""

import json
import time
from collections.abc import Mapping, Sequence
from typing import Any, Self, TextIO

#: Seconds between two updates of the progress.
PAUSE = 0.1
WIDTH = 30


def shown(text: object) -> str:
    """Return a text without characters that a terminal would interpret."""
    return "".join(char if char.isprintable() else "\ufffd" for char in str(text))


class Output:
    """Writes results to standard output, and notes to standard error."""

    def __init__(self, out: TextIO, err: TextIO, *, as_json: bool) -> None:
        """Take the streams; `as_json` writes results as JSON."""
        self._out = out
        self._err = err
        self.as_json = as_json

    def show(self, data: Mapping[str, Any] | Sequence[Any], text: str) -> None:
        """Write a result: the data as one line of JSON, or else the text."""
        if self.as_json:
            # In ASCII, so that no terminal interprets a character and no encoding lacks one.
            self._out.write(json.dumps(data) + "\n")
        else:
            self.line(text)

    def line(self, text: str) -> None:
        """Write a line to standard output. A line break separates lines of one result."""
        encoding = self._out.encoding or "utf-8"
        lines = "\n".join(map(shown, text.split("\n")))
        self._out.write(lines.encode(encoding, "backslashreplace").decode(encoding) + "\n")

    def raw(self, lines: bytes) -> None:
        """Write lines to standard output as they are; to a terminal, without characters that it would interpret."""
        if not self._out.isatty():
            self._out.flush()
            self._out.buffer.write(lines)
            return
        for line in lines.decode().replace("\r\n", "\n").removesuffix("\n").split("\n"):
            # JSON in ASCII has all characters.
            self.line(json.dumps(json.loads(line)) if line.startswith("{") else line)

    def note(self, text: str) -> None:
        """Write a line to standard error."""
        self._err.write(shown(text) + "\n")

    def progress(self, label: str, total: int | None = None) -> "Progress":
        """Return a context manager that shows how far a work is; nothing is shown unless a person watches."""
        return Progress(self._err if self._err.isatty() else None, label, total)


class Progress:
    """Shows a number, or a bar if the total is known, on a terminal."""

    def __init__(self, stream: TextIO | None, label: str, total: int | None) -> None:
        """Take the terminal; None shows nothing."""
        self._stream = stream
        self._label = label
        self._total = total
        self._next = 0.0

    def __enter__(self) -> Self:
        """Show the beginning."""
        self.update(0)
        return self

    def __exit__(self, *_: object) -> None:
        """Remove the line."""
        if self._stream is not None:
            self._stream.write("\r\x1b[K")
            self._stream.flush()

    def update(self, done: int, part: float | None = None) -> None:
        """Show how much is done, ten times a second at most; `part` is that of the whole, where no total is known."""
        if self._stream is None or time.monotonic() < self._next:
            return
        self._next = time.monotonic() + PAUSE
        self._stream.write(f"\r\x1b[K{self._label} {self._bar(done, part)}")
        self._stream.flush()

    def _bar(self, done: int, part: float | None) -> str:
        if self._total:
            part = min(done / self._total, 1.0)
        if part is None:
            return str(done)
        bar = ("#" * round(WIDTH * part)).ljust(WIDTH, ".")
        return f"[{bar}] {part:.0%} {done}" + (f" of {self._total}" if self._total else "")
