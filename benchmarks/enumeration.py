"""Whether times tell who has an account: `python -m benchmarks.enumeration DATABASE_URL [SAMPLES]`.

Workload: one server process with the cheapest hashes (least noise) and verification required; its SMTP server takes
connections and never answers. Known and unknown addresses in random order, a new one for each sample, 400 of both for
registering, asking for a reset and logging in with a wrong password. The last column is the share of random
relabellings of the samples whose medians differ at least as much: under 0.01 the times would tell.
"""

import asyncio
import random
import statistics
import sys
import time
from contextlib import suppress

import httpx2

from tests.cluster import server

PASSWORD = "correct horse battery"
SHUFFLES = 2000


async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Be an SMTP server that hangs."""
    with suppress(asyncio.CancelledError, ConnectionError):
        await reader.read()
    writer.close()


async def sample(client: httpx2.AsyncClient, path: str, body: dict[str, str]) -> float:
    """Send a request; how long the answer took, in milliseconds."""
    started = time.perf_counter()
    answer = await client.post(f"/auth{path}", json=body)
    elapsed = (time.perf_counter() - started) * 1000
    assert answer.status_code in {202, 401}, answer.text
    return elapsed


async def compare(client: httpx2.AsyncClient, path: str, samples: int, *, password: str | None) -> None:
    """Measure known and unknown addresses in random order, and print."""
    kinds = ["known"] * samples + ["unknown"] * samples
    random.shuffle(kinds)
    times: dict[str, list[float]] = {"known": [], "unknown": []}
    for number, kind in enumerate(kinds):
        name = f"known{len(times[kind])}" if kind == "known" else f"nobody{path[1:]}{number}"
        body = {"email": f"{name}@example.com"} | ({"password": password} if password else {})
        times[kind].append(await sample(client, path, body))
    known, unknown = statistics.median(times["known"]), statistics.median(times["unknown"])
    print(f"| {path} | {known:.2f} | {unknown:.2f} | {known - unknown:+.3f} | {chance(times):.2f} |")


def chance(times: dict[str, list[float]]) -> float:
    """How often medians differ as much when the labels mean nothing."""
    together, half = times["known"] + times["unknown"], len(times["known"])
    seen = abs(statistics.median(times["known"]) - statistics.median(times["unknown"]))
    hits = 0
    for _ in range(SHUFFLES):
        random.shuffle(together)
        hits += abs(statistics.median(together[:half]) - statistics.median(together[half:])) >= seen
    return hits / SHUFFLES


async def main(database_url: str, samples: int) -> None:
    """Run and print."""
    hanging = await asyncio.start_server(never_answer, "127.0.0.1", 0)
    port = hanging.sockets[0].getsockname()[1]
    with server("benchmarks.enumeration_app", database_url, {"SMTP_PORT": str(port), "KNOWN": str(samples)}) as url:
        print(f"{database_url.partition(':')[0]}, {samples} samples of each kind, the SMTP server hanging\n")
        print("| | known, ms | unknown, ms | difference | chance |\n|---|---|---|---|---|")
        async with httpx2.AsyncClient(base_url=url, timeout=60) as client:
            await compare(client, "/register", samples, password="another battery staple")
            await compare(client, "/forgot-password", samples, password=None)
            await compare(client, "/login", samples, password="wrong " + PASSWORD)
    hanging.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 400))
