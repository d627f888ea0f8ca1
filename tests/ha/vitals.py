"""What a process holds: memory, descriptors, tasks, and the sizes of what the library keeps in memory."""

import asyncio
import gc
import os
from pathlib import Path

from asgi_auth import Auth


def of_process(auth: Auth) -> dict[str, int]:
    """Measure this process. Memory is the resident set in KiB, after a collection."""
    gc.collect()
    status = Path("/proc/self/status").read_text("utf-8")
    (resident,) = (line for line in status.splitlines() if line.startswith("VmRSS:"))
    revocation = auth.revocation
    return {
        "pid": os.getpid(),
        "memory": int(resident.split()[1]),
        "descriptors": len(list(Path("/proc/self/fd").iterdir())),
        "tasks": len(asyncio.all_tasks()),
        "threads": len(list(Path("/proc/self/task").iterdir())),
        "ended sessions": len(revocation.dead),
        "objects": len(gc.get_objects()),
    }
