"""The order in which the hosts of a PostgreSQL URL are begun."""

import time
from collections.abc import Sequence
from typing import Any, TypeAlias
from weakref import WeakKeyDictionary

Host: TypeAlias = tuple[str, int]
#: Seconds for which a host that gave no answer to a call is begun after the others.
AVOIDED = 30.0


class HostOrder:
    """The order of the URL, with hosts that gave no answer at the end for a while.

    A primary that is cut off from its standbys still accepts connections, and its commits hang. If it stayed the first,
    each new connection would lead to it, although another host has become the primary.
    """

    def __init__(self) -> None:
        """Begin with the order of the URL."""
        self._hosts: WeakKeyDictionary[Any, Host] = WeakKeyDictionary()
        self._until: dict[Host, float] = {}

    def connected(self, connection: Any, host: Host) -> None:
        """Note to which host a connection leads."""
        self._hosts[connection] = host

    def avoid(self, connection: Any) -> None:
        """Begin the host of a connection after the others for the next seconds. No-op for other connections."""
        try:
            host = self._hosts.get(connection)
        except TypeError:  # a connection of the host's pool: its class takes no weak reference
            return
        if host is not None:
            self._until[host] = time.monotonic() + AVOIDED

    def sort(self, hosts: Sequence[Host]) -> list[Host]:
        """Return the hosts in the order in which they are to be begun."""
        now = time.monotonic()
        return sorted(hosts, key=lambda host: self._until.get(host, now) > now)
