"""Clients of Redis by their URL: one server, the primary that Sentinel names, or a cluster."""

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from urllib.parse import SplitResult, unquote, urlsplit

if TYPE_CHECKING:
    from redis.asyncio import Redis, RedisCluster

#: The maximum number of connections to a server, and of the calls that run at a time, per event loop.
MAX_CONNECTIONS = 50
#: Schemes of URLs with several hosts, and the default ports of these.
PORTS = {"sentinel": 26379, "cluster": 6379}
#: Options that Sentinel gets as well: it is asked by the same kind of connection.
SHARED = ("ssl", "socket_")


@dataclass
class RedisURL:
    """A URL with several hosts. `options` are the arguments of the client, and `sentinel` those of Sentinel's own."""

    kind: str
    hosts: list[tuple[str, int]]
    service: str = ""
    options: dict[str, Any] = field(default_factory=dict, repr=False)
    sentinel: dict[str, Any] = field(default_factory=dict, repr=False)


def parse(library: Any, url: str) -> RedisURL | None:
    """Parse the URL of a Sentinel or a cluster; None for that of one server. Raises ValueError."""
    scheme, plus, kind = url.partition("://")[0].partition("+")
    if not plus:
        library.connection.parse_url(url)
        return None
    if scheme not in {"redis", "rediss"} or kind not in PORTS:
        raise ValueError("the scheme of a Redis URL with several hosts is redis+sentinel, redis+cluster, or rediss+…")
    parts = urlsplit(url)
    login, at, hosts = parts.netloc.rpartition("@")
    service, _, database = unquote(parts.path).strip("/").partition("/")
    if bool(service) is (kind == "cluster") or (database and not database.isdecimal()):
        raise ValueError(
            "the path of a Redis URL names the service of a Sentinel, such as redis+sentinel://h1,h2/service/0, and "
            "a cluster has none"
        )
    # The library's own rules for options, user and password, with a single host.
    options = library.connection.parse_url(f"{scheme}://{login}{at}host/{database}?{parts.query}")
    del options["host"]
    options["ssl"] = options.pop("connection_class", None) is not None
    found = RedisURL(kind, _hosts(parts, hosts, PORTS[kind]), service, options)
    for name in ("username", "password"):
        if (value := options.pop(f"sentinel_{name}", None)) is not None:
            found.sentinel[name] = value
    return found


def _hosts(parts: SplitResult, text: str, port: int) -> list[tuple[str, int]]:
    found = []
    for item in text.split(","):
        try:
            one = urlsplit(f"{parts.scheme}://{item}")
            found.append((unquote(one.hostname or ""), one.port or port))
        except ValueError:
            raise ValueError("a Redis URL has a port that is not a number, or a host that cannot be parsed") from None
    if not all(host for host, _ in found):
        raise ValueError("a Redis URL has an empty host")
    return found


class RedisClients:
    """Makes clients of one URL, and closes them."""

    def __init__(self, library: Any, url: str, timeout: float) -> None:
        """Connect nowhere yet. Raises ValueError for a URL or option that does not exist."""
        self._library = library
        self._url = url
        self._timeout = timeout
        self._several = parse(library, url)
        #: Whether keys are on several servers, so that a script can have one key only.
        self.is_cluster: bool = self._several is not None and self._several.kind == "cluster"
        try:
            made: Any = self.connect()
            if not self.is_cluster:
                made.connection_pool.make_connection()
        except TypeError as error:
            # The library would raise this at the first connection.
            raise ValueError(f"the Redis URL has an option that does not exist: {error}") from None

    def connect(self) -> "Redis | RedisCluster":
        """Make a client, which connects with its first call."""
        if self._several is None:
            return self._one()
        return self._cluster(self._several) if self.is_cluster else self._sentinel(self._several)

    async def close(self, client: "Redis | RedisCluster") -> None:
        """Close the connections of a client, and those to Sentinels."""
        await client.aclose()
        manager = getattr(getattr(client, "connection_pool", None), "sentinel_manager", None)
        for sentinel in manager.sentinels if manager is not None else ():
            await sentinel.aclose()

    def _one(self) -> "Redis":
        pool = self._library.BlockingConnectionPool.from_url(
            self._url, max_connections=MAX_CONNECTIONS, timeout=self._timeout, **self._timeouts()
        )
        client: Redis = self._library.Redis.from_pool(pool)
        return client

    def _sentinel(self, url: RedisURL) -> "Redis":
        shared = {name: value for name, value in url.options.items() if name.startswith(SHARED)}
        # A part of the time, so that another Sentinel is asked when the first ones are away.
        asking = self._timeouts(self._timeout / (2 * len(url.hosts)))
        sentinel = self._library.Sentinel(url.hosts, sentinel_kwargs={**shared, **asking, **url.sentinel})
        options = {"max_connections": MAX_CONNECTIONS, **self._timeouts(), **url.options}
        client: Redis = sentinel.master_for(url.service, **options)
        return client

    def _cluster(self, url: RedisURL) -> "RedisCluster":
        nodes = [self._library.cluster.ClusterNode(host, port) for host, port in url.hosts]
        # Else every fifth key on another server than expected closes the connections of all calls.
        options = {"max_connections": MAX_CONNECTIONS, "reinitialize_steps": 0, **self._timeouts(), **url.options}
        client: RedisCluster = self._library.RedisCluster(startup_nodes=nodes, **options)
        return client

    def _timeouts(self, seconds: float = 0.0) -> dict[str, float]:
        return dict.fromkeys(("socket_timeout", "socket_connect_timeout"), seconds or self._timeout)
