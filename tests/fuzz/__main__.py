"""Coverage-guided fuzzing by atheris: `python -m tests.fuzz` for all targets, `python -m tests.fuzz NAME RUNS` for one.

All targets together take over ten million inputs, and the table of the run is written to `record.md` beside this.
"""

import importlib.metadata
import os
import platform
import re
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

HERE = Path(__file__).parent
DONE = re.compile(r"stat::number_of_executed_units:\s+(\d+)")


def fuzz(name: str, runs: int) -> None:
    """Run one target in this process, which ends with it: status 0, or not when an input breaks something."""
    import atheris

    with atheris.instrument_imports(include=["asgi_auth"]):
        from tests.fuzz.targets import run, seeds

    with tempfile.TemporaryDirectory() as corpus:
        for number, seed in enumerate(seeds(name)):
            (Path(corpus) / str(number)).write_bytes(seed)
        os.chdir(corpus)  # What breaks is written to the working directory.
        options = [f"-runs={runs}", "-max_len=2048", "-timeout=60", "-rss_limit_mb=4096", "-print_final_stats=1"]
        atheris.Setup([sys.argv[0], corpus, *options], lambda data: run(name, data))
        atheris.Fuzz()


def alone(name: str, runs: int) -> tuple[str, int, float, str]:
    """Run one target in a process of its own; return its name, inputs, seconds and what came out."""
    started = time.monotonic()
    command = [sys.executable, "-m", "tests.fuzz", name, str(runs)]
    done = subprocess.run(command, capture_output=True, text=True, errors="replace", check=False)
    counted = [int(number) for match in DONE.finditer(done.stderr) for number in match.groups() if number]
    if done.returncode:
        sys.stderr.write(done.stderr[-4000:])
    result = "nothing" if done.returncode == 0 else f"exit {done.returncode}"
    return name, max(counted, default=0), time.monotonic() - started, result


def record(rows: list[tuple[str, int, float, str]]) -> str:
    """The table of a run."""
    versions = ", ".join(f"{name} {importlib.metadata.version(name)}" for name in ("atheris", "msgspec", "PyJWT"))
    lines = [f"| {name} | {count:,} | {seconds:,.0f} | {result} |" for name, count, seconds, result in rows]
    total = sum(count for _, count, _, _ in rows)
    return "\n".join([
        "# The last whole run of the fuzzer", "",
        f"{time.strftime('%Y-%m-%d', time.gmtime())}, CPython {platform.python_version()}, {versions};",
        "`python -m tests.fuzz`. Looked for: exceptions but refusals, a 5xx, hangs, two readings of one input.",
        "", "| target | inputs | seconds | found |", "|---|---|---|---|", *lines,
        f"| together | {total:,} | {sum(row[2] for row in rows):,.0f} | |", "",
    ])  # fmt: skip


def main() -> None:
    """Run one target, or all and write the record."""
    if len(sys.argv) > 1:
        fuzz(sys.argv[1], int(sys.argv[2]))
        return
    from tests.fuzz.targets import TARGETS

    with ThreadPoolExecutor(os.cpu_count()) as pool:
        rows = list(pool.map(lambda target: alone(target.__name__, TARGETS[target]), TARGETS))
    (HERE / "record.md").write_text(record(rows), "utf-8")
    sys.stdout.write(record(rows))
    sys.exit(any(row[3] != "nothing" for row in rows))


if __name__ == "__main__":
    main()
