"""The contract of a storage: networks from which users have logged in."""

from typing import Protocol


class NetworkStore(Protocol):
    """Stores networks as digests. The rules of `Storage` hold for every method."""

    async def has_network(self, digest: str, now: int) -> bool:
        """Return whether a network is stored and has not expired at `now`."""

    async def add_network(self, user_id: str, digest: str, expires_at: int, most: int) -> None:
        """Store a network of a user until `expires_at`; a stored digest gets the new user and time.

        At most `most` networks are stored for a user: those that expire first are deleted. Calls at the same moment may
        exceed a number over 10, until the next call. No-op for an unknown user.
        """
