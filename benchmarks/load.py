"""A bounded load of GETs on a server: wrk where it is installed, else a client of our own."""

import asyncio
import itertools
import re
import shutil
import tempfile
import time
from pathlib import Path

from benchmarks.contenders.base import Request
from benchmarks.harness import LeftOutError
from benchmarks.http_client import Connection, encoded

CONNECTIONS = 32
SCRIPT = """
local lines, n = {}, 0
for line in io.lines("FILE") do lines[#lines + 1] = line end
init = function()
  for i = 1, #lines do lines[i] = wrk.format("GET", "/", {[NAME] = lines[i]}) end
end
request = function() n = n % #lines + 1; return lines[n] end
"""


def client() -> str:
    """Name what makes the load."""
    return "wrk" if shutil.which("wrk") else "a client of our own"


async def rate(url: str, requests: list[Request], seconds: float) -> float:
    """Answers per second, the requests being sent by turns; raises LeftOutError when any isn't a success."""
    return await (by_wrk if shutil.which("wrk") else by_ourselves)(url, requests, seconds)


async def by_wrk(url: str, requests: list[Request], seconds: float) -> float:
    """Let wrk do it, with one thread."""
    with tempfile.TemporaryDirectory() as folder:
        arguments = ["-t1", f"-c{CONNECTIONS}", f"-d{max(1, round(seconds))}s"]
        if any(request.headers for request in requests):
            name = requests[0].headers[0][0].decode()
            values = list(dict.fromkeys(request.headers[0][1] for request in requests))
            arguments += ["-s", str(_script(Path(folder), name, values))]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec("wrk", *arguments, url + "/", stdout=pipe)
        output = (await process.communicate())[0].decode()
    found = re.search(r"Requests/sec:\s*([\d.]+)", output)
    if found is None or "Non-2xx" in output or "Socket errors" in output:
        raise LeftOutError("it did not answer all requests under load")
    return float(found[1])


def _script(folder: Path, name: str, values: list[bytes]) -> Path:
    """Write a script that sends a header with these values by turns."""
    lines, script = folder / "values", folder / "load.lua"
    lines.write_bytes(b"\n".join(values) + b"\n")
    script.write_text(SCRIPT.replace("FILE", str(lines)).replace("NAME", f'"{name}"'))
    return script


async def by_ourselves(url: str, requests: list[Request], seconds: float) -> float:
    """Keep so many connections busy."""
    supply = itertools.cycle([encoded(request) for request in requests])
    end, done = time.perf_counter() + seconds, 0

    async def lane() -> None:
        nonlocal done
        connection = await Connection.open(url)
        while time.perf_counter() < end:
            status, _ = await connection.send(next(supply))
            if status >= 300:
                raise LeftOutError(f"it answered {status} under load")
            done += 1
        connection.close()

    started = time.perf_counter()
    await asyncio.gather(*[lane() for _ in range(CONNECTIONS)])
    return done / (time.perf_counter() - started)
