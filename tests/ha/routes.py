"""The ways of the app to the primary, with worker processes of their own for each."""

import subprocess
import sys
import time
import urllib.request
from dataclasses import dataclass

from tests.deploy.programs import FILES, ROOT
from tests.ha.isolation import STATE, put_over
from tests.ha.patroni import DATABASE, NODES, WORD
from tests.ha.programs import Programs
from tests.support import SECRET

APP = "app1"
HOSTS = ",".join(f"{node}:5432" for node in NODES)
DIRECT = f"postgresql://app_web:{WORD}@{HOSTS}/{DATABASE}?target_session_attrs=read-write&schema=auth"
PROXY = f"postgresql://app_web:{WORD}@127.0.0.1:5432/{DATABASE}?schema=auth"
POOLER = f"postgresql://app_web:{WORD}@127.0.0.1:6432/{DATABASE}?schema=auth&pgbouncer=true"


@dataclass(frozen=True)
class Route:
    """A way to the primary, as the guide describes it."""

    name: str
    text: str
    url: str
    port: int
    listen_url: str = ""
    lag: float = 2.0
    processes: int = 2
    #: The addresses of the worker processes, if their ports do not follow `port`.
    addresses: tuple[str, ...] = ()

    @property
    def most_connections(self) -> int:
        """Connections that the primary may have of it: `max_size` and a listener for each process."""
        return self.processes * 11

    @property
    def urls(self) -> list[str]:
        """The addresses of the worker processes."""
        return list(self.addresses) or [f"http://127.0.0.1:{self.port + number}" for number in range(self.processes)]


ROUTES = (
    Route("hosts", "all hosts in the URL", DIRECT, 8000),
    Route("haproxy", "HAProxy", PROXY, 8010),
    Route("pgbouncer", "pgbouncer and HAProxy", POOLER, 8020, listen_url=DIRECT),
    Route("lag60", "all hosts, `max_revocation_lag=60`", DIRECT, 8030, lag=60.0),
)
#: Counts in Redis, and has a failure of its own.
REDIS = Route("redis", "all hosts in the URL, counters in Redis", DIRECT, 8040)


def start_proxies(programs: Programs) -> None:
    """Start HAProxy and pgbouncer on the host of the app, with the files of the guide as they are."""
    programs.start("haproxy", APP, ["haproxy", "-db", "-f", str(FILES / "haproxy-postgresql.cfg")])
    put_over("/etc/pgbouncer/userlist.txt", f'"app_web" "{WORD}"\n')
    put_over("/etc/pgbouncer/pgbouncer.ini", (FILES / "pgbouncer.ini").read_text("utf-8"))
    subprocess.run(
        ["chown", "-R", "postgres:", "/etc/pgbouncer/userlist.txt", "/etc/pgbouncer/pgbouncer.ini"], check=True
    )
    # Its socket would lie in /tmp of the machine.
    binds = {"/tmp": str(STATE / "sockets")}
    (STATE / "sockets").mkdir(mode=0o777)
    programs.start("pgbouncer", APP, ["pgbouncer", "/etc/pgbouncer/pgbouncer.ini"], user="postgres", binds=binds)


def migrate() -> None:
    """Make the tables, as their owner."""
    url = DIRECT.replace("app_web", "app_owner")
    command = [sys.executable, "-m", "asgi_auth", "migrate"]
    environment = {"AUTH_DATABASE_URL": url, "AUTH_SECRET": SECRET, "PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin"}
    subprocess.run(command, check=True, env=environment, cwd=STATE)


def start_workers(programs: Programs, route: Route, counters_url: str = "") -> None:
    """Start the worker processes of a route."""
    environment = {
        "AUTH_DATABASE_URL": f"{route.url}&application_name={route.name}",
        "LISTEN_URL": route.listen_url,
        "COUNTERS_URL": counters_url,
        "AUTH_SECRET": SECRET,
        "AUTH_TRUSTED_PROXIES": "127.0.0.1",
        "AUTH_MAX_REVOCATION_LAG": str(route.lag),
        "PYTHONPATH": str(ROOT),
    }
    options = [
        "--host",
        "127.0.0.1",
        "--no-proxy-headers",
        "--log-level",
        "warning",
        "--no-access-log",
        "--timeout-keep-alive",
        "75",
    ]
    for number in range(route.processes):
        command = [sys.executable, "-m", "uvicorn", "tests.ha.app:app", "--port", str(route.port + number), *options]
        programs.start(f"{route.name}-{number}", APP, command, environment=environment)


def stop_workers(programs: Programs, route: Route) -> None:
    """Kill the worker processes of a route."""
    for number in range(route.processes):
        programs.stop(f"{route.name}-{number}")


def await_workers(routes: tuple[Route, ...], seconds: float = 120) -> None:
    """Wait until all worker processes answer."""
    end = time.monotonic() + seconds
    for url in (url for route in routes for url in route.urls):
        while True:
            try:
                urllib.request.urlopen(f"{url}/auth/health", timeout=10).close()
                break
            except OSError:
                if time.monotonic() > end:
                    raise
                time.sleep(0.2)
