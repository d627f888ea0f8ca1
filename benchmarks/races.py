"""Races of refreshes and revocation's delay over worker processes: `python -m benchmarks.races DATABASE_URL [ROUNDS]`.

Workload: four uvicorn processes on one database. A round logs in, refreshes one token 32 times at once over all
processes, uses the successor, and replays the first token. Then as many logouts at one process are watched from
another. The client polls on the same machine, so its own cost is in the delays.
"""

import asyncio
import statistics
import sys
import time

import httpx2

from tests.cluster import FLIGHT, account_at, cluster, race, revocation_delay


async def main(database_url: str, rounds: int) -> None:
    """Run and print."""
    with cluster(database_url) as urls:
        async with httpx2.AsyncClient(timeout=30) as client:
            account = await account_at(client, urls[0], f"race{time.time_ns()}")
            results = [await race(client, urls, account) for _ in range(rounds)]
            delays = sorted([await revocation_delay(client, urls, account) * 1000 for _ in range(rounds)])
    statuses = [status for result in results for status in result.statuses]
    print(f"{database_url.partition(':')[0]}, {len(urls)} processes, {rounds} rounds of {FLIGHT}")
    print(f"  refreshes: {statuses.count(200)} of {len(statuses)} succeeded, 5xx: {sum(s >= 500 for s in statuses)}")
    print(f"  rounds with exactly one successor: {sum(result.successors == 1 for result in results)}")
    print(f"  replay refused as reuse: {sum(result.replay == 'token_reuse' for result in results)}")
    print(f"  the family dead after it: {sum(result.after_replay == 'token_revoked' for result in results)}")
    print(f"  its access token refused: {sum(result.access_after_replay == 401 for result in results)}")
    print(f"  revocation seen by another process, ms: median {statistics.median(delays):.1f}, largest {delays[-1]:.1f}")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 200))
