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
    """One call into a module: the module, the function, and the nearest calling module on the stack of this thread."""

    module: str
    function: str
    caller: str

    @property
    def room(self) -> str:
        """The room of the module: its folder, or itself in the root; a private helper of the root is its caller's."""
        module = self.caller if self.module.startswith("_") else self.module
        return module.partition(".")[0]


@dataclass
class Way:
    """All entries of one request, in order of time."""

    entries: list[Entry] = field(default_factory=list)

    @property
    def firsts(self) -> dict[str, Entry]:
        """The first entry of each module, by module, in order of time."""
        found: dict[str, Entry] = {}
        for entry in self.entries:
            found.setdefault(entry.module, entry)
        return found

    @property
    def path(self) -> list[str]:
        """The rooms in order of time; consecutive entries into one room count once."""
        return [room for room, _ in groupby(entry.room for entry in self.entries)]

    @property
    def rooms(self) -> int:
        """The number of distinct rooms."""
        return len({entry.room for entry in self.entries})

    @property
    def files(self) -> int:
        """The number of distinct modules."""
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
        way, module = self.way, module_of(frame)
        if event != "call" or way is None or module is None or frame in self._seen:
            return
        self._seen.add(frame)
        way.entries.append(Entry(module, frame.f_code.co_name, caller_of(frame)))

    async def record(self, request: Request) -> Way:
        """Record one request."""
        way = self.way = Way()
        try:
            await request()
        finally:
            self.way = None
            self._seen.clear()
        return way


def module_of(frame: FrameType) -> str | None:
    """The module of a frame as a dotted name below asgi_auth; None outside of the library."""
    name = frame.f_code.co_filename
    if not name.startswith(ROOT):
        return None
    return name[len(ROOT) :].removesuffix(".py").replace("/", ".").removesuffix(".__init__")


def caller_of(frame: FrameType) -> str:
    """The module of the nearest calling frame of the library."""
    outer = frame.f_back
    while outer is not None:
        if (module := module_of(outer)) is not None:
            return module
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
