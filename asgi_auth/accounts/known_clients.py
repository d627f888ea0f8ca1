"""Known clients: the devices and networks from which an account has logged in before (OWASP "device cookies").

Strangers can use up the attempts and mails that all clients share for an account. A known client has attempts and mails
of its own, so strangers cannot keep the owner out. A device is known by a cookie with a MAC, which needs no storage. A
client that takes no cookies is known by its network, which is stored as a digest.
"""

import hmac
import re
import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from contextlib import suppress

from asgi_auth.crypto.keys import KeyRing
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.limits.counter_keys import CounterKeys, network_of
from asgi_auth.model.records import Client, User
from asgi_auth.storage import Storage

DAY = 86400
#: Seconds that a device and a network are remembered after their last login.
DEVICE_MEMORY = 400 * DAY
NETWORK_MEMORY = 90 * DAY
#: The most networks of an account, accounts of a device cookie, and accounts in all device cookies of a request.
MOST_NETWORKS = 20
MOST_ACCOUNTS = 8
MOST_ENTRIES = 512
NONCE_BYTES = 12
MAC_BYTES = 16
#: One account in a device cookie: a nonce, the day of the login as a hexadecimal number, and the MAC of both.
ENTRY = re.compile(r"([A-Za-z0-9_-]{16})\.([0-9a-f]{1,5})\.([A-Za-z0-9_-]{22})")
BETWEEN = "~"
Entry = tuple[str, str, str]


class KnownClients:
    """Tells known clients of an account from strangers: `auth.known_clients`.

    An account is a canonical email address, with or without a user. Every call does the same work for both.
    """

    def __init__(self, storage: Storage, keys: KeyRing, counter_keys: CounterKeys, now: Callable[[], float]) -> None:
        """Take the storage of networks, and the keys of both MACs."""
        self._storage = storage
        self._keys = keys
        self._counter_key = counter_keys.key
        self._now = now

    async def knows(self, account: str, client: Client) -> bool:
        """Return whether the account has logged in from this device or network before.

        Raises StorageUnavailableError.
        """
        return bool(await self.label(account, client))

    async def label(self, account: str, client: Client) -> str:
        """Return a name of the known device or network, for the keys of its own counters; empty for a stranger.

        Two known devices have different names. Raises StorageUnavailableError.
        """
        for entry in _entries(client.device or ""):
            if self._is_genuine(account, entry):
                return f"device {entry[0]}"
        network = network_of(client.address)
        digest = self._digest(account, network)
        found = await self._storage.has_network(digest, int(self._now()))
        return f"network {digest}" if found and network else ""

    async def remember(self, user: User, client: Client) -> None:
        """Store the network of a login, at most once a day. Never fails.

        A network may have many people, so it is not stored for clients that have a device cookie, or get one.
        """
        has_cookie = client.device == "" or any(
            self._is_genuine(user.email_canonical, e) for e in _entries(client.device or "")
        )
        network = network_of(client.address)
        if has_cookie or not network:
            return
        now, digest = int(self._now()), self._digest(user.email_canonical, network)
        with suppress(StorageUnavailableError):
            if not await self._storage.has_network(digest, now + NETWORK_MEMORY - DAY):
                await self._storage.add_network(user.id, digest, now + NETWORK_MEMORY, MOST_NETWORKS)

    def device_cookie(self, account: str, client: Client) -> str:
        """Return the new value of the device cookie after a login; the other accounts of the browser stay known."""
        nonce = urlsafe_b64encode(secrets.token_bytes(NONCE_BYTES)).decode()
        day = f"{int(self._now()) // DAY:x}"
        entries = [(nonce, day, self._mac(self._keys.derived("device")[0], account, nonce, day))]
        # A cookie that is genuine for the account comes before those that a sibling domain may have set.
        values = (client.device or "").split(" ")
        own = [value for value in values if any(self._is_genuine(account, entry) for entry in _entries(value))]
        others = _entries(" ".join([*own, *values]))
        entries += [entry for entry in others if not self._is_genuine(account, entry)]
        return BETWEEN.join(".".join(entry) for entry in entries[:MOST_ACCOUNTS])

    def _is_genuine(self, account: str, entry: Entry) -> bool:
        nonce, day, mac = entry
        keys = self._keys.derived("device")
        genuine = any(hmac.compare_digest(self._mac(key, account, nonce, day), mac) for key in keys)
        return genuine and int(day, 16) * DAY + DEVICE_MEMORY > self._now()

    def _digest(self, account: str, network: str) -> str:
        return self._counter_key("known network", account, network)

    @staticmethod
    def _mac(key: bytes, account: str, nonce: str, day: str) -> str:
        digest = hmac.digest(key, f"{account}\0{nonce}\0{day}".encode(errors="surrogatepass"), "sha256")
        return urlsafe_b64encode(digest[:MAC_BYTES]).rstrip(b"=").decode()


def _entries(device: str) -> list[Entry]:
    """Return the well-formed entries of device cookies, without repetitions."""
    found = [ENTRY.fullmatch(text) for text in device.replace(BETWEEN, " ").split(" ")]
    entries = dict.fromkeys((entry[1], entry[2], entry[3]) for entry in found if entry is not None)
    return list(entries)[:MOST_ENTRIES]
