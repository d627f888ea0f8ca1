"""A user with an authenticator, for the tests of passkeys."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pytest

from asgi_auth import Auth, MagicLink, Passkeys, RecoveryCodes, SecondFactors, Totp
from asgi_auth.errors import AuthError, SecondFactorRequiredError
from asgi_auth.feature import Event, TokenPair
from asgi_auth.features.passkeys.answers import AddedPasskey
from asgi_auth.mail import Outbox
from asgi_auth.sessions.identity import Identity
from asgi_auth.testing.passkey import Passkey
from tests.support import EMAIL, ORIGIN, Clock, cheap, login, make_auth, register


class World:
    """A user, its device, and what happened."""

    def __init__(self, auth: Auth, clock: Clock, outbox: Outbox) -> None:
        self.auth, self.clock, self.outbox = auth, clock, outbox
        self.device = Passkey(origin=ORIGIN)
        self.user_id = ""
        self.events: list[Event] = []
        auth.on("*")(self.events.append)

    @property
    def passkeys(self) -> Any:
        """The feature. Its endpoints take plain objects too, as browsers send them."""
        return self.auth[Passkeys]

    async def begin(self) -> None:
        self.user_id = await register(self.auth)
        await self.auth.users.set_verified(self.user_id)

    async def identity(self, pair: TokenPair | None = None) -> Identity:
        return await self.auth.authenticate((pair or await login(self.auth)).access_token)

    async def add(self, identity: Identity | None = None, device: Passkey | None = None) -> AddedPasskey:
        identity = identity or await self.identity()
        options = (await self.passkeys.passkey_options(identity=identity)).options
        made = (device or self.device).create(options)
        added: AddedPasskey = await self.passkeys.add_passkey(credential=made, identity=identity)
        return added

    async def options(self, pending: str = "") -> dict[str, Any]:
        found = await self.passkeys.passkey_login_options(**({"pending": pending} if pending else {}))
        options: dict[str, Any] = found.options
        return options

    async def log_in(self, device: Passkey | None = None) -> TokenPair:
        shown = (device or self.device).get(await self.options())
        pair: TokenPair = await self.passkeys.passkey_login(credential=shown)
        return pair

    async def pending(self) -> str:
        with pytest.raises(SecondFactorRequiredError) as refused:
            await login(self.auth)
        return refused.value.pending

    async def finish(self, pending: str, device: Passkey | None = None) -> TokenPair:
        shown = (device or self.device).get(await self.options(pending))
        pair: TokenPair = await self.passkeys.passkey_login(credential=shown, pending=pending)
        return pair

    def named(self, name: str) -> list[Event]:
        return [event for event in self.events if event.name == name]


async def code_of(calling: Awaitable[object]) -> str:
    """Await a call; return the code of its refusal, or `in`."""
    try:
        await calling
    except AuthError as error:
        return error.code
    return "in"


@asynccontextmanager
async def a_world(
    storage: str = "sqlite://",
    clock: Clock | None = None,
    *,
    passkeys: Callable[[], Passkeys] = Passkeys,
    required: bool = False,
    **settings: Any,
) -> AsyncIterator[World]:
    clock, outbox = clock or Clock(), Outbox()
    policy = SecondFactors(required=required)
    features = [*cheap(mail=True), MagicLink(), policy, Totp(), RecoveryCodes(), passkeys()]
    async with make_auth(storage, features=features, clock=clock, mailer=outbox, **settings) as auth:
        world = World(auth, clock, outbox)
        await world.begin()
        yield world


__all__ = ["EMAIL", "World", "a_world", "code_of"]
