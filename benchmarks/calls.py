"""What a call costs in process, of this checkout or beside another: `python -m benchmarks.calls [--beside DIRECTORY]`.

Workload: login (Argon2.cheap), refresh, GET /me, and a request to the host with a cached token, one after the other;
all default features and Pages, SQLite in memory. Each checkout has a process of its own. The processes take turns of
about 50 ms; the ratio is the median over the rounds of this checkout's turn by the other's turn.
"""

import argparse
import asyncio
import statistics
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path

from benchmarks.harness import Worker, started_module

ROOT = Path(__file__).parent.parent
TURN, ROUNDS = 0.05, 100
Samples = dict[str, dict[str, list[float]]]


def worker(directory: Path) -> AbstractAsyncContextManager[Worker]:
    """Start a process that times the calls of a checkout."""
    return started_module("benchmarks.calls_worker", str(directory), directory=ROOT)


async def measure(directories: Mapping[str, Path], rounds: int, turn: float) -> Samples:
    """Microseconds for a call in each turn, by kind and checkout; the order alternates from round to round."""
    samples: Samples = {}
    async with AsyncExitStack() as stack:
        able = {name: await stack.enter_async_context(worker(path)) for name, path in directories.items()}
        for kind in next(iter(able.values())).kinds:
            found = samples[kind] = {name: [] for name in able}
            # The same count for all, so that what they have stored is the same.
            count = min([await one.ask("prepare", kind, turn) for one in able.values()])
            for number in range(rounds):
                for name in list(able)[:: -1 if number % 2 else 1]:
                    found[name].append(await able[name].ask("run", kind, count))
    return samples


def report(samples: Samples) -> str:
    """The Markdown table: the median of each checkout (least and most), and the median ratio of two."""
    names = list(next(iter(samples.values())))
    head = ["call", *[f"{name}, µs" for name in names], *(["ratio"] if len(names) > 1 else [])]
    rows = [head, ["---"] * len(head)]
    for kind, found in samples.items():
        cells = [f"{statistics.median(given):.1f} ({min(given):.1f}–{max(given):.1f})" for given in found.values()]
        if len(names) > 1:
            here, there = found.values()
            cells.append(f"{statistics.median(a / b for a, b in zip(here, there, strict=True)):.3f}")
        rows.append([kind, *cells])
    return "\n".join(f"| {' | '.join(row)} |" for row in rows)


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="benchmarks.calls")
    parser.add_argument("--beside", type=Path, help="another checkout of asgi_auth")
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--turn", type=float, default=TURN, help="seconds of a turn")
    given = parser.parse_args()
    directories = {"here": ROOT} | ({"beside": given.beside.resolve()} if given.beside else {})
    print(report(asyncio.run(measure(directories, given.rounds, given.turn))))


if __name__ == "__main__":
    main()
