"""The peers: which module wires each, and what it takes part in."""

import importlib.util
from dataclasses import dataclass
from pathlib import Path

from benchmarks.contenders.base import Options
from benchmarks.harness import Run
from tests.postgres import Server

REQUESTS, WRITES, SERVED, STORM = "requests", "writes", "served", "storm"


@dataclass(frozen=True)
class Peer:
    """A peer: the module of its contender, the distribution it needs, its databases, and what it takes part in."""

    module: str
    needs: str
    databases: tuple[str, ...] = ("",)
    parts: tuple[str, ...] = (REQUESTS, SERVED)
    quick: bool = True


BOTH = ("SQLite", "PostgreSQL")
ALL = (REQUESTS, SERVED, WRITES, STORM)
PEERS = {
    "Starlette AuthenticationMiddleware + PyJWT": Peer("starlette_pyjwt", "starlette"),
    "FastAPI tutorial": Peer("fastapi_tutorial", "fastapi"),
    "Litestar JWTCookieAuth": Peer("litestar_jwt", "litestar"),
    "quart-auth": Peer("quart_cookies", "quart_auth", quick=False),
    "fastapi-users": Peer("fastapi_users_jwt", "fastapi_users", BOTH, ALL),
    "auth101": Peer("auth101_sqlalchemy", "auth101", BOTH, ALL),
    "authx": Peer("authx_jwt", "authx", quick=False),
    "piccolo_api sessions": Peer("piccolo_sessions", "piccolo_api", ("SQLite",), (REQUESTS, SERVED), quick=False),
    "pg_simple_auth": Peer("pg_simple", "pg_simple_auth", ("PostgreSQL",), (WRITES, STORM), quick=False),
}
NOT_WIRED = {
    "mvp-auth": "not in the package index",
    "Authly": "not wired: a whole OAuth 2.1 server with a bootstrap of its own, not a library to put into an app",
}


def peers(
    part: str, path: Path, server: Server, run: Run, *, users: int = 20, database: str = ""
) -> dict[str, tuple[str, Options]]:
    """The peers that take part, each on each of its databases (or on one); why not, is noted for the others."""
    found: dict[str, tuple[str, Options]] = {}
    if run.size.name == "tiny":
        return {}
    for name, reason in NOT_WIRED.items():
        run.leave_out(name, reason)
    for name, peer in PEERS.items():
        if part not in peer.parts or (database and database not in peer.databases):
            continue
        if run.size.name == "quick" and not peer.quick:
            run.leave_out(name, "not part of the quick run")
        elif importlib.util.find_spec(peer.needs) is None:
            run.leave_out(name, f"{peer.needs} is not installed")
        else:
            # A storm is about the loop: one database will do.
            kinds = peer.databases[:1] if part == STORM else peer.databases
            for kind in (database,) if database else kinds:
                row = f"{name}, {kind}" if kind else name
                url = f"sqlite:///{path}/{peer.module}.db" if kind == "SQLite" else ""
                variant = "real" if part == STORM else ""
                url = server.database() if kind == "PostgreSQL" else url
                found[row] = (peer.module, Options(url, users, variant=variant))
    return found
