"""Requests to servers that strangers name, against a real HTTPS server, with a name server of the test."""

import asyncio
import socket
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from asgi_auth import outgoing
from asgi_auth.errors import ProviderUnavailableError
from asgi_auth.outgoing import Outgoing, is_public
from tests.mail.server import client_context, server_context

HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}"
PUBLIC = ["93.184.215.14", "1.1.1.1", "2606:2800:220:1:248:1893:25c8:1946"]
INNER = [
    "127.0.0.1",
    "10.0.0.1",
    "172.16.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.169.254",
    "0.0.0.0",
    "224.0.0.1",
    "255.255.255.255",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:93.184.215.14",
    "64:ff9b::7f00:1",
    "64:ff9b::5db8:d70e",
    "2002:7f00:1::",
    "2001:db8::1",
    "2001::1",
    "fc00::1",
    "fe80::1%eth0",
    "ff02::1",
]


class Names:
    """Answers look-ups of names: with the next of its answers, and with the last one for ever."""

    def __init__(self, *answers: list[str]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    def getaddrinfo(self, host: str, port: int, **_: Any) -> list[Any]:
        """Return addresses as the module `socket` does."""
        self.asked.append(host)
        found = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        families = {True: socket.AF_INET6, False: socket.AF_INET}
        return [(families[":" in each], socket.SOCK_STREAM, 6, "", (each, port)) for each in found]


@pytest.fixture
async def heads() -> AsyncIterator[tuple[list[str], int]]:
    """The heads of requests to a server with the certificate of `client.example`, and its port."""
    found: list[str] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        found.append((await reader.readuntil(b"\r\n\r\n")).decode())
        writer.write(HEAD)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, ssl=server_context("client.example"))
    yield found, server.sockets[0].getsockname()[1]
    server.close()


@pytest.fixture
async def client() -> AsyncIterator[Outgoing]:
    made = Outgoing(verify=client_context(), development=True)
    yield made
    await made.close()


def resolve(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> Names:
    """Let the process ask a name server of the test."""
    names = Names(*answers)
    monkeypatch.setattr(socket, "getaddrinfo", names.getaddrinfo)
    return names


def test_addresses_of_no_public_network_are_told_apart() -> None:
    assert [each for each in PUBLIC if not is_public(each)] == []
    assert [each for each in INNER if is_public(each)] == []


@pytest.mark.parametrize("inner", INNER)
async def test_a_name_with_an_inner_address_is_never_asked(
    client: Outgoing, inner: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected: list[str] = []
    monkeypatch.setattr(socket.socket, "connect", lambda *about: connected.append(str(about)))
    for answer in ([inner], [PUBLIC[0], inner]):
        resolve(monkeypatch, answer)
        with pytest.raises(ProviderUnavailableError, match="public"):
            await client.public("https://client.example/x.json")
    assert connected == []


async def test_the_address_that_was_judged_is_asked_by_name_and_certificate(
    client: Outgoing, heads: tuple[list[str], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    found, port = heads
    monkeypatch.setattr(outgoing, "is_public", lambda address: address == "127.0.0.1")
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    names = resolve(monkeypatch, ["127.0.0.1"], ["10.0.0.1"])

    answer = await client.public(f"https://client.example:{port}/x.json?y")

    assert answer.body == b"{}"
    assert names.asked == ["client.example"]
    assert found[0].startswith("GET /x.json?y HTTP/1.1\r\n")
    assert f"host: client.example:{port}\r\n" in found[0].lower().replace("Host", "host")
    resolve(monkeypatch, ["127.0.0.1"])
    with pytest.raises(ProviderUnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
        await client.public(f"https://other.example:{port}/x.json")


async def test_bytes_and_seconds_are_bounded_as_the_caller_says(
    client: Outgoing, heads: tuple[list[str], int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outgoing, "is_public", lambda _: True)
    resolve(monkeypatch, ["127.0.0.1"])
    with pytest.raises(ProviderUnavailableError, match="more than 1 bytes"):
        await client.public(f"https://client.example:{heads[1]}/", most=1)


async def test_slow_names_end_in_time_and_hold_up_nothing_else(
    client: Outgoing, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered = threading.Event()

    def look_up(*_: Any, **__: Any) -> list[Any]:
        answered.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    loop = asyncio.get_running_loop()
    loop.set_default_executor(ThreadPoolExecutor(2))
    try:
        slow = [client.public(f"https://client{n}.example/", seconds=0.05) for n in range(20)]
        refused = await asyncio.gather(*slow, return_exceptions=True)
        assert {(type(each), "Timeout" in str(each)) for each in refused} == {(ProviderUnavailableError, True)}
        assert await asyncio.wait_for(asyncio.to_thread(lambda: "free"), 30) == "free"
    finally:
        answered.set()


async def test_a_slow_name_is_over_when_its_look_up_is(client: Outgoing, monkeypatch: pytest.MonkeyPatch) -> None:
    answered, ended = threading.Event(), threading.Event()

    def look_up(*_: Any, **__: Any) -> list[Any]:
        answered.wait(60)
        return []

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    try:
        with pytest.raises(ProviderUnavailableError, match="Timeout"):
            await client.public("https://client.example/", seconds=0.05, ended=ended.set)
        assert not ended.is_set()
    finally:
        answered.set()
    assert await asyncio.to_thread(ended.wait, 60)
    again = threading.Event()
    with pytest.raises(ValueError, match="https"):
        await client.public("http://client.example/", ended=again.set)
    assert again.is_set()


@pytest.mark.parametrize("url", ["http://localhost/x", "http://client.example/x", "file:///etc/passwd", "https://a@b/"])
async def test_no_other_scheme_is_asked(client: Outgoing, url: str) -> None:
    with pytest.raises(ValueError, match=r"https|server"):
        await client.public(url)
