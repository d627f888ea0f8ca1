"""The long run: `python -m tests.sessions.model --steps 100000 --database sqlite` (or `postgresql`).

Prints the steps, the seeds and the result. A failure prints the shortest sequence that shows it, and ends with 1.
"""

import argparse
import logging
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis.stateful import run_state_machine_as_test

from tests.postgres import Server
from tests.sessions.model.machine import Machine
from tests.sessions.model.service import Service
from tests.sessions.model.situations import Situations

#: Steps of one sequence, and sequences for one seed.
LENGTH, SEQUENCES = 50, 40


@contextmanager
def database(name: str) -> Iterator[str]:
    """Give the URL of an empty database."""
    if name == "sqlite":
        with tempfile.TemporaryDirectory() as folder:
            yield f"sqlite:///{folder}/auth.db"
        return
    server = Server(15)
    try:
        yield server.database()
    finally:
        server.close()


def run(service: Service, number: int, sequences: int = SEQUENCES, length: int = LENGTH) -> None:
    """Run the sequences of one seed on a service; raises AssertionError for a difference."""
    Machine.service = service
    options = settings(
        max_examples=sequences,
        stateful_step_count=length,
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=list(HealthCheck),
    )
    run_state_machine_as_test(seed(number)(Situations), settings=options)


def main() -> int:
    """Run seed after seed until the steps are reached."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--steps", type=int, default=10_000)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("--seed", type=int, default=1, help="the first seed")
    arguments = parser.parse_args()
    logging.disable(logging.CRITICAL)
    started, number = time.monotonic(), arguments.seed
    with database(arguments.database) as url:
        service = Service(url)
        while Machine.steps < arguments.steps:
            run(service, number)
            number += 1
        service.close()
    seconds = time.monotonic() - started
    sys.stdout.write(
        f"{arguments.database}: {Machine.steps} calls compared in {Machine.runs} sequences, "
        f"seeds {arguments.seed} to {number - 1}, {seconds:.0f} s: no difference\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
