"""A refused websocket leaves no error in the log of a server, wherever it is refused."""

import asyncio
import os
import subprocess
import sys

import pytest
from websockets.asyncio.client import connect
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.hosts.servers import COMMANDS, ROOT, free_port, ready
from tests.support import SECRET

SERVERS = {
    "uvicorn": COMMANDS["uvicorn"],
    "uvicorn on asyncio": [*COMMANDS["uvicorn"], "--loop", "asyncio"],
    "uvicorn with wsproto": [*COMMANDS["uvicorn"], "--ws", "wsproto"],
    "hypercorn": COMMANDS["hypercorn"],
}
#: The status of each refusal, or the code of the close.
REFUSALS = {"required": 401, "before": 401, "accepted": 4401, "fastapi": 401, "starlette": 401, "litestar": 401,
            "plugin": 401, "auth": 404}  # fmt: skip


async def refusal(port: int, path: str) -> int:
    """Open a websocket; return the status of the refusal, or the code of the close."""
    try:
        async with connect(f"ws://127.0.0.1:{port}/{path}/socket", proxy=None) as socket:
            await socket.recv()
    except InvalidStatus as error:
        return error.response.status_code
    except ConnectionClosed as error:
        return error.rcvd.code if error.rcvd else 0
    raise AssertionError(path)


@pytest.mark.parametrize("server", SERVERS)
async def test_a_refused_websocket_leaves_no_error_in_the_log_of_the_server(server: str) -> None:
    port = free_port()
    command = [part.format(target="tests.hosts.refusing:app", port=port) for part in SERVERS[server]]
    process = subprocess.Popen(  # noqa: ASYNC220 (starting is quick)
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=os.environ | {"AUTH_SECRET": SECRET},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        await ready(process, port)
        answers = {path: await refusal(port, path) for path in REFUSALS}
    finally:
        process.terminate()
        output, _ = await asyncio.to_thread(process.communicate, timeout=20)

    assert answers == REFUSALS
    assert [line for line in output.splitlines() if "ERROR" in line.upper() or "Traceback" in line] == []
