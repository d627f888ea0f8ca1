"""Imports a file in a process of its own: `python -m tests.importing.worker URL FILE [BATCHES]`.

Prints a line when it is ready, and begins when it gets one. With BATCHES it kills itself after that many.
"""

import asyncio
import os
import signal
import sys

from asgi_auth.importing import ImportReport, import_users
from tests.importing.users import importing


async def main(url: str, file: str, batches: int) -> None:
    seen = 0

    def progress(_: ImportReport) -> None:
        nonlocal seen
        seen += 1
        if seen == batches:
            os.kill(os.getpid(), signal.SIGKILL)

    async with importing(url) as auth:
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        sys.stdin.readline()
        report = await import_users(auth, file, progress=progress)
    sys.stdout.write(f"{report.made} {report.skipped} {report.refused}\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 0))
