"""HAProxy leads to the primary also in the moment of a failover, when two servers seem to be it."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

from tests.cluster import free_port
from tests.deploy.programs import adapted, program, running
from tests.deploy.visiting import settings_of

ADDRESSES = {"db1": "127.0.0.2", "db2": "127.0.0.3", "db3": "127.0.0.4"}

Answer = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


def saying(text: str, *, after_a_line: bool = False) -> Answer:
    """Return a server that tells a text to each client, and closes the connection."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if after_a_line:
            await reader.readline()
        writer.write(text.encode())
        await writer.drain()
        writer.close()

    return answer


@asynccontextmanager
async def cluster(folder: Path, primaries: set[str], running_ones: set[str]) -> AsyncIterator[int]:
    """Run HAProxy before hosts whose Patroni says whether they are the primary; those that run tell their name."""
    port, of_patroni, of_postgres = free_port(), free_port(), free_port()
    changes = {"bind 127.0.0.1:5432": f"bind 127.0.0.1:{port}", "check port 8008": f"check port {of_patroni}"}
    changes |= {f"{name} {name}:5432": f"{name} {address}:{of_postgres}" for name, address in ADDRESSES.items()}
    file = settings_of(folder, "haproxy.cfg", adapted("haproxy-postgresql.cfg", changes))
    async with AsyncExitStack() as stack:
        for name, address in ADDRESSES.items():
            status = "200 OK" if name in primaries else "503 Service Unavailable"
            patroni = saying(f"HTTP/1.0 {status}\r\n\r\n", after_a_line=True)
            await stack.enter_async_context(await asyncio.start_server(patroni, address, of_patroni))
            if name in running_ones:
                await stack.enter_async_context(await asyncio.start_server(saying(name), address, of_postgres))
        with running([program("haproxy"), "-db", "-f", str(file)], port, folder):
            yield port


async def host_at(port: int) -> str:
    """Return the name of the host that a new connection leads to; nothing if it is closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        return (await reader.read()).decode()
    except ConnectionError:
        return ""
    finally:
        writer.close()


async def test_a_connection_that_an_earlier_primary_refuses_goes_to_the_new_one(tmp_path: Path) -> None:
    async with cluster(tmp_path, primaries={"db1", "db2"}, running_ones={"db2", "db3"}) as port:
        log = tmp_path / f"haproxy-{port}.log"
        async with asyncio.timeout(30):
            # All hosts count as primaries until the first checks have ended.
            while "db3 is DOWN" not in log.read_text("utf-8"):  # noqa: ASYNC110 (it polls)
                await asyncio.sleep(0.05)

        assert await asyncio.gather(*(host_at(port) for _ in range(8))) == ["db2"] * 8
