"""The import of many users from a file: how fast it is, and that its memory does not grow with the file."""

import asyncio
import json
import sys
from pathlib import Path

from benchmarks.harness import Collected, LeftOutError, Run, folder, postgres
from benchmarks.records import Part, Table, Target, at_most

SPEED, MEMORY = "users per second", "memory, MiB"
FEW, MANY = "a tenth of the users", "all users"
HASH = "$argon2id$v=19$m=65536,t=3,p=4$c2FsdHNhbHRzYWx0$" + "A" * 43


async def measure(run: Run) -> None:
    """Import a file into each database, in a new process each time."""
    count = run.size.imported
    table = Table(
        "imports",
        "Importing users",
        f"{count:,} users with a password hash each, from a file of JSON lines into an empty database, by "
        "`asgi_auth.importing`; memory is the most that the process has had. SQLite: synchronous=FULL; PostgreSQL with "
        "fsync off, as in the tests",
        "users per second and MiB",
        lower=False,
        chart=SPEED,
    )
    run.part.tables.append(table)
    with folder() as path, postgres() as server:
        for number in (count // 10, count):
            file = written(path, number)
            name = MANY if number == count else FEW
            urls = {"SQLite": f"sqlite:///{path}/{number}.db", "PostgreSQL": server.database()}
            for database, url in urls.items():
                await _turn(Collected(run, table, f"{database}, {name}"), url, file)
                run.save()


def written(path: Path, count: int) -> Path:
    """Write a file of users."""
    file = path / f"{count}.jsonl"
    with file.open("w") as lines:
        for number in range(count):
            user = {"email": f"user{number}@example.com", "email_verified": True, "password_hash": HASH}
            lines.write(json.dumps(user) + "\n")
    return file


async def _turn(kept: Collected, url: str, file: Path) -> None:
    pipe = asyncio.subprocess.PIPE
    command = [sys.executable, "-m", "benchmarks.import_worker", url, str(file)]
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=pipe)
    output, errors = await process.communicate()
    if process.returncode:
        raise LeftOutError(errors.decode().strip().splitlines()[-1])
    speed, memory = json.loads(output)
    kept.add(SPEED, speed)
    kept.add(MEMORY, memory)


def targets(part: Part) -> list[Target]:
    """Ten times the users must not take more memory."""
    table = part.tables[0]
    return [
        at_most(
            f"memory of an import with ten times the users, {database}",
            "≤ 16 MiB more",
            16,
            _difference(table.get(f"{database}, {MANY}", MEMORY), table.get(f"{database}, {FEW}", MEMORY)),
        )
        for database in ("SQLite", "PostgreSQL")
    ]


def _difference(a: float | None, b: float | None) -> float | None:
    return None if a is None or b is None else a - b
