"""The relay: of all processes of a host, one follows the database and tells the others."""

import asyncio
import random

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.process.log import logger
from asgi_auth.sessions.relay.client import connected
from asgi_auth.sessions.relay.messages import VERSION, Greeting
from asgi_auth.sessions.relay.server import RelayServer
from asgi_auth.sessions.relay.socket_file import Lock
from asgi_auth.sessions.revocation import Revocation

#: How often a process looks by itself before it tries the relay again.
LOOKS_ALONE = 3


class Relay:
    """Follows the revocations for one event loop: by the database if it has the lock, else by the process that has it.

    Whatever goes wrong between the processes, each looks at the database itself until it is connected again.
    """

    def __init__(self, path: str, revocation: Revocation, lag: float, installation: str) -> None:
        """Take the path of the socket, the lag in seconds, and a name of the installation that only it has."""
        self._path = path
        self._revocation = revocation
        self._lag = lag
        self._greeting = Greeting(VERSION, installation)
        self._lock = Lock(path)
        #: `leading`, `told`, or `alone`.
        self.role: str = "alone"
        self._warned = False

    async def follow(self) -> None:
        """Follow until cancelled."""
        while True:
            try:
                await (self._lead() if self._lock.take() else self._be_told())
            except EOFError:
                # The process that looked is gone: another one is elected at once.
                continue
            except (OSError, ValueError, StorageUnavailableError) as error:
                self._warn(error)
            except Exception as error:  # noqa: BLE001 (the loop must survive every error)
                self._warn(error)
            self.role = "alone"
            await self._look_alone()

    async def _lead(self) -> None:
        """Look at the database, and tell the others."""
        server: RelayServer | None = None
        try:
            server = RelayServer(self._path, self._greeting)
            # Before the first process is greeted: it is to miss no look.
            self._revocation.on_look.append(server.send)
            await server.start()
            self.role, self._warned = "leading", False
            await self._revocation.look()
            await self._revocation.follow()
        finally:
            if server is not None:
                if server.send in self._revocation.on_look:
                    self._revocation.on_look.remove(server.send)
                await server.close()
            self._lock.release()

    async def _be_told(self) -> None:
        """Take in the looks of another process. One look of this process closes the gap before the first of them."""
        async with connected(self._path, self._greeting, self._lag / 4) as reader:
            await self._revocation.sync()
            self.role, self._warned = "told", False
            while True:
                look = await reader.look(self._lag * 0.7)
                if not await self._revocation.learn(look):
                    await self._revocation.sync()

    async def _look_alone(self) -> None:
        """Look at the database for about the lag. It is not listened to: the connection would stay open for good."""
        for _ in range(LOOKS_ALONE):
            await self._revocation.look()
            await asyncio.sleep(random.uniform(0.2, 0.3) * self._lag)  # noqa: S311 (jitter)

    def _warn(self, error: Exception) -> None:
        if not self._warned:
            self._warned = True
            logger.warning("asgi_auth looks at revocations without the relay %s: %r", self._path, error)
