"""What importing costs: time, and memory of the process afterwards."""

import asyncio
import importlib.util
import json
import sys
from functools import partial

from benchmarks.contenders.base import SECRET
from benchmarks.harness import Collected, LeftOutError, Run
from benchmarks.records import Part, Table, Target, at_most

NEEDED = "starlette + PyJWT + argon2-cffi"
OURS, NAMES, USED = "asgi_auth", "asgi_auth, four names imported", "asgi_auth, Auth and AuthMiddleware made"
TIME, MEMORY = "import, ms", "memory, MiB"
SCRIPT = """
import time; started = time.perf_counter()
{code}
took = time.perf_counter() - started
import sys; most = next(line for line in open("/proc/self/status") if line.startswith("VmHWM"))
print([took * 1000, int(most.split()[1]) / 1024, len(sys.modules)])
"""
MAKE = (
    "from asgi_auth import Auth, AuthMiddleware, Passwords; "
    f"auth = Auth('sqlite://', secret='{SECRET}'); AuthMiddleware(print, auth, mount='/auth')"
)
CODES = {
    "nothing": "pass",
    "starlette": "import starlette.applications",
    NEEDED: "import starlette.applications, jwt, argon2",
    OURS: "import asgi_auth",
    NAMES: "from asgi_auth import Auth, AuthMiddleware, Passwords, Sessions",
    USED: MAKE,
    "fastapi": "import fastapi",
    "fastapi-users with SQLAlchemy": "import fastapi_users, fastapi_users.db, fastapi_users.authentication",
    "auth101 with SQLAlchemy and FastAPI": "import fastapi; from auth101.adapters import SQLAlchemyAdapter",
    "authx": "import authx",
    "litestar with JWT": "import litestar, litestar.security.jwt",
    "quart-auth": "import quart_auth",
    "piccolo_api sessions": "import piccolo_api.session_auth.middleware",
    "pg_simple_auth": "import pg_simple_auth",
}


async def measure(run: Run) -> None:
    """Import by turns, each time in a new process."""
    table = Table(
        "startup",
        "Importing",
        "a new process each time; byte code is compiled in the first round; memory is the most the process has had",
        "ms and MiB",
        baseline=NEEDED,
        chart=TIME,
    )
    run.part.tables.append(table)
    turns = {}
    for name, code in CODES.items():
        module = code.removeprefix("import ").removeprefix("from ").split(",")[0].split(".")[0].split(";")[0].split()[0]
        if module != "pass" and importlib.util.find_spec(module) is None:
            run.leave_out(name, f"{module} is not installed")
            continue
        turns[name] = partial(_turn, code, Collected(run, table, name))
    await run.rounds(turns)


async def _turn(code: str, kept: Collected) -> None:
    took, memory, modules = await _imported(code)
    kept.add(TIME, took)
    kept.add(MEMORY, memory)
    kept.add("modules", modules)


async def _imported(code: str) -> list[float]:
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-W", "ignore", "-c", SCRIPT.format(code=code)]
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    output, errors = await process.communicate()
    if process.returncode:
        raise LeftOutError(errors.decode().strip().splitlines()[-1])
    found: list[float] = json.loads(output.splitlines()[-1])
    return found


def targets(part: Part) -> list[Target]:
    """The target of performance.md, section 6."""
    (table,) = part.tables
    needed = table.get(NEEDED, TIME)
    found = []
    for row, subject in ((OURS, "`import asgi_auth`"), (NAMES, "importing Auth, AuthMiddleware, Passwords, Sessions")):
        ours = table.get(row, TIME)
        over = None if ours is None or needed is None else ours - needed
        found.append(at_most(f"{subject} over starlette + PyJWT + argon2-cffi", "≤ 20 ms", 20, over, scales=True))
    return found
