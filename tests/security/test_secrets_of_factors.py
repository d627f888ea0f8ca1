"""Keys, codes and pending logins stand in no log, no event, no audit record, no export and no `repr`."""

import logging

import pytest

from asgi_auth import Account, Audit, MagicLink, RecoveryCodes, SecondFactors, Totp, TrustedDevices
from asgi_auth.errors import SecondFactorRequiredError
from asgi_auth.mail import Outbox
from tests.features.factors import World
from tests.security.test_logs import Deaf
from tests.support import Clock, cheap, login, make_auth, register


async def a_life(world: World, seen: list[str]) -> list[str]:
    """Set an app up, and log in and out; note what is shown in `seen`, and return all secrets."""
    identity = await world.identity()
    setup = await world.totp.totp_setup(identity=identity)
    pair = await world.turn_on(identity)
    codes = await world.auth[RecoveryCodes].recovery_codes(identity=await world.identity(pair))
    with pytest.raises(SecondFactorRequiredError) as refused:
        await login(world.auth)
    async with world.auth.pending.attempt(refused.value.pending) as found:
        seen += [repr(item) for item in (setup, codes, found, refused.value, str(refused.value))]
    await world.auth[RecoveryCodes].recovery_code_login(pending=refused.value.pending, code=codes.codes[0])
    await world.auth[Totp].totp_login(pending=await world.pending(), code=world.code(), trust_device=True)  # type: ignore[call-arg]  # a field of another feature
    assert await world.outcome("not a code") == "invalid_code"
    assert await world.outcome(world.code(), "no pending login") == "pending_login_expired"
    storage, now = world.auth.storage, int(world.clock())
    stored = [each.secret for each in await storage.credentials(world.user_id)]
    tokens = [
        each.digest for p in ("pending_login", "trusted_device") for each in await storage.tokens(world.user_id, p, now)
    ]
    assert len(tokens) >= 2
    return [setup.secret, setup.uri, setup.request, *codes.codes, refused.value.pending, *stored, *tokens]


@pytest.fixture
def shown(caplog: pytest.LogCaptureFixture) -> pytest.LogCaptureFixture:
    caplog.set_level(logging.DEBUG)
    return caplog


async def test_secrets_of_factors_are_shown_nowhere(shown: pytest.LogCaptureFixture) -> None:
    clock, outbox, seen = Clock(), Outbox(), list[str]()
    factors = [SecondFactors(), Totp(), RecoveryCodes(), TrustedDevices()]
    features = [*cheap(mail=True), MagicLink(), *factors, Deaf()]
    async with make_auth(features=features, clock=clock, mailer=outbox) as auth:
        auth.on("*")(lambda event: seen.append(repr(event)))
        user_id = await register(auth)
        await auth.users.set_verified(user_id)
        world = World(auth, clock, user_id)

        secrets = await a_life(world, seen)

        exported = await auth[Account].export(identity=await world.identity(await world.log_in(late_code(world))))
        seen += [repr(exported), repr(await auth.storage.stored(user_id))]
        seen += [repr(record) for record in await auth[Audit].list(user_id)]
        await auth.mail.idle()
        seen += [mail.text for mail in outbox.mails]

    texts = [*seen, shown.text]
    assert any("factor_check" in text for text in texts)
    for secret in secrets:
        assert not [text for text in texts if secret and secret in text]


def late_code(world: World) -> str:
    world.clock.move(60)
    return world.code()
