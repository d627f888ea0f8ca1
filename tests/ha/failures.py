"""The failures: how each is made, and how it is mended."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from tests.ha.network import Network
from tests.ha.patroni import NODES, Cluster, until
from tests.ha.routes import REDIS, ROUTES, Route
from tests.redis_server import WatchedRedis


@dataclass
class Stage:
    """What a failure works on. `isolated` are nodes whose writes no other node sees."""

    cluster: Cluster
    network: Network
    primary: str
    redis: WatchedRedis | None = None
    isolated: set[str] = field(default_factory=set)

    @property
    def others(self) -> list[str]:
        """The nodes that are not the primary."""
        return [node for node in NODES if node != self.primary]


@dataclass(frozen=True)
class Failure:
    """One failure. `lasts` is how many seconds it goes on before it is mended, at least."""

    name: str
    text: str
    make: Callable[[Stage], Awaitable[None]]
    lasts: float = 8.0
    #: In the run of 15 minutes: with `synchronous_mode`, without it.
    chosen: tuple[bool, bool] = (True, False)
    #: Two primaries at a time: without a synchronous standby, nothing is promised then.
    splits: bool = False
    #: Packets are swallowed, so that calls hang until their timeout.
    swallows: bool = False
    routes: tuple[Route, ...] = ROUTES
    #: Seconds from the moment when the database takes writes until all writes of clients succeed, at most.
    bound: float = 1.0


async def kill_server(stage: Stage) -> None:
    await asyncio.to_thread(stage.cluster.kill_server, stage.primary)


async def kill_host(stage: Stage) -> None:
    await asyncio.to_thread(stage.cluster.kill_host, stage.primary)


async def switch_over(stage: Stage) -> None:
    target = stage.cluster.standbys()[0]
    body = {"leader": stage.primary, "candidate": target}
    await asyncio.to_thread(stage.cluster.ask, stage.primary, "/switchover", "POST", body, 60)


async def restart(stage: Stage) -> None:
    await asyncio.to_thread(stage.cluster.ask, stage.primary, "/restart", "POST", {}, 60)


async def lose_standby(stage: Stage) -> None:
    await asyncio.to_thread(stage.cluster.kill_host, stage.cluster.standbys()[0])


async def lose_etcd(stage: Stage) -> None:
    await asyncio.to_thread(stage.cluster.kill_etcd)


async def cut_primary(stage: Stage) -> None:
    stage.isolated.add(stage.primary)
    await asyncio.to_thread(stage.network.cut_off, stage.primary)


async def freeze_agent(stage: Stage) -> None:
    """The app still reaches the old primary, whose Patroni neither notices nor acts."""
    stage.isolated.add(stage.primary)
    stage.cluster.freeze_agent(stage.primary)
    await asyncio.to_thread(stage.network.cut, stage.primary, ["etcd1", *stage.others])


async def hold_replication(stage: Stage) -> None:
    """With a synchronous standby, commits hang; Patroni sees nothing for as long as the connections seem alive."""
    await asyncio.to_thread(stage.network.cut, stage.primary, stage.others)


async def hang(stage: Stage) -> None:
    await hold_replication(stage)
    await asyncio.sleep(14)
    await asyncio.to_thread(stage.network.heal)


async def lose_transactions(stage: Stage) -> None:
    """The standbys fall behind for three seconds, then the primary is lost; one may take over though it is behind."""
    allowed = {"maximum_lag_on_failover": 10**9}
    await asyncio.to_thread(stage.cluster.ask, stage.primary, "/config", "PATCH", allowed)
    await asyncio.sleep(4)
    await hold_replication(stage)
    await asyncio.sleep(3)
    await kill_host(stage)
    await asyncio.to_thread(stage.network.heal)


async def kill_redis(stage: Stage) -> None:
    assert stage.redis is not None
    await asyncio.to_thread(stage.redis.replicated)
    await asyncio.to_thread(stage.redis.primary.close)


FAILURES = (
    Failure("kill", "The primary's server is killed", kill_server, chosen=(True, True)),
    Failure("host", "The primary's host is lost", kill_host),
    Failure("switchover", "Switchover", switch_over),
    Failure("restart", "The primary is restarted", restart),
    Failure("standby", "The (synchronous) standby is lost", lose_standby),
    Failure("etcd", "etcd is lost for 12 seconds", lose_etcd, lasts=12),
    Failure("cut", "Packets of the primary's host are swallowed", cut_primary, lasts=15, swallows=True, bound=6.0),
    Failure(
        "frozen",
        "Patroni hangs on a primary that only the app reaches: two primaries",
        freeze_agent,
        lasts=30,
        chosen=(True, True),
        splits=True,
        swallows=True,
        bound=6.0,
    ),
    Failure("hang", "Replication hangs for 14 seconds", hang, swallows=True, bound=6.0),
    Failure(
        "lag", "Standbys behind by 3 seconds, then the primary's host is lost", lose_transactions, chosen=(False, True)
    ),
    # The Sentinels of the tests wait a second, and need some more to agree and to tell.
    Failure("redis", "The primary of Redis is killed", kill_redis, lasts=20, routes=(REDIS,), bound=15.0),
)


async def mend(stage: Stage, *, synchronous: bool) -> None:
    """Undo all failures, and wait until the cluster is whole."""
    await asyncio.to_thread(stage.network.heal)
    stage.cluster.thaw_agents()
    stage.cluster.start_missing()
    await until(lambda: stage.cluster.is_whole(synchronous=synchronous), "the cluster is whole again", 180)
