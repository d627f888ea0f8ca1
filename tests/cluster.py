"""Worker processes of one app on one database, and what is tried on them: races of refreshes, revocation's delay."""

import asyncio
import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import httpx2

from tests.support import PASSWORD, SECRET

FLIGHT = 32


@contextmanager
def cluster(
    database_url: str, processes: int = 4, module: str = "tests.worker", more: dict[str, str] | None = None
) -> Iterator[list[str]]:
    """Run the `app` of a module in so many uvicorn processes; give their addresses. `more` is for the environment."""
    workers = [_start(database_url, free_port(), module, more) for _ in range(processes)]
    try:
        for url, _ in workers:
            await_answer(url)
        yield [url for url, _ in workers]
    finally:
        for _, process in workers:
            process.terminate()
        for _, process in workers:
            process.wait(20)


@contextmanager
def server(module: str, database_url: str, environment: dict[str, str]) -> Iterator[str]:
    """Run the `app` of a module in a process of its own; give its address."""
    url, process = _start(database_url, free_port(), module, environment)
    try:
        await_answer(url)
        yield url
    finally:
        process.terminate()
        process.wait(20)


@dataclass
class Round:
    """What one round of racing refreshes came to."""

    statuses: list[int]
    successors: int
    replay: str
    after_replay: str
    access_after_replay: int


async def race(client: httpx2.AsyncClient, urls: list[str], account: dict[str, str]) -> Round:
    """Refresh one token from everywhere at once, use the successor, then come back with the first."""
    first = (await client.post(f"{urls[0]}/auth/login", json=account)).json()
    calls = [_refresh(client, urls[number % len(urls)], first["refresh_token"]) for number in range(FLIGHT)]
    answers = await asyncio.gather(*calls)
    tokens = {answer.json().get("refresh_token") for answer in answers}
    second = await _refresh(client, urls[-1], answers[0].json()["refresh_token"])
    replay = await _refresh(client, urls[1], first["refresh_token"])
    after = await _refresh(client, urls[0], second.json()["refresh_token"])
    await asyncio.sleep(0)
    access = await _gone(client, urls[-1], second.json()["access_token"])
    return Round([answer.status_code for answer in answers], len(tokens), _code(replay), _code(after), access)


async def revocation_delay(client: httpx2.AsyncClient, urls: list[str], account: dict[str, str]) -> float:
    """Log out at one process; seconds from the answer until another refuses the token."""
    token = (await client.post(f"{urls[0]}/auth/login", json=account)).json()["access_token"]
    headers = {"authorization": f"Bearer {token}"}
    before = await client.get(f"{urls[1]}/auth/sessions", headers=headers)
    assert before.status_code == 200, before.text
    done = await client.post(f"{urls[0]}/auth/logout", headers=headers)
    assert done.status_code == 204, done.text
    started = time.perf_counter()
    while (await client.get(f"{urls[1]}/", headers=headers)).json()["id"]:
        pass
    return time.perf_counter() - started


async def account_at(client: httpx2.AsyncClient, url: str, name: str) -> dict[str, str]:
    """Register an account; give what its login wants."""
    account = {"email": f"{name}@example.com", "password": PASSWORD}
    answer = await client.post(f"{url}/auth/register", json=account)
    assert answer.status_code == 201, answer.text
    return account


async def _refresh(client: httpx2.AsyncClient, url: str, token: str) -> httpx2.Response:
    return await client.post(f"{url}/auth/refresh", json={"refresh_token": token})


async def _gone(client: httpx2.AsyncClient, url: str, token: str) -> int:
    """The status for an access token, as soon as it is refused; 200 when that takes over two seconds."""
    end = time.monotonic() + 2
    status = 200
    while status == 200 and time.monotonic() < end:
        answer = await client.get(f"{url}/auth/me", headers={"authorization": f"Bearer {token}"})
        status = answer.status_code
    return status


def _code(answer: httpx2.Response) -> str:
    return str(answer.json().get("code", answer.status_code))


def _start(
    database_url: str, port: int, module: str = "tests.worker", more: dict[str, str] | None = None
) -> tuple[str, "subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "uvicorn", f"{module}:app", "--port", str(port), "--log-level", "warning"]
    environment = {**os.environ, "AUTH_DATABASE_URL": database_url, "AUTH_SECRET": SECRET, **(more or {})}
    return f"http://127.0.0.1:{port}", subprocess.Popen(command, env=environment)


def await_answer(url: str, seconds: float = 30) -> None:
    """Wait until a server answers."""
    end = time.monotonic() + seconds
    while True:
        try:
            urllib.request.urlopen(url, timeout=5).close()
        except (urllib.error.URLError, OSError):
            if time.monotonic() > end:
                raise
            time.sleep(0.05)
        else:
            return


def free_port() -> int:
    """Find a port that no process listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
