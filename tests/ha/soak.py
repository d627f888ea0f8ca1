"""A soak: clients work for a long time while servers and processes are killed at random, and nothing may grow.

PostgreSQL is killed, loses all its connections, or stops for a moment; with SQLite, two of three worker processes are
killed. Both run at the same time. The judge looks for lost writes and refused tokens, as in `python -m tests.ha`.
"""

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.ha.client import Client
from tests.ha.judge import Times, Verdict, judge, look_for_losses
from tests.ha.log import Log, read
from tests.ha.soak_bounds import grown
from tests.ha.soak_databases import Database, PostgreSQL, SQLite

#: Clients of each database, and the seconds that each rests between two requests, on average.
CLIENTS, PAUSE = 3, 0.1
#: Seconds between two samples, and the share of the time in which caches fill.
EVERY, WARM = 5.0, 0.4
LAG = 2.0


async def soak(database: Database, minutes: float, folder: Path) -> list[str]:
    """Run one database for some minutes; return what is wrong with it."""
    log = Log(folder / f"{database.name}.jsonl")
    clients = [Client(database.route, f"{database.name}-{number}", log, PAUSE) for number in range(CLIENTS)]
    work = [asyncio.create_task(client.run()) for client in clients]
    started = time.time()
    trouble = asyncio.create_task(database.trouble())
    samples: list[dict[str, int]] = []
    try:
        while time.time() < started + minutes * 60:
            await asyncio.sleep(EVERY)
            if found := await asyncio.to_thread(database.sample):
                samples.append(found)
    finally:
        trouble.cancel()
        await asyncio.gather(trouble, return_exceptions=True)
        await asyncio.to_thread(database.mend)
        await asyncio.sleep(3)
        for client in clients:
            client.is_stopped = True
        await asyncio.gather(*work)
    await asyncio.gather(*(client.check_all() for client in clients))
    for client in clients:
        await client.close()
    log.close()
    entries = read(log.file)
    verdict = judge(entries, Times(started, [], time.time()), LAG)
    look_for_losses(verdict, entries, *await database.rows())
    _tell(database, verdict, samples, (time.time() - started) / 60)
    return [*wrong(verdict, database), *grown(samples[int(len(samples) * WARM) :], database.most_connections)]


def wrong(verdict: Verdict, database: Database) -> list[str]:
    """Name what no client may see. A process that is killed gives no answer; all others do."""
    broken = {text: n for text, n in verdict.broken.items() if not (database.kills_workers and " 0 " in text)}
    found = {"broken": broken, "refused": dict(verdict.refused), "lost": dict(verdict.lost), "late": verdict.late}
    return [f"{name}: {value}" for name, value in found.items() if value] + database.damage()


def _tell(database: Database, verdict: Verdict, samples: list[dict[str, int]], minutes: float) -> None:
    print(f"\n{database.name}: {minutes:.0f} minutes, {database.kills} times in trouble, {verdict.acknowledged} writes")
    print(f"  503 {dict(verdict.unavailable)}, broken {dict(verdict.broken)}")
    for name in samples[-1] if samples else ():
        values = [sample[name] for sample in samples[int(len(samples) * WARM) :] if name in sample]
        if name != "pid" and values:
            print(f"  {name}: {values[0]} at first, {max(values)} at most, {values[-1]} in the end")


async def main() -> int:
    """Soak both databases at the same time."""
    parser = argparse.ArgumentParser(prog="python -m tests.ha.soak", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30)
    parser.add_argument("--database", choices=["postgresql", "sqlite"], help="one of them only")
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="asgi-auth-soak-"))
    kinds = [kind for kind in (PostgreSQL, SQLite) if options.database in {None, kind.name}]
    databases: list[Database] = []
    try:
        for kind in kinds:
            databases.append(kind(folder))
            await asyncio.to_thread(databases[-1].up)
        found = await asyncio.gather(*(soak(database, options.minutes, folder) for database in databases))
    finally:
        for database in databases:
            database.close()
    for database, faults in zip(databases, found, strict=True):
        for fault in faults:
            print(f"MISSED {database.name}: {fault}")
    print(f"logs: {folder}")
    return 1 if any(found) else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
