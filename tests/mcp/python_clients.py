"""MCP clients of Python behind one face: the MCP SDK, and FastMCP with its listener and its own look at the clock."""

import asyncio
import warnings
import webbrowser
from typing import Any, cast
from urllib.parse import parse_qsl, urlsplit

import fastmcp
import httpx2
import pytest
from fastmcp.client.auth import oauth
from key_value.aio.stores.memory import MemoryStore
from mcp import ClientSession
from mcp.client.auth import OAuthClientProvider
from mcp.client.streamable_http import streamable_http_client
from mcp.shared.auth import AuthorizationCodeResult, OAuthClientInformationFull, OAuthClientMetadata, OAuthToken
from pydantic import AnyUrl

from tests.hosts.servers import free_port
from tests.mcp.browser import Browser


class Kept:
    """What a program of the MCP SDK keeps between its runs."""

    tokens: OAuthToken | None = None
    client: OAuthClientInformationFull | None = None

    async def get_tokens(self) -> OAuthToken | None:
        return self.tokens

    async def set_tokens(self, tokens: OAuthToken) -> None:
        self.tokens = tokens

    async def get_client_info(self) -> OAuthClientInformationFull | None:
        return self.client

    async def set_client_info(self, client_info: OAuthClientInformationFull) -> None:
        self.client = client_info


class PythonSdk:
    """A program on the MCP SDK."""

    def __init__(self, browser: Browser, url: str, document: str | None = None, kept: Kept | None = None) -> None:
        self.browser, self.url, self.document, self.kept = browser, url, document, kept or Kept()
        redirect = AnyUrl(f"http://127.0.0.1:{free_port()}/callback")
        metadata = OAuthClientMetadata(redirect_uris=[redirect], client_name="The SDK")
        self.auth = OAuthClientProvider(url, metadata, self.kept, self._open, self._landed, document)

    async def _open(self, url: str) -> None:
        self.landed = await self.browser.open(url)

    async def _landed(self) -> AuthorizationCodeResult:
        told = dict(parse_qsl(urlsplit(self.landed).query))
        if "error" in told:
            raise PermissionError(told["error"])
        return AuthorizationCodeResult(code=told["code"], state=told["state"], iss=told["iss"])

    async def call(self, tool: str, **arguments: str) -> str:
        """Call a tool in a new session of MCP; return its text."""
        async with (
            httpx2.AsyncClient(auth=self.auth, timeout=60) as http,
            streamable_http_client(self.url, http_client=http) as streams,
            ClientSession(streams[0], streams[1]) as session,
        ):
            await session.initialize()
            return cast(str, (await session.call_tool(tool, arguments)).content[0].text)  # type: ignore[union-attr]

    async def restarted(self) -> "PythonSdk":
        """Return the program after a restart, which listens at another port."""
        return PythonSdk(self.browser, self.url, self.document, self.kept)

    async def later(self) -> None:
        """Let the program find its access token expired by its own clock."""
        self.auth.context.token_expiry_time = 1

    async def client_id(self) -> str:
        return str(self.kept.client and self.kept.client.client_id)

    async def tokens(self) -> dict[str, Any]:
        return self.kept.tokens.model_dump(mode="json") if self.kept.tokens else {}

    async def give(self, token: str) -> "PythonSdk":
        """Return a program that has kept another access token, and no refresh token."""
        kept = Kept()
        kept.client, kept.tokens = self.kept.client, OAuthToken(access_token=token)
        return PythonSdk(self.browser, self.url, self.document, kept)

    async def close(self) -> None:
        """Nothing is left running."""


class FastMcp:
    """A program on FastMCP, which opens a browser and listens for its answer."""

    def __init__(
        self, browser: Browser, url: str, document: str | None = None, store: MemoryStore | None = None
    ) -> None:
        self.browser, self.url, self.document, self.store = browser, url, document, store or MemoryStore()
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # that the store is lost with the program
            self.auth = oauth.OAuth(
                url, client_name="FastMCP", token_storage=self.store, client_metadata_url=document, callback_timeout=60
            )

    async def call(self, tool: str, **arguments: str) -> str:
        """Call a tool in a new session of MCP; return its text."""
        opening: list[asyncio.Task[None]] = []
        with pytest.MonkeyPatch.context() as patch:
            deliver = self.browser.deliver
            patch.setattr(webbrowser, "open", lambda url: opening.append(asyncio.create_task(deliver(url))))
            async with fastmcp.Client(self.url, auth=self.auth) as client:
                text = str((await client.call_tool(tool, arguments)).content[0].text)
        await asyncio.gather(*opening)
        return text

    async def restarted(self) -> "FastMcp":
        """Return the program after a restart, which listens at another port."""
        return FastMcp(self.browser, self.url, self.document, self.store)

    async def later(self) -> None:
        """Let the program find its access token expired by its own clock."""
        self.auth.context.token_expiry_time = 1
        adapter = self.auth.token_storage_adapter
        expired = {"expires_at": 1}
        await self.store.put(adapter._get_token_expiry_cache_key(), expired, collection="mcp-oauth-token-expiry")

    async def client_id(self) -> str:
        found = await self.auth.token_storage_adapter.get_client_info()
        return str(found and found.client_id)

    async def tokens(self) -> dict[str, Any]:
        found = await self.auth.token_storage_adapter.get_tokens()
        return found.model_dump(mode="json") if found else {}

    async def give(self, token: str) -> "FastMcp":
        """Return a program that has kept another access token, and no refresh token."""
        made = FastMcp(self.browser, self.url, self.document)
        if (client := await self.auth.token_storage_adapter.get_client_info()) is not None:
            await made.auth.token_storage_adapter.set_client_info(client)
        await made.auth.token_storage_adapter.set_tokens(OAuthToken(access_token=token))
        return made

    async def close(self) -> None:
        """Nothing is left running."""
