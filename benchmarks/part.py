"""One part of a run, in this process: `python -m benchmarks.part NAME SIZE FILE`."""

import asyncio
import importlib
import sys
from collections.abc import Callable
from pathlib import Path

import msgspec

from benchmarks.harness import Run
from benchmarks.records import Part, Target
from benchmarks.sizes import SIZES


def save_to(file: Path, part: Part) -> None:
    """Write in one go: a reader never sees half of it."""
    half = file.with_suffix(".half")
    half.write_bytes(msgspec.json.encode(part))
    half.replace(file)


async def main(name: str, size: str, file: Path) -> None:
    """Measure; what there is, is kept even when it breaks."""
    module = importlib.import_module(f"benchmarks.parts.{name}")
    targets: Callable[[Part], list[Target]] = getattr(module, "targets", lambda _: [])

    def save(part: Part) -> None:
        part.targets = targets(part) if part.tables else []
        save_to(file, part)

    run = Run(name, SIZES[size], save)
    try:
        await module.measure(run)
        run.part.complete = True
    finally:
        run.save()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], Path(sys.argv[3])))
