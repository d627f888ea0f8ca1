"""Programs of the command line: the Inspector, and mcp-remote, by which programs that know no HTTP reach a server.

They open a browser by themselves: the one that the variable BROWSER names.
"""

import asyncio
import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any, Self
from urllib.parse import parse_qsl, urlsplit

from tests.hosts.servers import free_port
from tests.mcp.node import FOLDER, node

ROOT = Path(__file__).parents[2]
#: Opens a URL as a user does, and notes it.
BROWSER = """#!/bin/sh
echo "$1" >> "{home}/opened"
cd "{root}"
exec "{python}" -m tests.mcp.browser "$1" "${{ANSWER:-allow}}" 2>> "{home}/trouble"
"""
#: A tool that needs a scope, as the Inspector is told.
WRITE = ("write", "--tool-arg", "text=x")
#: Seconds that an answer may take.
PATIENCE = 60
HELLO = {"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "program", "version": "1"}}


class Home:
    """The home of a user, who has a browser."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(exist_ok=True)
        browser = folder / "browser"
        browser.write_text(BROWSER.format(home=folder, root=ROOT, python=sys.executable), "utf-8")
        browser.chmod(0o755)
        self.port = free_port()
        more = {"MCP_AUTO_OPEN_ENABLED": "true", "MCP_INSPECTOR_SECRET_STORE": "file"}
        self.environment = {**os.environ, "HOME": str(folder), "BROWSER": str(browser), **more}

    @property
    def opened(self) -> list[dict[str, str]]:
        """The parameters of the authorization requests, in order."""
        file = self.folder / "opened"
        urls = file.read_text("utf-8").split() if file.exists() else []
        return [dict(parse_qsl(urlsplit(url).query)) for url in urls]

    def keep(self, token: str) -> None:
        """Put another access token in the place of the kept one, without a refresh token."""
        found = [file for file in self.folder.rglob("*.json") if "access_token" in file.read_text("utf-8")]
        for file in found:
            file.write_text(json.dumps(with_token(json.loads(file.read_text("utf-8")), token)), "utf-8")
        assert found

    async def inspect(self, url: str, tool: str, *options: str) -> str:
        """Call a tool by the Inspector; return its text. Raises PermissionError when it fails."""
        options = (*options, "--callback-url", f"http://127.0.0.1:{self.port}/oauth/callback")
        command = ["node_modules/.bin/mcp-inspector", "--cli", url, "--transport", "http", "--method", "tools/call"]
        process = await asyncio.create_subprocess_exec(
            node(),
            *(*command, "--tool-name", tool, *options),
            cwd=FOLDER,
            env=self.environment,
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        output, trouble = await process.communicate()
        if process.returncode != 0:
            raise PermissionError(trouble.decode())
        return str(json.loads(output)["content"][0]["text"])


def with_token(kept: Any, token: str) -> Any:
    """Return what a program keeps with another access token."""
    if isinstance(kept, dict) and "access_token" in kept:
        return {"access_token": token, "token_type": "Bearer"}
    if isinstance(kept, dict):
        return {name: with_token(value, token) for name, value in kept.items()}
    # The Inspector keeps text with JSON in it.
    return json.dumps(with_token(json.loads(kept), token)) if str(kept).startswith("{") else kept


class Remote:
    """mcp-remote between a program that writes lines to it and a server."""

    def __init__(self, home: Home, url: str, *options: str) -> None:
        self._home, self._options, self._asked = home, (url, str(home.port), *options), 0

    async def __aenter__(self) -> Self:
        """Start it."""
        self._trouble = (self._home.folder / "trouble").open("ab")
        self._process = await asyncio.create_subprocess_exec(
            node(),
            *("node_modules/mcp-remote/dist/proxy.js", *self._options),
            cwd=FOLDER,
            env=self._home.environment,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=self._trouble,
        )
        return self

    async def __aexit__(self, *_: object) -> None:
        """End it."""
        if self._process.returncode is None:
            self._process.terminate()
        await self._process.wait()
        self._trouble.close()

    async def call(self, tool: str, **arguments: str) -> str:
        """Call a tool, in a session of MCP; return its text. Raises PermissionError with what mcp-remote says."""
        if not self._asked:
            await self.ask("initialize", HELLO)
            self._send("notifications/initialized")
        answer = await self.ask("tools/call", {"name": tool, "arguments": arguments})
        if "error" in answer:
            raise PermissionError(answer["error"]["message"])
        return str(answer["result"]["content"][0]["text"])

    async def ask(self, method: str, params: Any) -> dict[str, Any]:
        """Send a request; return its answer. Raises PermissionError without one."""
        self._asked += 1
        self._send(method, id=self._asked, params=params)
        assert self._process.stdout
        with suppress(TimeoutError):
            async with asyncio.timeout(PATIENCE):
                while line := await self._process.stdout.readline():
                    answer: dict[str, Any] = json.loads(line)
                    if answer.get("id") == self._asked:
                        return answer
        raise PermissionError((self._home.folder / "trouble").read_text("utf-8"))

    def _send(self, method: str, **more: Any) -> None:
        assert self._process.stdin
        self._process.stdin.write(f"{json.dumps({'jsonrpc': '2.0', 'method': method, **more})}\n".encode())
