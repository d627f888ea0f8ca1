"""Known devices over SQL."""

from asgi_auth.model.records import Sighting
from asgi_auth.storage import statements
from asgi_auth.storage.runner import Runner


class SQLDevices(Runner):
    """Keeps the part of the contract that is about devices."""

    async def see_device(self, user_id: str, digest: str, now: int, most: int) -> Sighting:
        """Mark a known one; else take the user's lock, look again, insert, and forget what is too much."""
        values = {"user_id": user_id, "digest": digest, "now": now}
        if await self.run(statements.SEE_DEVICE, values):
            return "known"

        async def see(storage: "SQLDevices") -> Sighting:
            if not await storage.run(statements.LOCK_USER, {"user_id": user_id}):
                return "known"
            if await storage.run(statements.SEE_DEVICE, values):
                return "known"
            others = await storage.run(statements.DEVICES, {"user_id": user_id})
            await storage.run(statements.ADD_DEVICE, values)
            for row in others[most - 1 :]:
                await storage.run(statements.FORGET_DEVICE, {"user_id": user_id, "digest": row["digest"]})
            return "new" if others else "first"

        return await self._atomically(see)
