"""Networks of earlier logins over SQL."""

from asgi_auth.storage.runner import Runner
from asgi_auth.storage.statements import networks, users

#: The most surplus networks that one call deletes; `most` has been lowered when there is more than one.
BATCH = 100
#: Concurrent logins of one user miss each other's networks, so this close to the limit a transaction counts them.
MARGIN = 10


class SQLNetworks(Runner):
    """The methods of `Storage` for networks."""

    async def has_network(self, digest: str, now: int) -> bool:
        """Select the network by its digest."""
        return bool(await self.run(networks.NETWORK, {"digest": digest, "now": now}, read=True))

    async def add_network(self, user_id: str, digest: str, expires_at: int, most: int) -> None:
        """Insert the network in one statement; near the limit, in a transaction that deletes the oldest.

        It locks the user, so that concurrent logins do not exceed `most`.
        """
        values = {"user_id": user_id, "digest": digest, "expires_at": expires_at}
        room = {"room": most - MARGIN}
        if most > MARGIN and await self.run_unless_conflict(networks.ADD_NETWORK_WITH_ROOM, values | room):
            return

        async def add(storage: "SQLNetworks") -> None:
            if await storage.run(users.LOCK_USER, {"user_id": user_id}):
                await storage.run(networks.ADD_NETWORK, values)
                await storage.run(networks.DELETE_OLDEST_NETWORKS, {"user_id": user_id, "most": most, "batch": BATCH})

        await self._atomically(add)
