"""Firefox for the tests, by its own protocol (W3C WebDriver BiDi): tabs that run scripts."""

import asyncio
import itertools
import json
import os
import re
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

LISTENING = re.compile(rb"WebDriver BiDi listening on (ws://[\w.:]+)")
#: Seconds until the browser has started, and for each command.
START, COMMAND = 60, 60
PREFERENCES = {
    "browser.shell.checkDefaultBrowser": False,
    "browser.startup.page": 0,
    "datareporting.policy.dataSubmissionEnabled": False,
    "extensions.update.enabled": False,
    "network.captive-portal-service.enabled": False,
    "network.connectivity-service.enabled": False,
    "remote.active-protocols": 1,
    "toolkit.telemetry.enabled": False,
}


def program() -> str:
    """Find the browser; a machine without one fails the tests instead of passing them over."""
    names = ("firefox-esr", "firefox")
    found = os.environ.get("ASGI_AUTH_FIREFOX") or next(filter(None, map(shutil.which, names)), None)
    if found is None:
        raise RuntimeError("Firefox is missing: run `make firefox`, or name its program in ASGI_AUTH_FIREFOX")
    return found


class Firefox:
    """A running browser."""

    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self._reading = asyncio.create_task(self._read())

    async def tell(self, method: str, **values: Any) -> Any:
        """Send a command, and return its result."""
        number = next(self._numbers)
        self._waiting[number] = waiting = asyncio.get_running_loop().create_future()
        await self._socket.send(json.dumps({"id": number, "method": method, "params": values}))
        answer = await asyncio.wait_for(waiting, COMMAND)
        if answer["type"] == "error":
            raise RuntimeError(f"{method}: {answer['error']}: {answer['message']}")
        return answer["result"]

    async def close(self) -> None:
        """End the browser."""
        await self.tell("browser.close")
        self._reading.cancel()

    async def _read(self) -> None:
        async for text in self._socket:
            answer = json.loads(text)
            waiting = self._waiting.pop(answer.get("id"), None)
            if waiting is not None and not waiting.done():
                waiting.set_result(answer)


@asynccontextmanager
async def firefox() -> AsyncIterator[Firefox]:
    """Run the browser."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        lines = [f"user_pref({json.dumps(name)}, {json.dumps(value)});" for name, value in PREFERENCES.items()]
        Path(profile, "user.js").write_text("\n".join(lines), "utf-8")  # noqa: ASYNC240 (nothing else runs)
        command = [program(), "--headless", "--no-remote", "--profile", profile, "--remote-debugging-port", "0"]
        environment = {**os.environ, "HOME": profile, "MOZ_CRASHREPORTER_DISABLE": "1"}
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE
        )
        try:
            address = await asyncio.wait_for(_address(process), START)
            async with connect(f"{address}/session", compression=None, ping_interval=None, max_size=None) as socket:
                browser = Firefox(socket)
                await browser.tell("session.new", capabilities={})
                yield browser
                await browser.close()
        finally:
            if process.returncode is None:
                process.terminate()
            await process.wait()


async def _address(process: asyncio.subprocess.Process) -> str:
    """Read where the browser listens, from what it prints."""
    assert process.stderr is not None
    async for line in process.stderr:
        if found := LISTENING.search(line):
            return found[1].decode()
    raise RuntimeError("Firefox has ended")
