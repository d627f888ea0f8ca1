"""Bounds of the mails to one address: for each client that asks, and in total.

A stranger can have a few mails a day sent to a person, and many strangers together have a bound as well. Clients from
which the account has logged in before have a budget apart, which strangers cannot use up. The counts are the same for
addresses with and without an account.
"""

from collections.abc import Callable

from asgi_auth.accounts.known_clients import KnownClients
from asgi_auth.accounts.purpose import Purpose
from asgi_auth.limits.counter_keys import CounterKeys, network_of
from asgi_auth.limits.counters import Counters
from asgi_auth.model.records import Client, Window

DAY = 86400
#: Mails a day to one address, for all purposes together: asked for from one unknown network, and from all of them.
STRANGER = 8
STRANGERS = 20
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
        windows = [
            self._window(DAY, KNOWN if known else STRANGER, kind, "asker", subject, asker),
            self._window(DAY, ALL_KNOWN if known else STRANGERS, kind, "all", subject),
        ]
        if not known:
            windows.insert(0, self._window(DAY, purpose.most, kind, "purpose", purpose.name, subject, asker))
        if purpose.quiet:
            windows.insert(0, self._window(purpose.quiet, 1, kind, "quiet", purpose.name, subject, asker))
        return await self._counters.limit(windows, int(self._now())) is None

    def _window(self, seconds: int, most: int, *parts: str) -> Window:
        return Window(self._key("mail", *parts), seconds, most)
