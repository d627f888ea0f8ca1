"""A login storm: how the event loop, the memory and the refusals stand up to many logins at once."""

import asyncio
import os
from functools import partial

from benchmarks.contenders.base import Options, json_request
from benchmarks.contenders.ours import HASHES, VARIANTS
from benchmarks.harness import Collected, LeftOutError, Run, folder, postgres
from benchmarks.parts.peers import STORM, peers
from benchmarks.records import Part, Table, Target, at_least, at_most
from benchmarks.serve import Served, served
from benchmarks.storming import Storm, at_once, percentile, probed, raw_rate, storm

FLIGHT, UNKNOWN, USERS = 32, 200, 8
CORES = os.cpu_count() or 1
IDLE, MIDDLE, WORST = "idle p99, ms", "storm p50, ms", "storm p99, ms"
TIMES, RATE, OF_RAW, PEAK = "p99 ÷ idle p99", "logins/s", "of the raw hash rate", "peak MiB"
POOLS = "pool × hash memory"
DEFAULT = f"asgi_auth, {VARIANTS['real']}"
CROWD = "asgi_auth, unknown users"


async def measure(run: Run) -> None:
    """Storm ours and the peers, then ask ours for users that there aren't."""
    table = Table(
        "storm",
        "A login storm: a trivial request's p99 over its idle p99",
        f"{FLIGHT} logins always in flight for {run.size.storm:g} s, one uvicorn worker, its probe every 20 ms; SQLite",
        "times the idle p99 (and see the columns)",
        chart=TIMES,
    )
    crowd = Table(
        "crowd",
        "SessionService of unknown users, all at once",
        f"{UNKNOWN} logins of addresses without an account at the same moment, the default hash, one uvicorn worker",
        "see the columns",
    )
    run.part.tables += [table, crowd]
    with folder() as path, postgres() as server:
        wanted = {DEFAULT: ("ours", Options(f"sqlite:///{path}/real.db", variant="real"))}
        for variant in ("rfc9106", "owasp"):
            if HASHES[variant] != HASHES["real"]:
                how = Options(f"sqlite:///{path}/{variant}.db", variant=variant)
                wanted[f"asgi_auth, {VARIANTS[variant].partition(':')[0]}"] = ("ours", how)
        await run.rounds({row: partial(_storm, run, table, row, *how) for row, how in wanted.items()}, share=0.5)
        await run.rounds(
            {CROWD: partial(_crowd, run, crowd, Options(f"sqlite:///{path}/crowd.db", variant="real"))}, 0.3
        )
        for row, (name, options) in peers(STORM, path, server, run, users=USERS).items():
            try:
                await asyncio.wait_for(_storm(run, table, row, name, options), max(1, run.left()))
            except (LeftOutError, TimeoutError, ConnectionError, asyncio.IncompleteReadError) as reason:
                run.leave_out(row, reason if isinstance(reason, LeftOutError) else "it did not answer in time")


async def _storm(run: Run, table: Table, row: str, name: str, options: Options) -> None:
    """One storm on a server of its own, after its idle time and the raw rate of the same moment."""
    kept = Collected(run, table, row)
    hashes = HASHES.get(options.variant)
    raw = await asyncio.to_thread(raw_rate, hashes, CORES, run.size.storm / 4) if hashes else 0.0
    async with served(name, options, "app") as server:
        before = server.memory("VmRSS")
        idle = await _idle(server, run.size.storm / 3)
        done, during = await probed(server.url, storm(server.url, server.logins, FLIGHT, run.size.storm))
        good = done.statuses[200] + done.statuses[204] + done.statuses[201]
        if not good:
            raise LeftOutError(f"no login succeeded: {dict(done.statuses)}")
        rate = good / done.seconds
        kept.add(IDLE, idle)
        kept.add(MIDDLE, percentile(during, 0.5))
        kept.add(WORST, percentile(during, 0.99))
        kept.add(TIMES, percentile(during, 0.99) / idle)
        kept.add(RATE, rate)
        if raw and hashes:
            kept.add(OF_RAW, rate / raw)
            kept.add(POOLS, (server.memory() - before) / (CORES * hashes.memory_cost / 1024))
        kept.add(PEAK, server.memory())
    run.save()


async def _crowd(run: Run, table: Table, options: Options) -> None:
    kept = Collected(run, table, CROWD)
    body = {"password": "not the password of any user"}
    logins = [json_request("/auth/login", {"email": f"nobody{i}@example.com", **body}) for i in range(UNKNOWN)]
    async with served("ours", options, "app") as server:
        before = server.memory("VmRSS")
        idle = await _idle(server, run.size.storm / 4)
        done, during = await probed(server.url, at_once(server.url, logins))
        kept.add("answered 401", done.statuses[401])
        kept.add("refused 503", done.statuses[503])
        kept.add("503 without Retry-After", done.unexplained)
        kept.add("slowest 503, ms", max(done.refusals, default=0))
        kept.add("probe p99, ms", percentile(during, 0.99))
        kept.add("idle p99, ms", idle)
        kept.add(PEAK, server.memory())
        kept.add(POOLS, (server.memory() - before) / (CORES * HASHES["real"].memory_cost / 1024))
    run.save()


async def _idle(server: Served, seconds: float) -> float:
    """The p99 of the probe while nothing else is asked, after a first login has warmed things up."""
    await probed(server.url, at_once(server.url, server.logins[:1]))
    return percentile((await probed(server.url, _nothing(seconds)))[1], 0.99)


async def _nothing(seconds: float) -> Storm:
    await asyncio.sleep(seconds)
    return Storm()


def targets(part: Part) -> list[Target]:
    """The targets of performance.md, section 3."""
    table, crowd = part.tables
    refused = crowd.get(CROWD, "503 without Retry-After")
    return [
        at_most("p99 of a trivial request in a login storm, of its idle p99", "≤ 3 ×", 3, table.get(DEFAULT, TIMES)),
        at_least("logins in a storm, of the raw hash rate of all cores", "≥ 0.9 ×", 0.9, table.get(DEFAULT, OF_RAW)),
        at_most("memory that a storm takes, of pool × hash memory", "≤ 1.25 ×", 1.25, table.get(DEFAULT, POOLS)),
        at_most("memory that 200 unknown users take, of the same", "≤ 1.25 ×", 1.25, crowd.get(CROWD, POOLS)),
        at_most("refusals without Retry-After", "≤ 0", 0, refused),
    ]
