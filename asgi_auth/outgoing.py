"""Requests of the server to other servers, such as an identity provider, within bounds (ASVS 1.3.6, 15.3.2)."""

import asyncio
import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import msgspec

from asgi_auth._per_loop import PerLoop
from asgi_auth.bounds.deadline import left
from asgi_auth.errors import ProviderUnavailableError

if TYPE_CHECKING:
    from httpx2 import AsyncClient, Response

#: Seconds that a request may take, from the look-up of the name to the last byte.
SECONDS = 5.0
#: The maximum size of an answer, in bytes.
MOST = 1024 * 1024
#: The maximum number of connections per event loop.
CONNECTIONS = 20
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

    def __init__(self, *, development: bool = False, verify: ssl.SSLContext | None = None) -> None:
        """Allow `http` to this machine in development; `verify` names the certificate authorities to trust."""
        self._development = development
        self._verify = verify
        self._clients: PerLoop[AsyncClient] = PerLoop(lambda _: None)

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

    async def close(self) -> None:
        """Close the connections of the running event loop."""
        client = self._clients.pop()
        if client is not None:
            await client.aclose()

    async def _ask(
        self, method: str, url: str, headers: Mapping[str, str] | None, form: dict[str, str] | None
    ) -> Answer:
        self.check(url)
        client = self._clients.get()
        if client is None:
            # In a thread, because the import and the list of authorities take a third of a second.
            made = await asyncio.to_thread(self._client)
            client = self._clients.get() or self._clients.set(made)
        from httpx2 import HTTPError, InvalidURL  # noqa: PLC0415 (of an extra)

        try:
            async with (
                asyncio.timeout(left(SECONDS)),
                client.stream(method, url, headers=dict(headers or {}), data=form) as response,
            ):
                return await self._read(response)
        except (HTTPError, InvalidURL, TimeoutError, OSError) as error:
            raise ProviderUnavailableError(f"{urlsplit(url).hostname}: {error!r}") from error

    async def _read(self, response: "Response") -> Answer:
        host = response.url.host
        if response.has_redirect_location:
            raise ProviderUnavailableError(f"{host}: redirects are not followed")
        if response.headers.get("content-encoding", "identity") != "identity":
            raise ProviderUnavailableError(f"{host}: the answer is compressed")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > MOST:
                raise ProviderUnavailableError(f"{host}: the answer has more than {MOST} bytes")
        return Answer(response.status_code, dict(response.headers), bytes(body))

    def _client(self) -> "AsyncClient":
        from httpx2 import AsyncClient, Limits  # noqa: PLC0415 (of an extra)

        return AsyncClient(
            verify=True if self._verify is None else self._verify,
            headers={"accept": "application/json", "accept-encoding": "identity", "user-agent": "asgi_auth"},
            cookies=CookieJar(DefaultCookiePolicy(allowed_domains=[])),
            limits=Limits(max_connections=CONNECTIONS),
            timeout=SECONDS,
        )
