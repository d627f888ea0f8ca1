"""Imports a file in this process: `python -m benchmarks.import_worker URL FILE`.

Prints the users per second, and the most memory that the process has had in MiB, as JSON.
"""

import asyncio
import json
import sys
import time
from pathlib import Path

from asgi_auth import Auth
from asgi_auth.importing import import_users
from benchmarks.contenders.base import SECRET


async def main(url: str, file: str) -> None:
    """Import into tables that are there."""
    async with Auth(url, secret=SECRET) as auth:
        started = time.perf_counter()
        report = await import_users(auth, file)
        seconds = time.perf_counter() - started
    if report.refused:
        raise RuntimeError(report.refusals[0].reason)
    status = Path("/proc/self/status").read_text("utf-8")  # noqa: ASYNC240 (nothing else runs)
    most = next(line for line in status.splitlines() if line.startswith("VmHWM"))
    print(json.dumps([report.made / seconds, int(most.split()[1]) / 1024]))


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
