"""Record which modules of asgi_auth a request enters; `tests/ways.py` defines the terms."""

import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import groupby
from pathlib import Path
from types import FrameType

import asgi_auth

ROOT = f"{Path(asgi_auth.__file__).parent}/"
OUTSIDE = "(outside)"
Request = Callable[[], Awaitable[None]]


@dataclass(frozen=True)
class Entry:
    """One call into a room: the room, the function, and the nearest calling room on the stack of this thread."""

    room: str
    function: str
    caller: str


@dataclass
class Way:
    """All entries of one request, in order of time."""

    entries: list[Entry] = field(default_factory=list)

    @property
    def firsts(self) -> dict[str, Entry]:
        """The first entry of each room, by room, in order of time."""
        found: dict[str, Entry] = {}
        for entry in self.entries:
            found.setdefault(entry.room, entry)
        return found

    @property
    def path(self) -> list[str]:
        """The rooms in order of time; consecutive entries into one room count once."""
        return [room for room, _ in groupby(entry.room for entry in self.entries)]

    @property
    def rooms(self) -> int:
        """The number of distinct rooms."""
        return len(self.firsts)

    @property
    def moves(self) -> int:
        """The number of changes of the room."""
        return max(len(self.path) - 1, 0)

    @property
    def returns(self) -> int:
        """The number of moves into a room that was entered before."""
        return self.moves - max(self.rooms - 1, 0)


class Tracer:
    """A profile function that records entries while `way` is set."""

    def __init__(self) -> None:
        self.way: Way | None = None
        self._seen: set[FrameType] = set()

    def __call__(self, frame: FrameType, event: str, _argument: object) -> None:
        """Record the start of a function of asgi_auth; a frame seen before is a resumption."""
        way, room = self.way, room_of(frame)
        if event != "call" or way is None or room is None or frame in self._seen:
            return
        self._seen.add(frame)
        way.entries.append(Entry(room, frame.f_code.co_name, caller_of(frame)))

    async def record(self, request: Request) -> Way:
        """Record one request."""
        way = self.way = Way()
        try:
            await request()
        finally:
            self.way = None
            self._seen.clear()
        return way


def room_of(frame: FrameType) -> str | None:
    """The room of a frame as a dotted name below asgi_auth; None outside of the library."""
    name = frame.f_code.co_filename
    if not name.startswith(ROOT):
        return None
    module = name[len(ROOT) :].removesuffix(".py").replace("/", ".").removesuffix(".__init__")
    return "storage" if module.startswith("storage.") else module


def caller_of(frame: FrameType) -> str:
    """The room of the nearest calling frame of the library."""
    outer = frame.f_back
    while outer is not None:
        if (room := room_of(outer)) is not None:
            return room
        outer = outer.f_back
    return OUTSIDE


@contextmanager
def tracing() -> Iterator[Tracer]:
    """Profile this thread and all threads that start meanwhile."""
    tracer, before, threads_before = Tracer(), sys.getprofile(), threading.getprofile()
    threading.setprofile(tracer)
    sys.setprofile(tracer)
    try:
        yield tracer
    finally:
        sys.setprofile(before)
        threading.setprofile(threads_before)
