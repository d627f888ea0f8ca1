"""The public keys of an issuer, kept: fetched when they are old, and at most once a minute for an unknown one."""

import asyncio
import time
from collections.abc import Callable, Mapping
from typing import Any

from asgi_auth._per_loop import PerLoop
from asgi_auth.crypto.jwk import read_jwk
from asgi_auth.crypto.keys import MIN_RSA_BITS, SigningKey
from asgi_auth.errors import ProviderUnavailableError
from asgi_auth.outgoing import Outgoing
from asgi_auth.process.background import begin
from asgi_auth.process.log import logger

#: Seconds after which the keys are fetched again: a key that the issuer has dropped is not accepted for longer.
MAX_AGE = 300
#: Seconds between two fetches, so that tokens with invented keys do not make this service fetch all the time.
PAUSE = 60
#: The same while there are no keys at all.
FIRST_PAUSE = 5
#: The maximum number of keys.
MOST = 50


class RemoteKeys:
    """The keys of one JWK set. A fetch that fails leaves the keys as they are."""

    def __init__(self, url: str, outgoing: Outgoing, clock: Callable[[], float] = time.monotonic) -> None:
        """Take the URL of the JWK set."""
        self._url = url
        self._outgoing = outgoing
        self._clock = clock
        self._keys: Mapping[str, SigningKey] = {}
        self._fetched_at = self._next_fetch = float("-inf")
        self._tasks: PerLoop[asyncio.Task[None]] = PerLoop(lambda _: None)

    async def find(self, kid: str) -> SigningKey | None:
        """Return a key by its id; None for one that the issuer does not have.

        Raises ProviderUnavailableError while no keys could be fetched.
        """
        found = self._keys.get(kid)
        if found is not None:
            if self._clock() - self._fetched_at > MAX_AGE:
                # In the background: the key that is known serves until then.
                self._fetch()
            return found
        if (task := self._fetch()) is not None:
            # A caller that goes away must not end the fetch of the others.
            await asyncio.wait([task])
        if not self._keys:
            raise ProviderUnavailableError(f"no keys could be fetched from {self._url}")
        return self._keys.get(kid)

    async def close(self) -> None:
        """End the fetch that is in flight in the running loop."""
        if (task := self._tasks.pop()) is not None:
            task.cancel()
            await asyncio.wait([task])

    def _fetch(self) -> "asyncio.Task[None] | None":
        """Return the fetch in flight, or begin one; None when it is too early for another."""
        task = self._tasks.get()
        if task is not None and not task.done():
            return task
        now = self._clock()
        if now < self._next_fetch:
            return None
        self._next_fetch = now + (PAUSE if self._keys else FIRST_PAUSE)
        return self._tasks.set(begin(self._read(), "public keys"))

    async def _read(self) -> None:
        try:
            answer = await self._outgoing.get(self._url)
            keys = _keys_of(answer.json() if answer.status == 200 else {})
        except ProviderUnavailableError as error:
            logger.warning("the public keys stay as they were: %s", error)
            return
        self._keys, self._fetched_at = keys, self._clock()
        self._next_fetch = self._fetched_at + PAUSE


def _keys_of(document: Mapping[str, Any]) -> dict[str, SigningKey]:
    """Return the usable keys of a JWK set. Raises ProviderUnavailableError for a set without any."""
    listed = document.get("keys")
    found: dict[str, SigningKey] = {}
    for members in listed[:MOST] if isinstance(listed, list) else ():
        try:
            key = read_jwk(members, MIN_RSA_BITS) if isinstance(members, dict) else None
        except ValueError:
            continue
        if key is not None and key.private is None:
            found.setdefault(key.kid, key)
    if not found:
        raise ProviderUnavailableError("the set has no public key that can be used")
    return found
