"""Bounds of the mails to one address: for each client that asks, and in total.

A stranger can have a few mails a day sent to a person, and many strangers together have a bound as well. Clients from
which the account has logged in before have a budget apart, which strangers cannot use up. A newcomer has no account, so
the first registration of each network draws on a total of its own: what strangers ask for beyond that does not keep the
newcomer's mail away. The counts are the same for addresses with and without an account.

A caller can name an account by its username. The name has the same bounds as an address, and these decide about the
work. The mails count for the address as well; where that has too many, a decoy takes the place of the mail. So nothing
tells by the name what others ask for at the address, or that the account is deleted.
"""

from collections.abc import Callable, Sequence
from typing import Literal, TypeAlias

import msgspec

from asgi_auth.accounts.known_clients import KnownClients
from asgi_auth.accounts.purpose import Purpose
from asgi_auth.limits.counter_keys import CounterKeys, network_of, networks_of
from asgi_auth.limits.counters import Counters
from asgi_auth.model.limits import MAX_SKEW
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
#: More mails than any window counts.
UNBOUNDED = 2**31
#: What a request has room for: its mail, a decoy in the place of the mail, or neither.
Room: TypeAlias = Literal["mail", "decoy", "none"]


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

    async def take(self, purpose: Purpose, subject: str, client: Client, name: str = "") -> Room:
        """Count a mail about a canonical address, and return what it has room for.

        `name` is what the caller calls the account in place of the address; only such a mail can become a decoy.
        """
        known = await self._known_clients.label(subject, client)
        asker = known or network_of(client.address)
        windows = self._windows(purpose, subject, asker, known=bool(known))
        if name:
            return await self._take_by_name(self._windows(purpose, name, asker, known=bool(known)), windows)
        if purpose.registers and not known and await self._has_room([*self._first(subject, client), *windows[:-1]]):
            return "mail"
        return "mail" if await self._has_room(windows) else "none"

    async def _take_by_name(self, of_name: list[Window], of_address: list[Window]) -> Room:
        """Count a mail for a name and for its address at once; that of the name alone can be refused."""
        unbounded = [msgspec.structs.replace(window, most=UNBOUNDED) for window in of_address]
        if not await self._has_room([*of_name, *unbounded]):
            return "none"
        return "decoy" if any([await self._is_over(window) for window in of_address]) else "mail"

    def _windows(self, purpose: Purpose, subject: str, asker: str, *, known: bool) -> list[Window]:
        """Return the windows of a mail that a known client or a stranger asks for, that of all clients last."""
        kind = "known" if known else "stranger"
        own = [self._window(DAY, KNOWN if known else STRANGER, kind, "asker", subject, asker)]
        if not known:
            own.insert(0, self._window(DAY, purpose.most, kind, "purpose", purpose.name, subject, asker))
        if purpose.quiet:
            own.insert(0, self._window(purpose.quiet, 1, kind, "quiet", purpose.name, subject, asker))
        return [*own, self._window(DAY, ALL_KNOWN if known else STRANGERS, kind, "all", subject)]

    def _first(self, subject: str, client: Client) -> list[Window]:
        """Return the windows of the first registration of a network. One client may have a whole /48 of IPv6."""
        network = "".join(networks_of(client.address)[-1:])
        return [
            self._window(DAY, 1, "newcomer", "network", subject, network),
            self._window(DAY, NEWCOMERS, "newcomer", "all", subject),
        ]

    async def _has_room(self, windows: Sequence[Window]) -> bool:
        return await self._counters.limit(windows, int(self._now())) is None

    async def _is_over(self, window: Window) -> bool:
        """Tell whether a window has counted more than it allows. A counter of a clock that was ahead is void."""
        now = int(self._now())
        counted = await self._counters.counter(window.key, now)
        if counted is None or counted.expires_at > now + window.seconds + MAX_SKEW:
            return False
        return counted.count > window.most

    def _window(self, seconds: int, most: int, *parts: str) -> Window:
        return Window(self._key("mail", *parts), seconds, most)
