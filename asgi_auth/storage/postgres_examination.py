"""What `check()` tells of a PostgreSQL server and the way to it: settings that lose data or delay revocations."""

from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Any, TypeAlias
from urllib.parse import parse_qs, urlsplit

from asgi_auth.storage.postgres_connection import WatchedConnection

#: The argument or setting, the reason, and the fix, as in `Finding`.
Advice: TypeAlias = tuple[str, str, str]
Acquire: TypeAlias = Callable[..., AbstractAsyncContextManager[WatchedConnection]]
#: Values of `target_session_attrs` that lead to a server that can be written to.
WRITABLE = {"read-write", "primary"}
EXAMINE = """
    SELECT pg_backend_pid() AS pid, current_setting('synchronous_commit') AS commits,
        current_setting('synchronous_standby_names') AS standbys
"""
PID = "SELECT pg_backend_pid() AS pid"


@dataclass(frozen=True)
class Examination:
    """What a server has told. `shares` is None where it is not known whether transactions share connections."""

    commits: str = "on"
    standbys: str = ""
    shares: bool | None = None


async def examine(acquire: Acquire, *, can_hold_two: bool) -> Examination:
    """Ask the server for its settings, and find out whether a pooler gives each transaction another connection.

    A pooler tells clients the id of no process of the server. In transaction mode, a connection in a transaction has
    the server process that another one, which rests, has just used; or that one gets another process afterwards.
    """
    async with acquire() as one:
        [row] = await one.fetch(EXAMINE, {})
        shares: bool | None = False
        if row["pid"] != one.raw.get_server_pid():
            shares = await _shares(one, row["pid"], acquire) if can_hold_two else None
    return Examination(row["commits"], row["standbys"], shares)


async def _shares(one: WatchedConnection, pid: int, acquire: Acquire) -> bool:
    async with acquire(begin=True) as two:
        try:
            [other] = await two.fetch(PID, {})
            [again] = await one.fetch(PID, {})
        finally:
            await two.roll_back()
    return bool(other["pid"] == pid or again["pid"] != pid)


def advice(
    dsn: str | None, listen_dsn: str | None, connect: dict[str, Any], examined: Examination | None
) -> Iterator[Advice]:
    """Yield what is wrong with the URLs, and with the server if it was examined. `listen_dsn` is that of the host."""
    for name, url in {"the database URL": dsn, "listen_dsn": listen_dsn}.items():
        if url is not None and _may_lead_to_a_standby(url):
            reason = f"{name} has several hosts, and may lead to a standby, which refuses every write"
            yield ("storage", reason, "Add target_session_attrs=read-write to its options")
    yield from _pooler(listen_dsn, connect, examined)
    if examined is not None:
        yield from _commits(examined)


def _pooler(listen_dsn: str | None, connect: dict[str, Any], examined: Examination | None) -> Iterator[Advice]:
    if listen_dsn is not None:
        return
    shares = examined.shares if examined is not None else None
    slow = "LISTEN hears nothing there, so that other processes learn of ended sessions by polls alone"
    fix = "Add listen_dsn, a URL of the server itself: Postgres(…, listen_dsn=…)"
    if shares:
        yield ("storage", f"a pooler such as pgbouncer gives each transaction another connection; {slow}", fix)
    elif shares is None and connect.get("statement_cache_size") == 0:
        yield ("storage", f"the options are those for pgbouncer; in transaction mode, {slow}", fix)


def _commits(examined: Examination) -> Iterator[Advice]:
    lost = "loses logouts, new passwords and used codes that were acknowledged"
    fix = "Set it to on for the role of the app: ALTER ROLE … SET synchronous_commit = on"
    if examined.commits == "off":
        yield ("storage", f"synchronous_commit is off, so that a crash of the database server {lost}", fix)
    elif examined.commits == "local" and examined.standbys:
        reason = f"synchronous_commit is local although there are synchronous standbys, so that a failover {lost}"
        yield ("storage", reason, fix)


def _may_lead_to_a_standby(url: str) -> bool:
    parts = urlsplit(url)
    options = parse_qs(parts.query)
    hosts = parts.netloc.rpartition("@")[2] or options.get("host", [""])[-1]
    return "," in hosts and options.get("target_session_attrs", ["any"])[-1] not in WRITABLE
