"""A user whose account began with a passkey, for the tests of accounts without a password."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from asgi_auth import (
    Auth,
    AuthApp,
    MagicLink,
    Outbox,
    Pages,
    Passkeys,
    RecoveryCodes,
    SecondFactors,
    Totp,
    TrustedDevices,
)
from asgi_auth.mail import Mail
from asgi_auth.testing.passkey import Passkey
from tests.support import EMAIL, ORIGIN, PASSWORD, Answer, Client, Clock, bearer, cheap, make_auth


class Owner:
    """A user whose account began with a passkey, at a client without cookies."""

    def __init__(self, auth: Auth, clock: Clock, outbox: Outbox) -> None:
        self.auth, self.clock, self.outbox = auth, clock, outbox
        self.client = Client(AuthApp(auth))
        self.device = Passkey(origin=ORIGIN)

    async def post(self, path: str, **body: object) -> Answer:
        return await self.client.post(path, body)

    async def sign_up(self) -> None:
        asked = (await self.post("/register/passkey/options", email=EMAIL)).json
        made = self.device.create(asked["options"])
        begun = await self.post("/register/passkey", email=EMAIL, request=asked["request"], credential=made)
        code = (await self.outbox.next("register")).code
        done = await self.post("/verify-email", request=begun.json["request"], code=code)
        assert done.status == 204

    async def log_in(self) -> Answer:
        options = (await self.post("/login/passkey/options")).json["options"]
        answer = await self.post("/login/passkey", credential=self.device.get(options))
        self.client.headers = bearer_of(answer)
        return answer

    async def mail(self, purpose: str) -> Mail:
        return await self.outbox.next(purpose)


def bearer_of(answer: Answer) -> dict[str, str]:
    return bearer(answer.json["access_token"])


@asynccontextmanager
async def an_owner() -> AsyncIterator[Owner]:
    clock, outbox = Clock(), Outbox()
    more = [MagicLink(), SecondFactors(), Totp(), RecoveryCodes(), TrustedDevices(), Pages()]
    features = [*cheap(mail=True), *more, Passkeys(sign_up=True)]
    async with make_auth(features=features, clock=clock, mailer=outbox, enumeration="hide") as auth:
        owner = Owner(auth, clock, outbox)
        await owner.sign_up()
        yield owner


async def set_password(owner: Owner) -> Answer:
    return await owner.post("/set-password", new_password=PASSWORD)
