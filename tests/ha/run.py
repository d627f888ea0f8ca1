"""The run: the hosts, the cluster, the workers, and one row after the other."""

import argparse
import asyncio
import time
from collections.abc import AsyncIterator
from pathlib import Path

from tests.ha import isolation, table, targets
from tests.ha.failures import FAILURES, Failure, Stage
from tests.ha.network import Network
from tests.ha.patroni import NODES, Cluster, until
from tests.ha.programs import Programs
from tests.ha.routes import APP, REDIS, ROUTES, await_workers, migrate, start_proxies, start_workers
from tests.ha.row import Row, run
from tests.redis_server import WatchedRedis

HOSTS = (*NODES, "etcd1", APP)


async def main(options: argparse.Namespace) -> int:
    """Run the rows that were asked for; the exit status is 1 if a target is missed."""
    isolation.prepare()
    network = Network(HOSTS)
    isolation.put_over("/etc/hosts", network.hosts_file({"etcd2": "etcd1", "etcd3": "etcd1"}))
    isolation.enter(APP)
    programs = Programs(options.logs)
    cluster = Cluster(programs)
    print(f"logs: {options.logs}", flush=True)
    started = time.time()
    try:
        await cluster.up()
    except TimeoutError:
        print(cluster.states)
        raise
    await cluster.execute("db1", "CREATE TABLE public.probe (at timestamptz)")
    await asyncio.to_thread(migrate)
    start_proxies(programs)
    for route in ROUTES:
        start_workers(programs, route)
    await asyncio.to_thread(await_workers, ROUTES)
    print(f"up after {time.time() - started:.0f} s", flush=True)
    redis = await _redis(programs, options)
    rows = [row async for row in _rows(options, cluster, network, redis)]
    return targets.report(rows)


async def _redis(programs: Programs, options: argparse.Namespace) -> WatchedRedis | None:
    """Start Redis with its Sentinels and workers that count there, if a row is about it."""
    (failure,) = (failure for failure in FAILURES if REDIS in failure.routes)
    if not any(_is_asked(failure, options, synchronous=synchronous) for synchronous in (True, False)):
        return None
    folder = isolation.STATE / "redis"
    folder.mkdir()
    redis = await asyncio.to_thread(WatchedRedis, folder)
    start_workers(programs, REDIS, redis.url)
    await asyncio.to_thread(await_workers, (REDIS,))
    return redis


async def _rows(
    options: argparse.Namespace, cluster: Cluster, network: Network, redis: WatchedRedis | None
) -> AsyncIterator[Row]:
    number = 0
    for synchronous in (True, False):
        failures = [failure for failure in FAILURES if _is_asked(failure, options, synchronous=synchronous)]
        if failures:
            await cluster.be_synchronous(synchronous=synchronous)
        for failure in failures:
            number += 1
            primary = await until(cluster.primary, "there is a primary")
            stage = Stage(cluster, network, primary, redis)
            row = await run(failure, stage, synchronous=synchronous, folder=Path(options.logs), number=number)
            print(table.text_of(row), flush=True)
            if options.write:
                await asyncio.to_thread(table.write, [row])
            yield row


def _is_asked(failure: Failure, options: argparse.Namespace, *, synchronous: bool) -> bool:
    if options.mode and (options.mode == "sync") != synchronous:
        return False
    if not synchronous and REDIS in failure.routes:
        return False
    if options.only:
        return failure.name in options.only.split(",")
    return options.all or failure.chosen[0 if synchronous else 1]
