"""The storage in PostgreSQL, with asyncpg."""

from typing import Any

from asgi_auth.sources.kinds import checks_options

try:
    import asyncpg
except ImportError as _error:  # pragma: no cover (the tests install every extra)
    raise ImportError("PostgreSQL needs the extra: pip install 'asgi-auth[postgres]'") from _error

from asgi_auth.storage.names import Names
from asgi_auth.storage.postgres_driver import PostgresDriver
from asgi_auth.storage.postgres_examination import Advice, Examination, advice
from asgi_auth.storage.postgres_replica import SLOW, Replica
from asgi_auth.storage.postgres_url import parse
from asgi_auth.storage.sql import SQLStorage


class Postgres(SQLStorage):
    """Stores everything in a PostgreSQL database (15 or later).

    * `dsn`: the URL of the database, with the options of libpq. Connections are opened when they are needed, at most
      `max_size` per event loop. Several hosts are raced: the first that has the asked `target_session_attrs` is used.
    * `pool`: a pool of the host in place of `dsn`; it is never closed here.
    * `listen_dsn`: the URL for the connection that listens for changes by other processes. The default is `dsn`;
      without either, the storage polls for changes twice a second.
    * `read_dsn`: the URL of replicas, for reads that may be `max_staleness` seconds old, such as lists. A replica that
      is not proven to be as fresh, is slow or away is not asked; users see their own changes.
    * `names`: the names of schema, tables and columns.
    * `timeout`: the seconds for one call or transaction, including the wait for a connection; after that it raises
      StorageUnavailableError. A request has as many seconds for all its calls. While the server gives no answer, one
      call asks it, and the others are refused at once.
    * `connect`: further arguments of `asyncpg.connect`, such as `ssl`.

    Behind pgbouncer in transaction mode, pass `statement_cache_size=0`, and a `listen_dsn` that leads to the server
    itself, since LISTEN needs a connection to the server.
    """

    @checks_options
    def __init__(
        self,
        dsn: str | None = None,
        *,
        pool: "asyncpg.Pool[Any] | None" = None,
        listen_dsn: str | None = None,
        read_dsn: str | None = None,
        max_staleness: float = 1.0,
        names: Names | None = None,
        max_size: int = 10,
        timeout: float = 5.0,
        **connect: Any,
    ) -> None:
        """Connect nowhere yet. Raises ValueError for a wrong URL, and unless one of `dsn` and `pool` is given."""
        if (dsn is None) == (pool is None):
            raise ValueError("give either a dsn or a pool")
        if max_size < 1:
            raise ValueError("max_size must be at least 1")
        if dsn is not None:
            url = parse(dsn)
            dsn, connect, max_size = url.dsn, {**url.connect, **connect}, url.max_size or max_size
            names = url.names(names)
        listen = (dsn, connect)
        if listen_dsn is not None:
            url = parse(listen_dsn)
            listen = (url.dsn, {**connect, **url.connect})
        driver = PostgresDriver(dsn, pool, listen=listen, max_size=max_size, timeout=timeout, connect=connect)
        super().__init__(driver, names)
        self._examine = driver.examine
        self._examined: Examination | None = None
        self._about = (dsn, listen[0] if listen_dsn is not None else None, connect)
        self._of_replica: Replica | None = None
        if read_dsn is not None:
            url = parse(read_dsn)
            options = {"timeout": timeout, **connect, **url.connect}
            reader = PostgresDriver(url.dsn, None, max_size=url.max_size or max_size, timeout=SLOW, connect=options)
            self._replica = self._of_replica = Replica(reader, driver, max_staleness)

    async def examine(self) -> None:
        """Ask the open database for what `findings` tells. Raises StorageUnavailableError."""
        self._examined = await self._examine()

    def findings(self) -> list[Advice]:
        """Return what is wrong with the URLs, and with a server that was examined: setting, reason and fix."""
        return list(advice(*self._about, self._examined))

    async def open(self) -> None:
        """Connect for the running event loop; a no-op if it is connected."""
        await super().open()
        if self._of_replica is not None:
            await self._of_replica.open()

    async def close(self) -> None:
        """Disconnect from the running event loop."""
        if self._of_replica is not None:
            await self._of_replica.close()
        await super().close()
