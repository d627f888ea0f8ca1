"""Sealing anew what was sealed with an older secret, so that the older secret can be dropped."""

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from typing import Literal, NamedTuple

from asgi_auth.crypto.vault import Vault, place_of
from asgi_auth.model.records import Credential
from asgi_auth.storage import Storage

#: The rows of one transaction.
BATCH = 100
#: What became of a row: sealed anew, sealed with the newest secret before, or sealed with a secret that is not listed.
Outcome = Literal["resealed", "current", "lost"]


class Resealed(NamedTuple):
    """The number of rows that were sealed anew, of those that needed it not, and of those that no secret opens."""

    resealed: int = 0
    current: int = 0
    lost: int = 0


class Resealing:
    """Seals rows of the vault anew: `auth.resealing`.

    A run that was interrupted leaves whole rows, each readable, and the next one does the rest. Requests go on: a row
    that one of them changes at the same time is read again.
    """

    def __init__(
        self,
        storage: Storage,
        vault: Vault,
        kinds: Collection[str],
        now: Callable[[], float],
        start: Callable[[], Awaitable[None]],
    ) -> None:
        """Take the collaborators; `kinds` are those of credentials whose secrets are sealed."""
        self.kinds: list[str] = sorted(kinds)
        self._storage = storage
        self._vault = vault
        self._now = now
        self._start = start

    async def look(self) -> tuple[int, int]:
        """Count the rows that are sealed with an older secret, and those that no secret opens. Changes nothing."""
        await self._start()
        found = [self._state(each) async for batch in self._batches() for each in batch]
        return found.count("resealed"), found.count("lost")

    async def run(self, progress: Callable[[int], None] = lambda _: None) -> Resealed:
        """Seal all rows with the newest secret, in transactions of 100; `progress` is told how many are done.

        Raises StorageUnavailableError.
        """
        await self._start()
        done = dict.fromkeys(Resealed._fields, 0)
        async for batch in self._batches():
            for outcome in await self._reseal(batch):
                done[outcome] += 1
            progress(sum(done.values()))
        return Resealed(**done)

    async def _batches(self) -> AsyncIterator[list[Credential]]:
        for kind in self.kinds:
            last = ""
            while batch := await self._storage.all_credentials(kind, last, BATCH):
                # A credential may have no secret.
                yield [each for each in batch if each.secret]
                last = batch[-1].id

    async def _reseal(self, batch: list[Credential]) -> list[Outcome]:
        if all(self._state(each) != "resealed" for each in batch):
            return [self._state(each) for each in batch]
        async with self._storage.transaction() as storage:
            return [await self._one(storage, each) for each in batch]

    async def _one(self, storage: Storage, credential: Credential) -> Outcome:
        """Seal one row anew, however often a request changes it meanwhile."""
        found: Credential | None = credential
        while found is not None and (state := self._state(found)) == "resealed":
            place = place_of(found)
            secret = self._vault.seal(self._vault.open(found.secret, place), place)
            if await storage.change_credential(found, secret=secret, now=int(self._now())) is not None:
                return "resealed"
            rows = await storage.credentials(credential.user_id, credential.kind)
            found = next((each for each in rows if each.id == credential.id), None)
        # A row that was deleted meanwhile needs nothing.
        return state if found is not None else "current"

    def _state(self, credential: Credential) -> Outcome:
        """Tell what a run would do with a row."""
        try:
            self._vault.open(credential.secret, place_of(credential))
        except ValueError:
            return "lost"
        return "current" if self._vault.is_current(credential.secret) else "resealed"
