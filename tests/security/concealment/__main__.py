"""Run the differential test for long: `python -m tests.security.concealment --steps 100000 --database sqlite`.

With `--record`, a run that found nothing is a line of `record.md` beside this.
"""

import argparse
import logging
import platform
import random
import sys
import time
from pathlib import Path

import hypothesis
from hypothesis import HealthCheck, Phase, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.postgres import Server
from tests.security.concealment.machine import Pair, machine

RECORD = Path(__file__).with_name("record.md")
EXAMPLES = 20
STEPS = 60


def run_once(
    pair: Pair,
    seed: int,
    examples: int = EXAMPLES,
    steps: int = STEPS,
    *,
    shrink: bool = False,
) -> None:
    """Run some sequences of one seed; raises AssertionError with the one that shows a difference."""
    chosen = settings(
        max_examples=examples,
        stateful_step_count=steps,
        database=None,
        deadline=None,
        print_blob=False,
        suppress_health_check=list(HealthCheck),
        phases=(Phase.generate, *([Phase.shrink] if shrink else [])),
        report_multiple_bugs=False,
    )
    run_state_machine_as_test(hypothesis.seed(seed)(machine(pair)), settings=chosen)


def record(database: str, steps: int, seeds: list[int]) -> None:
    """Write a run to the record, in place of an earlier one on the same database."""
    text = RECORD.read_text("utf-8").rstrip("\n")
    kept = [line for line in text.split("\n") if not line.startswith(f"| {database} |")]
    day, python = time.strftime("%Y-%m-%d", time.gmtime()), platform.python_version()
    kept.append(f"| {database} | {steps:,} | {seeds[0]} to {seeds[-1]} | {day}, CPython {python} | no difference |")
    RECORD.write_text("\n".join(kept) + "\n", "utf-8")


def main() -> int:
    """Run until enough steps were compared, or a difference was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--database", choices=("sqlite", "postgres"), default="sqlite")
    parser.add_argument("--seed", type=int, default=None)
    parser.add_argument("--shrink", action="store_true", help="look for a shorter sequence, which takes minutes")
    parser.add_argument("--record", action="store_true", help="write the run to the record")
    given = parser.parse_args()
    logging.disable(logging.CRITICAL)
    server = Server(15) if given.database == "postgres" else None
    urls = [server.database(), server.database()] if server else ["sqlite://", "sqlite://"]
    pair, started = Pair(*urls), time.monotonic()
    seed: int = given.seed if given.seed is not None else random.randrange(10**6)
    seeds: list[int] = []
    try:
        while pair.steps < given.steps:
            seeds.append(seed + len(seeds))
            run_once(pair, seeds[-1], shrink=given.shrink)
            sys.stdout.write(f"seed {seeds[-1]}: {pair.steps} steps, {time.monotonic() - started:.0f} s\n")
            sys.stdout.flush()
    finally:
        result = "no difference" if pair.steps >= given.steps else "a difference"
        sys.stdout.write(f"{given.database}: {pair.steps} steps, seeds {seeds[0]} to {seeds[-1]}: {result}\n")
        pair.close()
        if given.record and pair.steps >= given.steps:
            record(given.database, pair.steps, seeds)
        if server is not None:
            server.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
