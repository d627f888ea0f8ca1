"""A user with an authenticator app, for the tests of second factors."""

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import pytest

from asgi_auth import Auth, MagicLink, RecoveryCodes, SecondFactors, Totp
from asgi_auth.errors import AuthError, SecondFactorRequiredError
from asgi_auth.feature import TokenPair
from asgi_auth.feature.base import BaseFeature
from asgi_auth.features.totp.codes import code_at
from asgi_auth.mail import Outbox
from asgi_auth.sessions.identity import Identity
from tests.support import Clock, cheap, login, make_auth, register


class World:
    """A user, and an app that shows codes."""

    def __init__(self, auth: Auth, clock: Clock, user_id: str) -> None:
        self.auth, self.clock, self.user_id = auth, clock, user_id
        self.key = b""

    @property
    def totp(self) -> Totp:
        return self.auth[Totp]

    def code(self, steps: int = 0) -> str:
        return code_at(self.key, int(self.clock() // 30) + steps)

    async def identity(self, pair: TokenPair | None = None) -> Identity:
        return await self.auth.authenticate((pair or await login(self.auth)).access_token)

    async def turn_on(self, identity: Identity | None = None) -> TokenPair:
        identity = identity or await self.identity()
        setup = await self.totp.totp_setup(identity=identity)
        self.key = base64.b32decode(setup.secret)
        pair = await self.totp.totp_turn_on(request=setup.request, code=self.code(), identity=identity)
        self.clock.move(30)
        return pair

    async def pending(self) -> str:
        with pytest.raises(SecondFactorRequiredError) as refused:
            await login(self.auth)
        return refused.value.pending

    async def log_in(self, code: str | None = None) -> TokenPair:
        return await self.totp.totp_login(pending=await self.pending(), code=code or self.code())

    async def outcome(self, code: str | None = None, pending: str | None = None) -> str:
        try:
            await self.totp.totp_login(pending=pending or await self.pending(), code=code or self.code())
        except AuthError as error:
            return error.code
        return "in"


@asynccontextmanager
async def a_world(
    storage: str = "sqlite://",
    clock: Clock | None = None,
    *more: BaseFeature,
    settings: Mapping[str, Any] = {},
    **policy: bool,
) -> AsyncIterator[World]:
    clock = clock or Clock()
    features = [*cheap(mail=True), MagicLink(), SecondFactors(**policy), Totp(), RecoveryCodes(), *more]
    async with make_auth(storage, features=features, clock=clock, mailer=Outbox(), **settings) as auth:
        user_id = await register(auth)
        await auth.users.set_verified(user_id)
        yield World(auth, clock, user_id)
