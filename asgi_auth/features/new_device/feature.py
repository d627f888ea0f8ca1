"""New device: users get a mail about a login from a device that they have not used before (ASVS 6.3.5)."""

import hashlib
import ipaddress
from collections.abc import Container
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

from asgi_auth.feature import Client, Event, Feature
from asgi_auth.limits.counter_keys import embedded_ipv4
from asgi_auth.model import event_types as events
from asgi_auth.model.user_agent import PROGRAMS, program_and_system
from asgi_auth.sources.kinds import checks_options
from asgi_auth.validation.numbers import check_whole

#: The prefix lengths that tell networks apart: about the size of one provider in one place.
PREFIXES = {4: 16, 6: 32}


class NewDevice(Feature):
    """Emits the event `new_device` for a login from a new device, and mails a notice when a mailer is set.

    A device is the program and the system of the user agent, with the network of the address (IPv4 /16, IPv6 /32)
    unless `network=False`. The last `most` devices of each user are kept. The first device of a user is not reported.
    """

    mails: ClassVar[tuple[str, ...]] = ("new_device",)
    observes: Container[str] | None = (events.LOGIN,)
    room: ClassVar[Path | None] = Path(__file__).parent

    @checks_options
    def __init__(self, *, network: bool = True, most: int = 50) -> None:
        """Take the settings; raises ValueError."""
        check_whole(most=most)
        self.network = network
        self.most = most

    async def observe(self, event: Event) -> None:
        """Store the device of a login, and report a new one."""
        if event.outcome != "success" or event.user_id is None:
            return
        digest = self._digest(event.user_id, event.client)
        if await self.auth.storage.see_device(event.user_id, digest, event.at, self.most) != "new":
            return
        user_id, session_id, client = event.user_id, event.session_id, event.client
        await self.auth.emit(events.NEW_DEVICE, user_id=user_id, session_id=session_id, client=client)
        user = await self.auth.storage.user(user_id)
        if user is not None and self.auth.letters.can_send:
            device = self._name(client, self.auth.texts.choose(client.accept_language))
            values = {"device": device, "address": client.address or "?", "time": _time(event.at)}
            self.auth.letters.notify("new_device", user, client, values)

    def _digest(self, user_id: str, client: Client) -> str:
        parts = [user_id, *program_and_system(client.user_agent)]
        if self.network:
            parts.append(_network(client.address))
        return hashlib.sha256("\n".join(parts).encode(errors="surrogatepass")).hexdigest()

    def _name(self, client: Client, language: str) -> str:
        """Name the device for a mail, from known names only: a stranger chooses the text of the user agent."""
        program, system = program_and_system(client.user_agent)
        if program not in PROGRAMS.values() or not system:
            return system or self.auth.texts.get("pages.account.unknown_device", language)
        return self.auth.texts.get("pages.account.device", language, program=program, system=system)


def _network(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return address
    found = embedded_ipv4(found) or found
    return str(ipaddress.ip_network((found, PREFIXES[found.version]), strict=False))


def _time(at: int) -> str:
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M} UTC"
