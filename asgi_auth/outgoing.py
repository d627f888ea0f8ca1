"""Requests of the server to other servers, such as an identity provider, within bounds (ASVS 1.3.6, 15.3.2)."""

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from asgi_auth._per_loop import PerLoop
from asgi_auth.bounds.deadline import left
from asgi_auth.errors import ProviderUnavailableError
from asgi_auth.sources.kinds import checks_options

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from httpx2 import AsyncClient, Response

#: Seconds that a request may take, from the look-up of the name to the last byte.
SECONDS = 5.0
#: The maximum size of an answer, in bytes.
MOST = 1024 * 1024
#: The maximum number of connections per event loop.
CONNECTIONS = 20
#: Look-ups of strangers' names at once. Nothing stops one, and a name server may take half a minute: in the threads
#: that all of the process shares, slow names would stop everything else.
LOOK_UPS = 20
#: Names of this machine, which development may ask without TLS.
LOCAL = frozenset({"localhost", "127.0.0.1", "::1"})


@dataclass(frozen=True)
class Answer:
    """The answer of another server: its status, its headers with names in lower case, and its body."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> dict[str, Any]:
        """Return the object in the body. Raises ProviderUnavailableError for everything else."""
        try:
            return msgspec.json.decode(self.body, type=dict[str, Any])
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            raise ProviderUnavailableError("the answer is not a JSON object") from None


class Outgoing:
    """Asks servers that the configuration names.

    An answer takes five seconds and 1 MiB at most. A redirect is a failure, cookies are dropped, and an answer is not
    decompressed. The proxies of the environment (`HTTPS_PROXY`) apply. Needs the package `httpx2` (extra `http`).
    """

    @checks_options
    def __init__(self, *, development: bool = False, verify: ssl.SSLContext | None = None) -> None:
        """Allow `http` to this machine in development; `verify` names the certificate authorities to trust."""
        self._development = development
        self._verify = verify
        self._clients: PerLoop[AsyncClient] = PerLoop(lambda _: None)
        self._public_clients: PerLoop[AsyncClient] = PerLoop(lambda _: None)
        self._names = ThreadPoolExecutor(LOOK_UPS, "asgi_auth-names")

    def check(self, url: str) -> str:
        """Return a URL that requests may go to. Raises ValueError for any other.

        It is `https`, or in development `http` to this machine, without a user name and a fragment.
        """
        parts = urlsplit(url)
        local = self._development and parts.scheme == "http" and parts.hostname in LOCAL
        plain = url.isascii() and url.isprintable() and " " not in url and "\\" not in url
        if not plain or not parts.hostname or "@" in parts.netloc or "#" in url:
            raise ValueError(f"{url!r} is not the URL of a server")
        if parts.scheme != "https" and not local:
            raise ValueError(f"{url!r} must begin with https://")
        # Reading the port judges it.
        _ = parts.port
        return url

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Answer:
        """Read a URL. Raises ValueError as `check` does, and ProviderUnavailableError without a whole answer."""
        return await self._ask("GET", url, headers, None)

    async def post(self, url: str, form: Mapping[str, str], headers: Mapping[str, str] | None = None) -> Answer:
        """Send a form (`application/x-www-form-urlencoded`). Raises what `get` raises. It is never sent twice."""
        return await self._ask("POST", url, headers, dict(form))

    async def public(
        self, url: str, *, seconds: float = SECONDS, most: int = MOST, ended: Callable[[], None] = lambda: None
    ) -> Answer:
        """Read a URL that a stranger has named, within `seconds` and `most` bytes.

        All addresses of its name must be public, and the request goes to one of those that were looked up, with the
        certificate of the name. No proxy takes part. Raises what `get` raises. `ended` is called once when nothing of
        it runs any more, in any thread: the look-up of a name may go on when the seconds are over.
        """
        looking: list[Future[Any]] = []
        try:
            return await self._public(url, seconds, most, looking)
        finally:
            if looking:
                looking[0].add_done_callback(lambda _: ended())
            else:
                ended()

    async def _public(self, url: str, seconds: float, most: int, looking: list[Future[Any]]) -> Answer:
        parts = urlsplit(self.check(url))
        if parts.scheme != "https":
            raise ValueError(f"{url!r} must begin with https://")
        host, port = parts.hostname or "", parts.port or 443
        # Before the time runs: the first client of a process takes long to make.
        client = await self._client_of(self._public_clients, self._public_client)
        try:
            async with asyncio.timeout(left(seconds)):
                address = await self._public_address(host, port, looking)
                name = f"[{address}]" if ":" in address else address
                target = parts._replace(netloc=f"{name}:{port}").geturl()
                sent = client.stream("GET", target, headers={"host": parts.netloc}, extensions={"sni_hostname": host})
                return await self._answer(sent, host, most)
        except (TimeoutError, OSError) as error:
            raise _unavailable(host, error) from None

    async def close(self) -> None:
        """Close the connections of the running event loop."""
        for clients in (self._clients, self._public_clients):
            client = clients.pop()
            if client is not None:
                await client.aclose()

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str] | None, form: dict[str, str] | None
    ) -> Answer:
        self.check(url)
        host = urlsplit(url).hostname or ""
        client = await self._client_of(self._clients, self._client)
        try:
            async with asyncio.timeout(left(SECONDS)):
                return await self._answer(
                    client.stream(method, url, headers=dict(headers or {}), data=form), host, MOST
                )
        except (TimeoutError, OSError) as error:
            raise _unavailable(host, error) from None

    async def _client_of(self, clients: "PerLoop[AsyncClient]", make: "Callable[[], AsyncClient]") -> "AsyncClient":
        client = clients.get()
        if client is None:
            # In a thread, because the import and the list of authorities take a third of a second.
            made = await asyncio.to_thread(make)
            client = clients.get() or clients.set(made)
        return client

    async def _public_address(self, host: str, port: int, looking: list[Future[Any]]) -> str:
        """Return an address of a name. Raises ProviderUnavailableError unless all are public: any may be chosen."""
        look_up = partial(socket.getaddrinfo, host, port, type=socket.SOCK_STREAM)
        looking.append(self._names.submit(look_up))
        found = await asyncio.wrap_future(looking[0])
        addresses = [str(item[4][0]) for item in found]
        if not addresses or not all(is_public(address) for address in addresses):
            raise ProviderUnavailableError(f"{host}: not all of its addresses are public")
        return addresses[0]

    async def _answer(self, sent: "AbstractAsyncContextManager[Response]", host: str, most: int) -> Answer:
        from httpx2 import HTTPError, InvalidURL  # noqa: PLC0415 (of an extra)

        try:
            async with sent as response:
                return await self._read(response, host, most)
        except (HTTPError, InvalidURL) as error:
            raise _unavailable(host, error) from None

    @staticmethod
    async def _read(response: "Response", host: str, most: int) -> Answer:
        if response.has_redirect_location:
            raise ProviderUnavailableError(f"{host}: redirects are not followed")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise ProviderUnavailableError(f"{host}: the answer is compressed")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > most:
                raise ProviderUnavailableError(f"{host}: the answer has more than {most} bytes")
        return Answer(response.status_code, dict(response.headers), bytes(body))

    def _client(self) -> "AsyncClient":
        return self._made(CONNECTIONS, env=True)

    def _public_client(self) -> "AsyncClient":
        # A connection that is kept was made for the certificate of one name, and others may share its address.
        return self._made(0, env=False)

    def _made(self, kept: int, *, env: bool) -> "AsyncClient":
        from httpx2 import AsyncClient, Limits  # noqa: PLC0415 (of an extra)

        return AsyncClient(
            verify=True if self._verify is None else self._verify,
            headers={"accept": "application/json", "accept-encoding": "identity", "user-agent": "asgi_auth"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            limits=Limits(max_connections=CONNECTIONS, max_keepalive_connections=kept),
            timeout=SECONDS,
            trust_env=env,
        )


def is_public(address: str) -> bool:
    """Tell whether an address is one of the public network; those that wrap others (6to4, NAT64) are not."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if found.version == 6:
        unicast = found in ipaddress.ip_network("2000::/3")
        return unicast and found.is_global and found not in ipaddress.ip_network("2002::/16")
    return found.is_global and not found.is_multicast


def _unavailable(host: str, error: Exception) -> ProviderUnavailableError:
    """Return the error of a server that failed: its reason names the server and the first cause."""
    first: BaseException = error
    # A timeout is caused by a wait that was cancelled, which says nothing.
    while first.__cause__ is not None and not isinstance(first.__cause__, asyncio.CancelledError):
        first = first.__cause__
    return ProviderUnavailableError(f"{host}: {first!r}")
