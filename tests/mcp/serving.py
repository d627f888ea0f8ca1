"""A real MCP server in a process of its own, whose clock the tests move: libfaketime reads it from a file."""

import asyncio
import json
import os
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path

import httpx2

from tests.hosts.servers import free_port, ready
from tests.mail.server import server_context
from tests.support import SECRET, make_auth

ROOT = Path(__file__).parents[2]
#: Debian's package `faketime`. Its program would put a process between this one and the server.
LIBRARY = [str(path) for path in Path("/usr/lib").glob("*/faketime/libfaketime.so.1")]
#: Those of the client that the team's server knows beforehand.
CLIENT_SECRET, CALLBACK = "Zq7-tVm2_wR9:xYb4+kN8cPd3%sGf6hJa1eUo5iTwQ0r", "https://reports.example.com/callback"
ACCOUNT = {"email": "ada@example.com", "password": "correct horse battery"}


class Server:
    """A process with a server at a fixed port, on a database that outlives it."""

    def __init__(self, folder: Path, target: str, path: str, **environment: str) -> None:
        assert LIBRARY, "the test needs libfaketime, which `make faketime` installs"
        self.origin = f"http://127.0.0.1:{(port := free_port())}"
        #: Those of the browser of its user.
        self.cookies = httpx2.Cookies()
        #: The URL of the resource that clients are given.
        self.url = self.origin + path
        self.database = f"sqlite:///{folder / 'auth.db'}"
        self._port, self._ahead, self.documents = port, 0, 0
        self._clock, self._output = folder / "clock", folder / "output"
        self._command = [sys.executable, "-m", "uvicorn", target, "--port", str(port), "--log-level", "warning"]
        self._environment = {
            **os.environ,
            "AUTH_DATABASE_URL": self.database,
            "AUTH_SECRET": SECRET,
            "AUTH_BASE_URL": self.origin,
            "AUTH_DEVELOPMENT": "true",
            "LD_PRELOAD": LIBRARY[0],
            "FAKETIME_TIMESTAMP_FILE": str(self._clock),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            "NO_FAKE_STAT": "1",
            **environment,
        }

    def move(self, seconds: int) -> None:
        """Move the clock of the server."""
        self._ahead += seconds
        part = self._clock.with_suffix(".part")
        part.write_text(f"{self._ahead:+d}s\n", "utf-8")
        part.replace(self._clock)

    async def start(self) -> None:
        """Start the process, and wait until it answers. It writes to a file."""
        with self._output.open("ab") as output:
            self._process = subprocess.Popen(  # noqa: ASYNC220 (starting is quick)
                self._command, cwd=ROOT, env=self._environment, stdout=output, stderr=output, text=True
            )
        await ready(self._process, self._port)

    def stop(self) -> str:
        """End the process; return what all of them have written."""
        self._process.terminate()
        self._process.wait(20)
        return self._output.read_text("utf-8")

    async def restart(self) -> None:
        """Let another process take over."""
        await asyncio.to_thread(self.stop)
        await self.start()

    async def prepare(self) -> None:
        """Make the user, and start."""
        async with make_auth(self.database) as auth:
            await auth.users.create(ACCOUNT["email"], password=ACCOUNT["password"], verified=True)
        await self.start()


@contextmanager
def serving(folder: Path, target: str, path: str, **environment: str) -> Iterator[Server]:
    """Serve an app that has one user. For all tests of a module: no event loop of a test takes part."""
    server = Server(folder, target, path, **environment)
    server.move(0)
    asyncio.run(server.prepare())
    try:
        yield server
    finally:
        output = server.stop()
    assert "Traceback" not in output, output


@asynccontextmanager
async def documents(port: int) -> AsyncIterator[str]:
    """Serve a document with the addresses of a program, which name no port, and give its URL."""
    url = f"https://client.example:{port}/oauth/client.json"
    addresses = [f"http://{host}{path}/callback" for host in ("localhost", "127.0.0.1") for path in ("", "/oauth")]
    body = json.dumps({"client_id": url, "client_name": "Documented", "redirect_uris": addresses}).encode()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        head = f"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: {len(body)}\r\n\r\n"
        writer.write(head.encode() + body)
        await writer.drain()
        writer.close()

    async with await asyncio.start_server(serve, "127.0.0.1", port, ssl=server_context("client.example")):
        yield url


async def own_token(server: Server, mount: str) -> str:
    """Return an access token of the user, which is none of a program."""
    async with httpx2.AsyncClient(timeout=60) as http:
        form = {"grant_type": "password", "username": ACCOUNT["email"], "password": ACCOUNT["password"]}
        return str((await http.post(f"{server.origin}{mount}/token", data=form)).json()["access_token"])
