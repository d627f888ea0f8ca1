"""A uvicorn worker with one contender: `python -m benchmarks.serve NAME OPTIONS app|bare PORT KIND COUNT`.

It says in a line of JSON which requests want to be sent, then serves, with uvloop and httptools where they are there.
"""

import asyncio
import base64
import json
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from typing import Any

import uvicorn

from benchmarks.contenders.base import Options, Request, make
from benchmarks.harness import LeftOutError
from benchmarks.worker import own_replies, short
from tests.cluster import free_port

LOGINS = 200


async def main(name: str, options: Options, which: str, port: int, wanted: tuple[str, int]) -> None:
    """Make the contender, say what to send, serve."""
    replies, (kind, count) = own_replies(), wanted
    try:
        contender = make(name, options)
        await contender.open()
        requests = await contender.requests(kind, count) if count else [Request("GET", "/")]
        logins = [contender.login(number) for number in range(LOGINS)] if "login" in contender.operations else []
    except Exception as error:  # noqa: BLE001 (whatever it is, it is the reason)
        print(json.dumps({"error": short(error)}), file=replies, flush=True)
        return
    said = {"requests": [_plain(request) for request in requests], "logins": [_plain(request) for request in logins]}
    print(json.dumps(said), file=replies, flush=True)
    app = contender.app if which == "app" else contender.bare
    config = uvicorn.Config(app, port=port, log_level="error", access_log=False, lifespan="off", proxy_headers=False)
    await uvicorn.Server(config).serve()


def _plain(request: Request) -> list[Any]:
    headers = [[name.decode(), value.decode()] for name, value in request.headers]
    return [request.method, request.path, headers, base64.b64encode(request.body).decode()]


def _request(given: list[Any]) -> Request:
    method, path, headers, body = given
    pairs = [(name.encode(), value.encode()) for name, value in headers]
    return Request(method, path, pairs, base64.b64decode(body))


@dataclass(frozen=True)
class Served:
    """A server that runs."""

    url: str
    process: int
    requests: list[Request]
    logins: list[Request]

    def memory(self, field: str = "VmHWM") -> float:
        """The most memory that the process has had, in MiB; what it has now as `VmRSS`."""
        with open(f"/proc/{self.process}/status") as status:  # noqa: PTH123 (no file of ours)
            line = next(line for line in status if line.startswith(field))
        return int(line.split()[1]) / 1024


@asynccontextmanager
async def served(name: str, options: Options, which: str, *, kind: str = "", count: int = 0) -> AsyncIterator[Served]:
    """Run a contender in a process of its own; raises LeftOutError when it can't."""
    port = free_port()
    arguments = [name, json.dumps(asdict(options)), which, str(port), kind, str(count)]
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.serve", *arguments]
    pipe, nothing = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    limit = 2**24
    process = await asyncio.create_subprocess_exec(*command, stdout=pipe, stderr=nothing, limit=limit)
    try:
        assert process.stdout is not None
        try:
            line = await asyncio.wait_for(process.stdout.readline(), 40)
        except TimeoutError:
            raise LeftOutError("it did not start within 40 seconds") from None
        answer: Any = json.loads(line) if line else {"error": "its process ended"}
        if "error" in answer:
            raise LeftOutError(answer["error"])
        await _listening(port)
        requests, logins = ([_request(each) for each in answer[part]] for part in ("requests", "logins"))
        yield Served(f"http://127.0.0.1:{port}", process.pid, requests, logins)
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def _listening(port: int) -> None:
    for _ in range(200):
        try:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
        except OSError:
            await asyncio.sleep(0.05)
        else:
            writer.close()
            return
    raise LeftOutError("it did not listen")


def _run() -> None:
    name, options, which, port, kind, count = sys.argv[1:]
    work = main(name, Options(**json.loads(options)), which, int(port), (kind, int(count)))
    try:
        import uvloop  # noqa: PLC0415 (where it is there)
    except ImportError:
        asyncio.run(work)
    else:
        uvloop.run(work)


if __name__ == "__main__":
    _run()
