"""A key that is being set up: sealed, and held by the client until its first code comes back.

Nothing is stored. The sealed key is bound to the user, to the session or pending login that asked for it, and to the
user and its credentials as they were: a reset, an added factor and a removed one make it void.
"""

import struct

from asgi_auth.accounts.factors import Factors
from asgi_auth.crypto.vault import Vault
from asgi_auth.model.records import User

#: Seconds that a setup lasts.
TTL = 600


class Setups:
    """Seals and opens keys that are being set up."""

    def __init__(self, vault: Vault, factors: Factors) -> None:
        """Take the vault, and the factors of users."""
        self._vault = vault
        self._factors = factors

    async def seal(self, key: bytes, user: User, holder: str, now: int) -> str:
        """Seal a key for a user; `holder` is the id of the session or of the pending login."""
        return self._vault.seal(struct.pack(">Q", now) + key, await self._about(user, holder))

    async def open(self, sealed: str, user: User, holder: str, now: int) -> bytes | None:
        """Return the key; None for a text that is forged, too old, or of another user, holder or state."""
        try:
            opened = self._vault.open(sealed, await self._about(user, holder))
        except ValueError:
            return None
        (begun,) = struct.unpack_from(">Q", opened)
        return opened[8:] if 0 <= now - begun < TTL else None

    async def _about(self, user: User, holder: str) -> str:
        return f"totp setup {user.id} {holder} {await self._factors.state(user)}"
