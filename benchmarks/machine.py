"""On what it was measured: processor, memory, versions, date; no names of hosts, no paths."""

import datetime as dt
import importlib.metadata
import os
import platform
import re
from pathlib import Path
from typing import Any

PACKAGES = (
    "asgi-auth", "starlette", "uvicorn", "pyjwt", "argon2-cffi", "asyncpg", "aiosqlite", "msgspec", "fastapi",
    "fastapi-users", "sqlalchemy", "litestar", "quart-auth", "auth101", "authx", "piccolo-api", "pg-simple-auth",
)  # fmt: skip

LOAD = "load when it began"


def about() -> dict[str, Any]:
    """Date, machine and versions."""
    kibibytes = int(_found("/proc/meminfo", r"MemTotal:\s*(\d+)") or 0)
    return {
        "date": dt.datetime.now(dt.UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "machine": {
            "processor": _found("/proc/cpuinfo", r"model name\s*: (.+)") or platform.machine(),
            "cores": str(os.cpu_count()),
            "memory": f"{kibibytes / 2**20:.0f} GiB",
            "system": f"{platform.system()} {platform.release().partition('-')[0]}, {platform.machine()}",
            LOAD: f"{os.getloadavg()[0]:.1f}",
        },
        "versions": {"CPython": platform.python_version()} | _versions(),
    }


def _versions() -> dict[str, str]:
    found = {}
    for name in PACKAGES:
        try:
            found[name] = importlib.metadata.version(name)
        except importlib.metadata.PackageNotFoundError:
            continue
    return found


def _found(file: str, pattern: str) -> str:
    path = Path(file)
    match = re.search(pattern, path.read_text()) if path.exists() else None
    return match[1] if match else ""
