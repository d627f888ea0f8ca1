"""gunicorn with `--preload`: the workers are forked from a process that has used the `Auth`."""

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable

import httpx2
import pytest

from tests.hosts.servers import ONE_REQUEST_EACH, ROOT, free_port, ready
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import EMAIL, PASSWORD, SECRET

ACCOUNT = {"email": EMAIL, "password": PASSWORD}


@pytest.mark.parametrize("worker", ["asgi", "uvicorn.workers.UvicornWorker"])
@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_every_preloaded_worker_answers(driver: str, worker: str, fresh: Callable[[str], str]) -> None:
    port = free_port()
    command = ["gunicorn", "--preload", "-w", "2", "-k", worker, "-b", f"127.0.0.1:{port}", "tests.preloaded:app"]
    environment = os.environ | {"AUTH_DATABASE_URL": fresh(driver), "AUTH_SECRET": SECRET}
    server = subprocess.Popen(  # noqa: ASYNC220 (starting is quick)
        [sys.executable, "-m", *command],
        cwd=ROOT,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    try:
        await ready(server, port)
        async with httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{port}", limits=ONE_REQUEST_EACH, timeout=30
        ) as client:
            processes = await answering(client)
    finally:
        server.terminate()
        output, _ = await asyncio.to_thread(server.communicate, timeout=30)
    assert len(processes) == 2, output
    assert "Traceback" not in output, output


async def answering(client: httpx2.AsyncClient) -> set[int]:
    """Log in until each worker has answered; return their processes."""
    processes: set[int] = set()
    async with asyncio.timeout(30):
        while len(processes) < 2:
            logins = await asyncio.gather(*(client.post("/auth/login", json=ACCOUNT) for _ in range(8)))
            assert {login.status_code for login in logins} == {200}, [login.text for login in logins]
            tokens = [login.json()["access_token"] for login in logins]
            asked = await asyncio.gather(
                *(client.get("/", headers={"authorization": f"Bearer {token}"}) for token in tokens)
            )
            assert all(answer.json()["user"] for answer in asked)
            processes |= {answer.json()["process"] for answer in asked}
    return processes
