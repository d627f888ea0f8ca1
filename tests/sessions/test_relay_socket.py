"""The socket of the relay: who may connect, what is said on it, and who has its lock."""

import asyncio
import os
import signal
import socket
import stat
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack, closing, contextmanager, suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from asgi_auth import Settings
from asgi_auth.model.revocations import Changes
from asgi_auth.sessions.relay import client
from asgi_auth.sessions.relay.client import connected
from asgi_auth.sessions.relay.messages import MAX_MESSAGE, VERSION, Greeting, Look, framed
from asgi_auth.sessions.relay.server import RelayServer
from asgi_auth.sessions.relay.socket_file import Lock, listening, require_own_peer
from tests.support import SECRET

LAG = 1.0
GREETING = Greeting(VERSION, "an installation")
STRANGER = 65534


@pytest.fixture
def path(tmp_path: Path) -> str:
    return str(tmp_path / "auth.sock")


@pytest.fixture
async def server(path: str) -> AsyncIterator[RelayServer]:
    made = RelayServer(path, GREETING)
    await made.start()
    yield made
    await made.close()


def a_look(changes: Changes | None = None, age: float = 0.0) -> Look:
    """A look that began so many seconds ago."""
    started = time.monotonic() - age
    return Look(changes or Changes(position="1"), started, time.time() - age, started + LAG)


async def test_a_process_that_does_not_read_is_cut_off(server: RelayServer, path: str) -> None:
    big = a_look(Changes(position="x" * (MAX_MESSAGE // 2)))
    async with connected(path, GREETING, LAG), connected(path, GREETING, LAG) as reader:
        for _ in range(20):
            server.send(big)
            assert (await reader.look(LAG)).changes == big.changes

        assert server.readers == 1


async def test_a_page_that_is_too_long_is_told_without_its_changes(server: RelayServer, path: str) -> None:
    async with connected(path, GREETING, LAG) as reader:
        server.send(a_look(Changes(position="x" * MAX_MESSAGE)))

        assert (await reader.look(LAG)).changes is None


@pytest.mark.usefixtures("server")
async def test_only_processes_of_the_same_version_installation_and_clock_are_told(
    path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for other in (Greeting("another version", "an installation"), Greeting(VERSION, "another")):
        with pytest.raises(ConnectionRefusedError):
            async with connected(path, other, LAG):
                raise AssertionError
    monkeypatch.setattr("asgi_auth.sessions.relay.server.time", SimpleNamespace(monotonic=lambda: 0.0))
    with pytest.raises(ValueError, match="another clock"):
        async with connected(path, GREETING, LAG):
            raise AssertionError


async def test_a_process_that_finds_the_backlog_full_tries_again(path: str) -> None:
    """An event loop takes its socket for connected."""
    with closing(listening(path)) as listener, ExitStack() as opened:
        listener.listen(0)
        for _ in range(2):
            filling = opened.enter_context(socket.socket(socket.AF_UNIX))
            filling.setblocking(False)
            with suppress(BlockingIOError):
                filling.connect(path)
        connecting = asyncio.create_task(client._open(path, LAG))
        await asyncio.sleep(0.3)
        is_waiting = not connecting.done()

        opened.enter_context(listener.accept()[0])
        _, writer = await asyncio.wait_for(connecting, 10)
        writer.transport.abort()

        assert is_waiting


async def test_bytes_that_are_no_message_end_the_connection(server: RelayServer, path: str) -> None:
    for sent in (b"\xff" * 8, b"\x00\x00\x00\x01x", framed(GREETING) + b"more"):
        reader, writer = await asyncio.open_unix_connection(path)
        writer.write(sent)
        async with asyncio.timeout(5):
            with suppress(OSError):
                await reader.read()
        writer.close()

    assert server.readers == 0


async def test_the_socket_is_for_the_user_of_the_process_alone(
    server: RelayServer, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert stat.S_IMODE(os.lstat(path).st_mode) == 0o600
    assert server.readers == 0
    monkeypatch.setattr(os, "geteuid", lambda: STRANGER)
    here, there = socket.socketpair()
    with here, there, pytest.raises(PermissionError):
        require_own_peer(here.fileno())
    with pytest.raises(PermissionError):
        async with connected(path, GREETING, LAG):
            raise AssertionError
    with pytest.raises(PermissionError):
        Lock(path).take()


@pytest.mark.usefixtures("server")
async def test_a_socket_of_another_user_is_not_trusted(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # The peer is taken for this user: the owner of the file alone decides.
    monkeypatch.setattr("asgi_auth.sessions.relay.client.require_own_peer", lambda _: None)
    monkeypatch.setattr(os, "geteuid", lambda: STRANGER)

    with pytest.raises(PermissionError):
        async with connected(path, GREETING, LAG):
            raise AssertionError


@pytest.mark.skipif(os.geteuid() != 0, reason="becomes another user")
async def test_a_stranger_is_told_nothing(server: RelayServer, path: str) -> None:
    for directory in [Path(path).parent, *Path(path).parents]:
        with suppress(OSError):
            directory.chmod(directory.stat().st_mode | 0o011)
    connecting = f"import socket; s = socket.socket(socket.AF_UNIX); s.connect({path!r}); "
    talking = f"s.sendall({framed(GREETING)!r}); s.settimeout(5); print(len(s.recv(100)))"
    # Refused by the file; and where its permissions were changed, by the server.
    closed, opened = [await as_stranger(connecting + talking, path, mode) for mode in (None, 0o777)]

    assert "PermissionError" in closed
    assert opened.strip() == "0" or "BrokenPipe" in opened or "ConnectionReset" in opened
    assert server.readers == 0


async def as_stranger(code: str, path: str, mode: int | None) -> str:
    """Run code as another user; give what it printed, the error too."""
    if mode is not None:
        await (await asyncio.create_subprocess_exec("chmod", f"{mode:o}", path)).wait()
    process = await asyncio.create_subprocess_exec(
        "/usr/bin/python3", "-c", code, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, user=STRANGER, cwd="/"
    )
    return (await process.communicate())[0].decode()


def test_a_forked_child_does_not_keep_the_lock(path: str) -> None:
    code = f"""
import os, time
from asgi_auth.sessions.relay.socket_file import Lock
lock = Lock({path!r})
assert lock.take() and not Lock({path!r}).take()
if os.fork() == 0:
    time.sleep(30)
print(os.getpid(), flush=True)
"""
    with running(code) as process:
        process.wait(20)
        lock = Lock(path)

        assert lock.take()
        lock.release()


@contextmanager
def running(code: str) -> Iterator["subprocess.Popen[bytes]"]:
    process = subprocess.Popen([sys.executable, "-c", code], start_new_session=True)
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)


def test_a_socket_takes_the_place_of_an_older_one(path: str) -> None:
    listening(path).close()
    again = listening(path)

    assert stat.S_ISSOCK(Path(path).stat().st_mode)
    again.close()


@pytest.mark.parametrize("value", ["auth.sock", "/run/", "/" + "x" * 200, "/run/\0"])
def test_a_path_that_can_be_no_socket_is_an_error(value: str) -> None:
    with pytest.raises(ValueError, match="relay"):
        Settings(secret=SECRET, relay=value)
