"""One row of the table: clients on all routes, one failure, and the verdict on each route."""

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg

from tests.ha.client import Client
from tests.ha.failures import Failure, Stage, mend
from tests.ha.judge import Times, Verdict, judge, look_for_losses
from tests.ha.log import Log, read
from tests.ha.patroni import superuser
from tests.ha.probe import Probe

#: Clients of each route, and the seconds that each rests between two requests, on average.
CLIENTS, PAUSE = 3, 0.06
#: Seconds of work before the failure, and from the moment when the database is back.
BEFORE, AFTER = 3.0, 7.0
#: The same where calls hang until their timeout.
AFTER_HANGING = 12.0


@dataclass
class Row:
    """What a failure came to."""

    failure: Failure
    synchronous: bool
    database: float | None = None
    verdicts: dict[str, Verdict] = field(default_factory=dict)
    connections: dict[str, int] = field(default_factory=dict)


async def run(failure: Failure, stage: Stage, *, synchronous: bool, folder: Path, number: int) -> Row:
    """Run the failure under load, and judge."""
    row = Row(failure, synchronous)
    log = Log(folder / f"{number:02}-{failure.name}.jsonl")
    probe = Probe()
    clients = [
        Client(route, f"{route.name}-{number}-{n}", log, PAUSE) for route in failure.routes for n in range(CLIENTS)
    ]
    probe.start()
    work = [asyncio.create_task(client.run()) for client in clients]
    try:
        await asyncio.sleep(BEFORE)
        failed = time.time()
        await failure.make(stage)
        await _wait_for_writes(probe, stage, failed)
        after = AFTER_HANGING if failure.swallows else AFTER
        await asyncio.sleep(max(after, failed + failure.lasts - time.time()))
        healed = time.time()
        await mend(stage, synchronous=synchronous)
        await asyncio.sleep(4)
        for client in clients:
            client.is_stopped = True
        await asyncio.gather(*work)
        await asyncio.gather(*(client.check_all() for client in clients))
    finally:
        for task in work:
            task.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        await probe.stop()
        for client in clients:
            await client.close()
        log.close()
    pauses = probe.pauses(failed, healed, stage.primary, stage.isolated)
    row.database = pauses[-1].end - failed if pauses else None
    row.connections = probe.connections
    await _judge(row, log.file, Times(failed, pauses, healed), stage)
    return row


async def _wait_for_writes(probe: Probe, stage: Stage, failed: float) -> None:
    """Wait until a node takes writes again; a failure that takes a moment to bite gets it."""
    end = failed + 60
    await asyncio.sleep(2)
    while time.time() < end and not probe.is_written(time.time() - 0.5, stage.isolated):  # noqa: ASYNC110 (it polls)
        await asyncio.sleep(0.1)


async def _judge(row: Row, file: Path, times: Times, stage: Stage) -> None:
    entries = read(file)
    primary = await asyncio.to_thread(stage.cluster.primary)
    connection = await asyncpg.connect(superuser(primary or stage.primary))
    try:
        emails = [found["email"] for found in await connection.fetch("SELECT email FROM auth.auth_users")]
        columns = "id::text AS id, generation, revoked_at"
        sessions = {
            found["id"]: dict(found) for found in await connection.fetch(f"SELECT {columns} FROM auth.auth_sessions")
        }
    finally:
        await connection.close()
    for route in row.failure.routes:
        own = [entry for entry in entries if entry.route == route.name]
        row.verdicts[route.name] = judge(own, times, route.lag)
        look_for_losses(row.verdicts[route.name], own, emails, sessions)
