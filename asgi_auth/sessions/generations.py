"""The generations of sessions of which a token was used: proof that a client received the answer of a refresh.

A refresh token that comes again after its successor was used is a copy. Before that, the server may have failed to
answer, and the client only repeats its request.
"""

import asyncio

from asgi_auth.errors import StorageUnavailableError
from asgi_auth.process.background import begin
from asgi_auth.storage import Storage

#: Seconds that a request waits for the storage to record a generation; then the record goes on in the background.
PATIENCE = 0.1
#: Seconds between the attempts to record a generation while the storage is unavailable.
PAUSES = (1.0, 5.0, 30.0, 120.0)
#: Records that may wait for the storage at a time.
WAITING = 1000
#: Seconds that closing waits for records in flight.
DRAIN = 1.0


class UsedGenerations:
    """Records the used generations of sessions in the storage, each at most once per process."""

    def __init__(self, storage: Storage, size: int) -> None:
        """Take the storage, and the number of sessions to remember."""
        self._storage = storage
        self._size = size
        self._told: dict[str, int] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._is_failing = False

    def has(self, session_id: str, generation: int) -> bool:
        """Tell whether this process knows that a generation was used; 0 is the login, which nothing precedes."""
        return generation <= self._told.get(session_id, 0)

    async def add(self, session_id: str, generation: int) -> None:
        """Record that a token of a generation was used. A storage that is slow or unavailable delays no request."""
        if self.has(session_id, generation):
            return
        if len(self._told) >= self._size:
            # What is recorded again changes nothing.
            self._told.clear()
        self._told[session_id] = generation
        # In an empty context: the record outlives the request.
        task = begin(self._record(session_id, generation), "used generation")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        await asyncio.wait({task}, timeout=0 if self._is_failing else PATIENCE)

    async def close(self) -> None:
        """Wait a second for the records of the running loop, then drop those that are left."""
        loop = asyncio.get_running_loop()
        tasks = [task for task in self._tasks if task.get_loop() is loop]
        if tasks:
            await asyncio.wait(tasks, timeout=DRAIN)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _record(self, session_id: str, generation: int) -> None:
        """Try until the storage is available again. Whatever ends the attempts, the next use begins them anew."""
        try:
            for pause in (*PAUSES, 0.0):
                try:
                    await self._storage.use_generation(session_id, generation)
                except StorageUnavailableError:
                    self._is_failing = True
                    if len(self._tasks) > WAITING:
                        break
                    await asyncio.sleep(pause)
                else:
                    self._is_failing = False
                    return
        except BaseException:
            self._told.pop(session_id, None)
            raise
        self._told.pop(session_id, None)
