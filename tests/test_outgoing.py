"""Requests to other servers, against a real HTTPS server that behaves badly on purpose."""

import asyncio
import gzip
import os
from collections.abc import AsyncIterator

import pytest

from asgi_auth import outgoing
from asgi_auth.bounds.deadline import Deadline
from asgi_auth.errors import ProviderUnavailableError
from asgi_auth.outgoing import MOST, Outgoing
from tests.mail.server import client_context, server_context

OK = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nSet-Cookie: seen=1; Secure\r\nContent-Length: 11\r\n\r\n"
BOMB = gzip.compress(b" " * 2 * MOST)


class Peer:
    """Answers each path in its own way; `heads` are the requests."""

    def __init__(self) -> None:
        self.heads: list[str] = []
        self.url = ""

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while head := (await reader.readuntil(b"\r\n\r\n")).decode():
                length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0] or 0)
                self.heads.append(head + (await reader.readexactly(length)).decode())
                await self.answer(head.split(" ")[1].partition("?")[0], writer)
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def answer(self, path: str, writer: asyncio.StreamWriter) -> None:
        answers = {
            "/redirect": b"HTTP/1.1 302 Found\r\nLocation: /ok\r\nContent-Length: 0\r\n\r\n",
            "/moved": b"HTTP/1.1 308 Moved\r\nLocation: http://127.0.0.1/\r\nContent-Length: 0\r\n\r\n",
            "/bomb": b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: %d\r\n\r\n" % len(BOMB) + BOMB,
            "/list": b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n[]",
            "/deep": b"HTTP/1.1 200 OK\r\nContent-Length: 200000\r\n\r\n" + b"[" * 200_000,
            "/refused": b"HTTP/1.1 400 Bad Request\r\nContent-Length: 18\r\n\r\n" + b'{"error": "no"}   ',
            "/rude": b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ncut",
            "/no-http": b"SSH-2.0-OpenSSH\r\n\r\n",
            "/ok": OK + b'{"ok":true}',
        }
        writer.write(answers.get(path, b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"))
        if path in {"/rude", "/no-http"}:
            writer.close()
        while path == "/endless":
            writer.write(b"10000\r\n" + b" " * 0x10000 + b"\r\n")
            await writer.drain()
        if path in {"/hangs", "/drips"}:
            for _ in range(10_000):
                if path == "/drips":
                    writer.write(b"1\r\n \r\n")
                await writer.drain()
                await asyncio.sleep(0.01)
        await writer.drain()


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    made = Peer()
    server = await asyncio.start_server(made.serve, "127.0.0.1", 0, ssl=server_context("localhost"))
    made.url = f"https://localhost:{server.sockets[0].getsockname()[1]}"
    yield made
    server.close()


@pytest.fixture
async def client() -> AsyncIterator[Outgoing]:
    made = Outgoing(verify=client_context())
    yield made
    await made.close()


async def test_it_reads_and_posts_and_keeps_no_cookie(peer: Peer, client: Outgoing) -> None:
    first = await client.get(f"{peer.url}/ok?a=b", {"authorization": "Bearer token"})
    second = await client.get(f"{peer.url}/ok")
    posted = await client.post(f"{peer.url}/ok", {"code": "ä &"})
    refused = await client.get(f"{peer.url}/refused")

    assert [answer.json() for answer in (second, posted, refused)] == [{"ok": True}] * 2 + [{"error": "no"}]
    assert (second.status, refused.status, second.headers["content-type"]) == (200, 400, "application/json")
    assert first.status == 200
    assert "authorization: Bearer token" in peer.heads[0].replace("Authorization", "authorization")
    assert [head for head in peer.heads if "cookie" in head.lower()] == []
    assert peer.heads[2].endswith("\r\n\r\ncode=%C3%A4+%26")
    assert "authorization" not in peer.heads[1].lower()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/redirect", "redirects are not followed"),
        ("/moved", "redirects are not followed"),
        ("/bomb", "the answer is compressed"),
        ("/endless", "more than 1048576 bytes"),
        ("/rude", "RemoteProtocolError"),
        ("/no-http", "RemoteProtocolError"),
    ],
)
async def test_an_answer_out_of_bounds_is_a_failure(peer: Peer, client: Outgoing, path: str, reason: str) -> None:
    with pytest.raises(ProviderUnavailableError, match=reason) as caught:
        await client.get(peer.url + path)

    assert len(peer.heads) == 1
    assert "localhost" in str(caught.value)
    assert "localhost" not in caught.value.detail


@pytest.mark.parametrize("path", ["/list", "/deep"])
async def test_only_an_object_is_read(peer: Peer, client: Outgoing, path: str) -> None:
    answer = await client.get(peer.url + path)

    with pytest.raises(ProviderUnavailableError):
        answer.json()


@pytest.mark.parametrize("path", ["/hangs", "/drips"])
async def test_an_answer_ends_with_the_bound_or_the_request(
    peer: Peer, client: Outgoing, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Deadline(0.3), pytest.raises(ProviderUnavailableError, match="Timeout"):
        await client.get(peer.url + path)
    monkeypatch.setattr(outgoing, "SECONDS", 0.3)
    with pytest.raises(ProviderUnavailableError, match="Timeout"):
        await client.get(peer.url + path)


async def test_a_certificate_that_is_not_trusted_and_a_closed_port_are_failures(peer: Peer, client: Outgoing) -> None:
    stranger = Outgoing()
    with pytest.raises(ProviderUnavailableError, match="CERTIFICATE_VERIFY_FAILED"):
        await stranger.get(f"{peer.url}/ok")
    with pytest.raises(ProviderUnavailableError):
        await client.get(peer.url.replace("localhost", "127.0.0.1") + "/ok")
    with pytest.raises(ProviderUnavailableError):
        await client.get("https://localhost:1/ok")
    await stranger.close()

    assert peer.heads == []


@pytest.mark.parametrize(
    "url",
    [
        "http://example.com/",
        "http://localhost.example.com/",
        "ftp://example.com/",
        "//example.com/",
        "https:///path",
        "https://user@example.com/",
        "https://example.com/#fragment",
        "https://example.com:99999/",
        "https://example.com/ x",
        "https://example.com\\@localhost/",
        "https://example.com/\r\nX: y",
        "https://exämple.com/",
        "",
    ],
)
async def test_a_url_that_is_none_of_a_server_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match=r"URL|https|[Pp]ort"):
        await Outgoing(development=True).get(url)


async def test_http_is_for_this_machine_in_development_only() -> None:
    server = await asyncio.start_server(Peer().serve, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/ok"
    client = Outgoing(development=True)

    assert (await client.get(url)).json() == {"ok": True}
    with pytest.raises(ValueError, match="https://"):
        await Outgoing().get(url)
    await client.close()
    server.close()


async def test_the_proxy_of_the_environment_is_asked(peer: Peer, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = asyncio.Event()

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if (await reader.readline()).startswith(b"CONNECT localhost:"):
            asked.set()
        writer.close()

    server = await asyncio.start_server(proxy, "127.0.0.1", 0)
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}")
    client = Outgoing(verify=client_context())
    with pytest.raises(ProviderUnavailableError):
        await client.get(f"{peer.url}/ok")
    await client.close()
    server.close()

    assert asked.is_set()


async def test_parallel_requests_share_the_connections(peer: Peer, client: Outgoing) -> None:
    answers = await asyncio.gather(*(client.get(f"{peer.url}/ok") for _ in range(60)))

    assert {answer.status for answer in answers} == {200}
