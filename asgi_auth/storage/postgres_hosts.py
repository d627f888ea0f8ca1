"""Connects to the first host of a PostgreSQL URL that answers and fits: the hosts are raced, not tried in turn."""

import asyncio
import os
from collections import deque
from collections.abc import Mapping
from typing import Any, TypeAlias
from urllib.parse import parse_qsl, unquote, urlsplit

import asyncpg

from asgi_auth.process.background import begin
from asgi_auth.storage.postgres_host_order import Host, HostOrder
from asgi_auth.storage.postgres_refusals import REFUSED, has_no_room

AsyncpgConnection: TypeAlias = "asyncpg.Connection[Any]"
#: Seconds by which each host is begun after the one before; at once after a refusal.
STAGGER = 0.25
#: Seconds after which hosts that refused, or did not fit, are asked again while another one gives no answer.
AGAIN = 0.5
#: Seconds for which a primary waits for a standby with `target_session_attrs=prefer-standby`.
FOR_STANDBY = 1.0
#: Seconds for a connection without a `timeout`, as in asyncpg.
DEFAULT_TIMEOUT = 60.0


async def connect_to_first(
    dsn: str | None, options: Mapping[str, Any], order: HostOrder | None = None
) -> AsyncpgConnection:
    """Open a connection within `options["timeout"]` seconds.

    `options` are arguments of `asyncpg.connect`. With several hosts, each is begun a moment after the one before; the
    first that has the asked `target_session_attrs` is kept, the others are closed. Raises asyncpg's errors: of several
    hosts, that of a server that answered. A name with several addresses is one host.
    """
    hosts, order = hosts_of(dsn, options), order or HostOrder()
    connection: AsyncpgConnection
    if len(hosts) < 2:
        connection = await asyncpg.connect(dsn, **options)
        return connection
    async with asyncio.timeout(options.get("timeout", DEFAULT_TIMEOUT)):
        return await _Race(dsn, options, hosts, order).winner()


def hosts_of(dsn: str | None, options: Mapping[str, Any]) -> list[Host]:
    """Return the hosts that asyncpg would try in turn, with their ports; none if they are in a service file."""
    url = urlsplit(dsn or "")
    query = dict(parse_qsl(url.query))
    address = url.netloc.rpartition("@")[2]
    given = options.get("host") or unquote(address) or query.get("host") or _host_of_environment(query)
    names = given.split(",") if isinstance(given, str) else list(given)
    fixed = options.get("port") or (not address and query.get("port"))
    port = fixed or os.environ.get("PGPORT") or 5432
    ports = str(port).split(",") if isinstance(port, str | int) else list(port)
    defaults = ports * len(names) if len(ports) == 1 else ports
    if len(defaults) != len(names) or not all(names):
        return []
    return [_split(name, int(default), keep=bool(fixed)) for name, default in zip(names, defaults, strict=True)]


def _host_of_environment(query: Mapping[str, str]) -> str:
    has_service = "service" in query or "PGSERVICE" in os.environ
    return "" if has_service else os.environ.get("PGHOST", "")


def _split(name: str, default: int, *, keep: bool) -> Host:
    """Divide a host from its port, or `keep` that of the option. An IPv6 address is in brackets."""
    if name.startswith("/"):
        return name, default
    host, _, port = name.rpartition(":") if ":" in name.rpartition("]")[2] else (name, "", "")
    return host.strip("[]"), int(port) if port and not keep else default


class _Race:
    """One connection attempt for each host, begun one after the other."""

    def __init__(self, dsn: str | None, options: Mapping[str, Any], hosts: list[Host], order: HostOrder) -> None:
        self._dsn = dsn
        self._options = options
        self._order = order
        self._waiting = deque(order.sort(hosts))
        self._running: dict[asyncio.Task[AsyncpgConnection], Host] = {}
        self._failures: dict[Host, BaseException] = {}
        #: A primary that is kept for want of a standby.
        self._spare: AsyncpgConnection | None = None
        query = dict(parse_qsl(urlsplit(dsn or "").query))
        attribute = options.get("target_session_attrs") or query.get("target_session_attrs")
        self._prefers_standby = (attribute or os.environ.get("PGTARGETSESSIONATTRS")) == "prefer-standby"

    async def winner(self) -> AsyncpgConnection:
        """Return the first connection that fits, and close all others. Raises the most telling error."""
        found = None
        try:
            while found is None and (self._waiting or self._running):
                if self._waiting:
                    self._begin(self._waiting.popleft())
                found = await self._step()
            found = found or self._spare
            if found is None:
                raise min(self._failures.values(), key=_rank)
            return found
        finally:
            if self._spare is not None and self._spare is not found:
                self._spare.terminate()
            for attempt in self._running:
                attempt.cancel()
                attempt.add_done_callback(_close)

    async def _step(self) -> "AsyncpgConnection | None":
        """Wait until an attempt ends, or until it is time for the next step; return a connection that fits."""
        done, _ = await asyncio.wait(self._running, timeout=self._patience(), return_when=asyncio.FIRST_COMPLETED)
        if not done and not self._waiting:
            # A standby may have become the primary meanwhile.
            self._waiting.extend(self._failures)
            return self._spare
        for attempt, host in list(self._running.items()):
            if attempt not in done:
                continue
            del self._running[attempt]
            failure = attempt.exception()
            if failure is not None:
                self._failures[host] = failure
                continue
            self._order.connected(attempt.result(), host)
            if self._spare is None and self._prefers_standby and not _is_standby(attempt.result()):
                self._spare = attempt.result()
            else:
                return attempt.result()
        return None

    def _begin(self, host: Host) -> None:
        self._failures.pop(host, None)
        arguments = {**self._options, "host": host[0], "port": host[1]}
        self._running[begin(asyncpg.connect(self._dsn, **arguments), "connect")] = host

    def _patience(self) -> float | None:
        if self._waiting:
            return STAGGER
        if self._spare is not None:
            return FOR_STANDBY
        return AGAIN if self._failures else None


def _is_standby(connection: AsyncpgConnection) -> bool:
    """Return whether the server said that it is a standby; a pooler in front of it may not tell."""
    return getattr(connection.get_settings(), "in_hot_standby", "off") == "on"


def _close(attempt: "asyncio.Task[AsyncpgConnection]") -> None:
    if not attempt.cancelled() and attempt.exception() is None:
        attempt.result().terminate()


def _rank(error: BaseException) -> int:
    """Order errors: what the servers say first, then those of asyncpg, then those of the network."""
    if isinstance(error, Exception) and has_no_room(error):
        return 0
    if isinstance(error, (asyncpg.PostgresError, *REFUSED)):
        return 1
    return 3 if isinstance(error, OSError) else 2
