"""The long run: `python -m tests.features.factor_races --rounds 200 --callers 32 --database sqlite` (or `postgresql`).

Prints each race with the number of its rounds. A round that fails ends the run with its error.
"""

import argparse
import asyncio
import logging
import sys
import time
from collections.abc import Sequence

from tests.features.factor_races.races import RACES, Race
from tests.features.factor_races.worker import an_auth
from tests.features.factor_races.workers import PROCESSES, workers
from tests.sessions.model.__main__ import database
from tests.support import Clock


async def run(url: str, rounds: int, callers: int, words: Sequence[str] = ()) -> dict[str, int]:
    """Run the races, or those with a word in the name; return the number of rounds of each."""
    clock, done = Clock(), dict[str, int]()
    async with an_auth(url, clock) as auth:
        with workers(url) as processes:
            for race, one_in in RACES.items():
                if words and not any(word in race.__name__ for word in words):
                    continue
                began = time.monotonic()
                for _ in range(-(-rounds // one_in)):
                    await race(Race(auth, clock, processes, callers))
                    done[race.__name__] = done.get(race.__name__, 0) + 1
                    # The next round is another minute: no counter and no code is shared.
                    clock.move(3600)
                seconds = time.monotonic() - began
                logging.getLogger(__name__).info("%s: %d rounds, %.0f s", race.__name__, done[race.__name__], seconds)
    return done


def main() -> None:
    """Run as the arguments say."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--rounds", type=int, default=200)
    parser.add_argument("--callers", type=int, default=32)
    parser.add_argument("--database", choices=["sqlite", "postgresql"], default="sqlite")
    parser.add_argument("words", nargs="*")
    given = parser.parse_args()
    logging.basicConfig(level=logging.CRITICAL)
    logging.getLogger(__name__).setLevel(logging.INFO)
    with database(given.database) as url:
        # SQLite has one writer: the last of all callers waits longer than a request may.
        options = "?timeout=60" if given.database == "sqlite" else ""
        rounds = asyncio.run(run(url + options, given.rounds, given.callers, given.words))
    sys.stdout.write(f"{given.database}: {sum(rounds.values())} rounds of {PROCESSES} x {given.callers} callers\n")


if __name__ == "__main__":
    main()
