"""Bounds of the mails to one address: for each client that asks, and in total.

A stranger can have a few mails a day sent to a person, and many strangers together have a bound as well. Clients from
which the account has logged in before have a budget apart, which strangers cannot use up. A newcomer has no account, so
the first registration of each network draws on a total of its own: what strangers ask for beyond that does not keep the
newcomer's mail away. The counts are the same for addresses with and without an account.
"""

from collections.abc import Callable

from asgi_auth.accounts.known_clients import KnownClients
from asgi_auth.accounts.purpose import Purpose
from asgi_auth.limits.counter_keys import CounterKeys, network_of, networks_of
from asgi_auth.limits.counters import Counters
from asgi_auth.model.records import Client, Window

DAY = 86400
#: Mails a day to one address, for all purposes together: asked for from one unknown network, and from all of them.
STRANGER = 8
STRANGERS = 20
#: First registrations of networks a day for one address. More strangers together than these keep a newcomer out.
NEWCOMERS = 20
#: The same for clients that the account has logged in from before: for one of them, and for all of them.
KNOWN = 20
ALL_KNOWN = 60


class MailBudget:
    """Counts the mails to an address before they are sent."""

    def __init__(
        self, counters: Counters, keys: CounterKeys, known_clients: KnownClients, now: Callable[[], float]
    ) -> None:
        """Take the counters and their keys, and the clients that are no strangers."""
        self._counters = counters
        self._key = keys.key
        self._known_clients = known_clients
        self._now = now

    async def take(self, purpose: Purpose, subject: str, client: Client) -> bool:
        """Count a mail about a canonical address, and return whether it may be sent."""
        known = await self._known_clients.label(subject, client)
        asker, kind = known or network_of(client.address), "known" if known else "stranger"
        own = [self._window(DAY, KNOWN if known else STRANGER, kind, "asker", subject, asker)]
        if not known:
            own.insert(0, self._window(DAY, purpose.most, kind, "purpose", purpose.name, subject, asker))
        if purpose.quiet:
            own.insert(0, self._window(purpose.quiet, 1, kind, "quiet", purpose.name, subject, asker))
        if purpose.registers and not known and await self._has_room([*self._first(subject, client), *own]):
            return True
        return await self._has_room([*own, self._window(DAY, ALL_KNOWN if known else STRANGERS, kind, "all", subject)])

    def _first(self, subject: str, client: Client) -> list[Window]:
        """Return the windows of the first registration of a network. One client may have a whole /48 of IPv6."""
        network = "".join(networks_of(client.address)[-1:])
        return [
            self._window(DAY, 1, "newcomer", "network", subject, network),
            self._window(DAY, NEWCOMERS, "newcomer", "all", subject),
        ]

    async def _has_room(self, windows: list[Window]) -> bool:
        return await self._counters.limit(windows, int(self._now())) is None

    def _window(self, seconds: int, most: int, *parts: str) -> Window:
        return Window(self._key("mail", *parts), seconds, most)
