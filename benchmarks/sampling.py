"""Where the processor time of calls goes: a sample of the stack for each 0.7 ms of it, counted by areas of the code."""

import signal
import time
from collections import Counter
from types import FrameType

#: Each area with the parts of paths that belong to it. The innermost frame of a stack with any of them decides.
AREAS = {
    "the load itself": ("/benchmarks/contenders/calls", "/benchmarks/contenders/base", "/benchmarks/contenders/ours"),
    "asyncpg: statement, socket": ("/asyncpg/", "/asyncio/selector_events"),
    "storage: values and rows": ("/asgi_auth/storage/sql_", "/asgi_auth/storage/rows", "/asgi_auth/storage/runner"),
    "bounds: pool, deadlines, breaker": (
        "/asgi_auth/storage/", "/asgi_auth/bounds/", "/asgi_auth/process/", "/asyncio/timeouts", "/contextlib",
    ),
    "tokens and MACs": ("/asgi_auth/sessions/", "/jwt/", "/asgi_auth/crypto/"),
    "body, headers, response": ("/asgi_auth/web/", "/starlette/"),
    "pipeline of the endpoint, events": ("/asgi_auth/",),
    "the floor by hand": ("/benchmarks/contenders/floor",),
    "event loop": ("/asyncio/",),
}  # fmt: skip
OTHER = "everything else"
EVERY = 0.0007


class Sampler:
    """Counts the areas in which this process spends its time, between `start` and `stop`."""

    def __init__(self) -> None:
        """Count nothing yet."""
        self._counts: Counter[str] = Counter()

    def start(self) -> None:
        """Begin to count."""
        self._counts.clear()
        signal.signal(signal.SIGPROF, lambda _, frame: self._take(frame))
        self._began = time.process_time()
        signal.setitimer(signal.ITIMER_PROF, EVERY, EVERY)

    def stop(self, calls: int) -> dict[str, float]:
        """End; return the microseconds of a call by area, and all of them as `""`."""
        signal.setitimer(signal.ITIMER_PROF, 0)
        each = (time.process_time() - self._began) / calls * 1e6
        samples = max(1, self._counts.total())
        return {"": each} | {area: count / samples * each for area, count in self._counts.items()}

    def _take(self, frame: FrameType | None) -> None:
        while frame is not None:
            path = frame.f_code.co_filename
            for area, parts in AREAS.items():
                if any(part in path for part in parts):
                    self._counts[area] += 1
                    return
            frame = frame.f_back
        self._counts[OTHER] += 1
