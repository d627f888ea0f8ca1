"""Run the benchmarks: `python -m benchmarks [full|quick|tiny] [--out FOLDER] [PART …]`.

Each part runs in a process of its own with an end in time, and what it has is written as it goes: a run that is cut
off keeps what it measured, and a run of some parts keeps the others as they are.
"""

import argparse
import os
import signal
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

import msgspec

from benchmarks.machine import LOAD, about
from benchmarks.records import Part, Results
from benchmarks.report import RESULTS, write, write_docs
from benchmarks.sizes import SIZES, Size

PARTS = (
    "requests",
    "end_to_end",
    "writes",
    "storm",
    "drivers",
    "scale",
    "revocation",
    "startup",
    "overload",
    "refused",
    "hosts",
    "imports",
    "user_list",
    "many_ends",
    "seen",
    "floors",
    "processes",
    "statements",
)


def run_part(name: str, size: Size, file: Path) -> Part:
    """Measure one part in a process group of its own, and end it in time; give what it has saved."""
    file.unlink(missing_ok=True)
    now = about()
    command = [sys.executable, "-m", "benchmarks.part", name, size.name, str(file)]
    started = time.monotonic()
    with subprocess.Popen(command, start_new_session=True) as process:
        try:
            process.wait(size.bounds[name])
        except subprocess.TimeoutExpired:
            print(f"{name}: ended after {size.bounds[name]:.0f} s")
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
    part = msgspec.json.decode(file.read_bytes(), type=Part) if file.exists() else Part(name)
    part.seconds = round(time.monotonic() - started, 1)
    part.measured = f"{now['date']}, with a load of {now['machine'][LOAD]} when it began"
    file.unlink(missing_ok=True)
    return part


def before(file: Path, size: Size) -> Results:
    """What an earlier run of the same size has left, with its date and machine, or nothing yet."""
    if file.exists():
        with suppress(msgspec.DecodeError):
            old = msgspec.json.decode(file.read_bytes(), type=Results)
            if old.size == size.name:
                return old
    return Results(size.name, **about())


def main() -> int:
    """Run and write; 1 when a part could not be measured at all."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    parser = argparse.ArgumentParser(prog="benchmarks")
    parser.add_argument("size", choices=SIZES, nargs="?", default="quick")
    parser.add_argument("parts", nargs="*", choices=[*PARTS, []], default=[])
    parser.add_argument("--out", type=Path)
    given = parser.parse_args()
    size = SIZES[given.size]
    out = given.out or (RESULTS if size.name == "full" else RESULTS / size.name)
    out.mkdir(parents=True, exist_ok=True)
    results = before(out / "results.json", size) if given.parts else Results(size.name, **about())
    failed = []
    for name in given.parts or PARTS:
        part = run_part(name, size, out / f"{name}.part")
        print(f"{name}: {part.seconds:.0f} s{'' if part.complete else ', incomplete'}", flush=True)
        failed += [] if part.tables else [name]
        results.parts[name] = part
        write(results, out)
    if out == RESULTS:
        write_docs()
    print(f"results: {out / 'results.md'}" if not failed else f"nothing was measured of: {', '.join(failed)}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
