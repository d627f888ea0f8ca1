"""Commands about the tables: `migrate`, `status`, `sql` and `purge`."""

from argparse import ArgumentParser
from collections.abc import Sequence
from typing import Any, get_args

import asgi_auth
from asgi_auth.auth import Auth
from asgi_auth.command.command import DONE, FOUND, Command, Job
from asgi_auth.command.refusals import WrongUseError
from asgi_auth.model.records import Status
from asgi_auth.storage import Storage
from asgi_auth.storage.partitions import statement
from asgi_auth.storage.sql import SQLStorage


def _migrate_arguments(parser: ArgumentParser) -> None:
    text = "then partition sessions, counters and audit records by hash (PostgreSQL)"
    parser.add_argument("--partitions", type=int, default=0, metavar="N", help=text)


async def migrate(job: Job) -> int:
    """Run the missing migrations, and partition tables if that is asked."""
    number = job.options.partitions
    async with job.tables(creates=True) as storage:
        if number:
            _check_partitions(storage, number)
        ran = await storage.migrate()
        partitioned: list[str] = []
        if number and isinstance(storage, SQLStorage):
            partitioned = await storage.partition(number)
    numbers = ", ".join(map(str, ran))
    lines = [f"Ran the migrations {numbers}." if ran else "The tables are up to date."]
    if number:
        lines.append(f"Partitioned {', '.join(partitioned)}." if partitioned else "The tables have partitions.")
    data = {"ran": ran} | ({"partitioned": partitioned} if number else {})
    job.output.show(data, "\n".join(lines))
    return DONE


def _check_partitions(storage: Storage, number: int) -> None:
    """Refuse a number of partitions, or a database without any, before anything is changed."""
    if not isinstance(storage, SQLStorage):
        raise WrongUseError("the storage of the app has no SQL")
    try:
        statement(storage, number)
    except ValueError as error:
        raise WrongUseError(str(error)) from None


async def status(job: Job) -> int:
    """Tell versions, users, keys and what waits; 1 if migrations are missing."""
    auth = job.target.auth
    async with job.tables() as storage:
        missing = await storage.missing_migrations()
        users, waiting = None, None
        if not missing:
            async with auth:
                users = {each: await auth.users.count(status=each) for each in get_args(Status)}
                waiting, _ = await auth.resealing.look()
    data = {
        "version": asgi_auth.__version__,
        "database": getattr(storage, "dialect", type(storage).__name__),
        "missing_migrations": missing,
        "users": users,
        "keys": keys_of(auth),
        "reseal": waiting,
    }
    job.output.show(data, "\n".join(_lines(data)))
    return FOUND if missing else DONE


def keys_of(auth: Auth) -> dict[str, Any]:
    """Return the number of secrets, and the ids and algorithms of the signing keys: nothing secret."""
    settings = auth.settings
    return {
        "secrets": len(settings.secrets),
        "signing": [{"kid": key.kid, "algorithm": key.algorithm} for key in auth.keys.configured],
    }


def _lines(data: dict[str, Any]) -> Sequence[str]:
    keys, users, missing = data["keys"], data["users"], data["missing_migrations"]
    signing = ", ".join(f"{key['kid']} ({key['algorithm']})" for key in keys["signing"]) or "derived from the secret"
    lines = [
        f"version     {data['version']}",
        f"database    {data['database']}",
        f"migrations  {'missing: ' + ', '.join(map(str, missing)) if missing else 'up to date'}",
        f"secrets     {keys['secrets']}",
        f"signing     {signing}",
    ]
    if users is not None:
        lines.append(f"users       {', '.join(f'{number} {name}' for name, number in users.items())}")
        lines.append(f"reseal      {data['reseal']} rows are sealed with an older secret")
    if missing:
        lines.append("Run: asgi-auth migrate")
    return lines


def _sql_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--after", type=int, default=0, metavar="N", help="only the migrations with greater numbers")
    _migrate_arguments(parser)


async def sql(job: Job) -> int:
    """Print the migrations as a script; the database is not changed."""
    storage = job.target.storage
    if not isinstance(storage, SQLStorage):
        raise WrongUseError("the storage of the app has no SQL")
    if job.options.partitions:
        _check_partitions(storage, job.options.partitions)
    try:
        text = await storage.script(job.options.after, job.options.partitions)
    finally:
        await storage.close()
    job.output.show({"sql": text}, text.rstrip())
    return DONE


async def purge(job: Job) -> int:
    """Delete expired rows."""
    async with job.started() as auth:
        with job.output.progress("deleted") as progress:
            deleted = await auth.purger.run(progress.update)
    job.output.show({"deleted": deleted}, f"Deleted {deleted} expired rows.")
    return DONE


COMMANDS = (
    Command("migrate", "create and update the tables", migrate, _migrate_arguments),
    Command("status", "show versions, numbers of users, keys, and what waits", status),
    Command("sql", "print the migrations as SQL, for an administrator of the database", sql, _sql_arguments),
    Command("purge", "delete expired rows now, for four minutes at most", purge),
)
