"""The network in process: a transport of httpx2 that takes each request to the app of its server."""

from collections.abc import Callable, Mapping
from urllib.parse import urlsplit

import httpx2
from starlette.types import ASGIApp

from asgi_auth.outgoing import Answer, Outgoing
from asgi_auth.testing.provider.server import FakeServer


class Network(httpx2.AsyncBaseTransport):
    """Answers requests by ASGI apps in process. A server that was not added is away; `asked` has all URLs.

    `httpx2.AsyncClient(transport=Network(provider))` reaches the servers of all endpoints of the provider, and the
    apps of `hosts`, by scheme, host and port: `{"https://example.com": app}`.
    """

    def __init__(self, *providers: FakeServer, hosts: Mapping[str, ASGIApp] | None = None) -> None:
        """Take providers and further apps, by their origin."""
        self.asked: list[str] = []
        self._apps: dict[str, ASGIApp] = dict(hosts or {})
        for provider in providers:
            self._apps |= {_origin(provider.url(name)): provider for name in provider.paths}

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Answer a request by the app of its server. Raises ConnectError where there is none."""
        url = str(request.url)
        self.asked.append(url)
        app = self._apps.get(_origin(url))
        if app is None:
            raise httpx2.ConnectError(f"no server at {_origin(url)}", request=request)
        return await httpx2.ASGITransport(app=app).handle_async_request(request)


class InProcess(Outgoing):
    """Sends the requests of an `Auth` to fake providers in process: `OIDC([…], outgoing=InProcess(provider))`.

    `network` is the `Network` that they reach; `network.asked` has the URLs of all requests.
    """

    def __init__(self, *providers: FakeServer, hosts: Mapping[str, ASGIApp] | None = None) -> None:
        """Take providers and further apps, by their origin."""
        super().__init__()
        self.network: Network = Network(*providers, hosts=hosts)

    async def public(
        self,
        url: str,
        *,
        seconds: float = 5,  # noqa: ARG002 (as there)
        most: int = 1 << 20,  # noqa: ARG002 (as there)
        ended: Callable[[], None] = lambda: None,
    ) -> Answer:
        """Read a URL as `get` does: nothing leaves the process."""
        try:
            return await self.get(url)
        finally:
            ended()

    def _client(self) -> httpx2.AsyncClient:
        headers = {"accept": "application/json"}
        return httpx2.AsyncClient(transport=self.network, follow_redirects=False, headers=headers)


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
