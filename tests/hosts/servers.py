"""Real servers: an example in a separate process, with websockets over the network."""

import asyncio
import os
import socket
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx2
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidStatus

from asgi_auth import Auth
from tests.hosts.forms import FORMS, WITHOUT_WEBSOCKETS
from tests.hosts.script import ORIGIN, RefusedError, Visit, walk
from tests.support import SECRET

ROOT = Path(__file__).parents[2]
HOST_HEADER = ORIGIN.removeprefix("http://")
COMMANDS = {
    "uvicorn": ["uvicorn", "{target}", "--port", "{port}", "--log-level", "warning"],
    "hypercorn": ["hypercorn", "{target}", "--bind", "127.0.0.1:{port}", "--workers", "0", "--log-level", "warning"],
    "granian": ["granian", "{target}", "--port", "{port}", "--interface", "asgi", "--log-level", "warning"],
}
SERVED = "tests.hosts.served:app"
#: Commands of frameworks, and gunicorn with its workers: one of them, because the script expects the effect of a logout
#: with the next request.
RUNNERS = {
    "fastapi run": ["fastapi", "run", "tests/hosts/served.py", "--app", "app", "--port", "{port}"],
    "litestar run": ["litestar", "--app", SERVED, "run", "--port", "{port}"],
    "quart run": ["quart", "--app", SERVED, "run", "--port", "{port}"],
    "gunicorn with uvicorn": ["gunicorn", "-k", "uvicorn.workers.UvicornWorker", "-b", "127.0.0.1:{port}", SERVED],
    "gunicorn": ["gunicorn", "-k", "asgi", "-b", "127.0.0.1:{port}", SERVED],
}
#: hypercorn closes the connection when the host answers without reading the request body.
ONE_REQUEST_EACH = httpx2.Limits(max_keepalive_connections=0)
PREFIX_OPTIONS = {"uvicorn": "--root-path", "hypercorn": "--root-path", "granian": "--url-path-prefix"}


class RemoteSocket:
    """A websocket over the network."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    async def recv(self) -> str:
        return str(await self._connection.recv())

    async def close_code(self) -> int:
        await self._connection.wait_closed()
        return self._connection.close_code or 0


class RemoteConnect:
    """Opens websockets on a port."""

    def __init__(self, port: int) -> None:
        self._port = port

    @asynccontextmanager
    async def __call__(self, path: str, headers: list[tuple[str, str]]) -> AsyncIterator[RemoteSocket]:
        uri = f"ws://{HOST_HEADER}{path}"
        try:
            async with connect(
                uri, host="127.0.0.1", port=self._port, additional_headers=headers, proxy=None, close_timeout=2
            ) as connection:
                yield RemoteSocket(connection)
        except InvalidStatus as error:
            raise RefusedError(error.response.status_code) from None


@asynccontextmanager
async def served(server: str, host: str, form: str, database: str, prefix: str = "") -> AsyncIterator[int]:
    """Run an example under a server, yield the port once the server accepts connections, and stop the process."""
    port = free_port()
    target = f"examples.{host}_app:app" if form == FORMS.get(host, ["wrapped"])[0] else SERVED
    command = [part.format(target=target, port=port) for part in (COMMANDS | RUNNERS)[server]]
    environment = {"AUTH_DATABASE_URL": database, "AUTH_SECRET": SECRET, "TESTED_HOST": host, "TESTED_FORM": form}
    process = subprocess.Popen(  # noqa: ASYNC220 (starting is quick)
        [sys.executable, "-m", *command, *([PREFIX_OPTIONS[server], prefix] if prefix else [])],
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        await ready(process, port)
        yield port
    finally:
        process.terminate()
        output, _ = await asyncio.to_thread(process.communicate, timeout=20)
    assert "asgi_auth failed" not in output, output


async def ready(process: subprocess.Popen[str], port: int, seconds: int = 60) -> None:
    """Wait until the port accepts connections."""
    async with asyncio.timeout(seconds):
        while True:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                assert process.poll() is None, process.communicate()[0]
                await asyncio.sleep(0.05)
            else:
                writer.close()
                return


async def visit(server: str, host: str, form: str, database: str, prefix: str = "") -> None:
    """Run the script on an example under a server. Roles are granted from this process."""
    async with (
        served(server, host, form, database, prefix) as port,
        Auth(database, secret=SECRET) as auth,
        httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", headers={"host": HOST_HEADER}, limits=ONE_REQUEST_EACH, timeout=30
        ) as client,
    ):
        remote = None if host in WITHOUT_WEBSOCKETS else RemoteConnect(port)
        await walk(Visit(client, remote, auth.users.set_roles))


def free_port() -> int:
    """A port without a listener."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
