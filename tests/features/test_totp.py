"""One-time passwords of an app: turned on by their first code, asked for at each login, each used once."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import msgspec
import pytest

from asgi_auth import MagicLink, Passwords, RecoveryCodes, SecondFactors
from asgi_auth.errors import AuthError, SecondFactorRequiredError, SecondFactorSetupRequiredError
from asgi_auth.feature import Client, Factor
from asgi_auth.mail import Outbox
from asgi_auth.sessions.identity import Identity
from asgi_auth.storage import Storage
from tests.features.factors import a_world
from tests.support import EMAIL, PASSWORD, login


async def test_a_login_takes_a_code_once_it_is_turned_on() -> None:
    async with a_world() as world:
        pair = await world.turn_on()
        assert (await world.identity(pair)).amr == ("pwd", "otp", "mfa")

        inside = await world.log_in()

        assert (await world.identity(inside)).amr == ("pwd", "otp", "mfa")
        assert await world.outcome() == "invalid_code"
        world.clock.move(30)
        assert await world.outcome(" ".join(world.code())) == "in"
        world.clock.move(60)
        assert await world.outcome("000000") == "invalid_code"


async def test_the_code_that_turned_it_on_is_used_up() -> None:
    async with a_world() as world:
        await world.turn_on()
        world.clock.move(-30)

        assert await world.outcome() == "invalid_code"


async def test_the_key_is_sealed_and_opens_in_its_row_alone() -> None:
    async with a_world() as world:
        await world.turn_on()
        credential = await world.auth.storage.credential(world.user_id, "totp")
        assert credential is not None
        exported = await world.auth.storage.stored(world.user_id)

        assert world.key not in base64.urlsafe_b64decode(credential.secret)
        assert credential.secret not in repr(exported)
        with pytest.raises(ValueError, match="was not sealed"):
            world.auth.vault.open(credential.secret, f"totp other {credential.id}")


async def test_a_setup_belongs_to_its_session_its_time_and_its_state() -> None:
    async with a_world() as world:
        identity, other = await world.identity(), await world.identity()
        setup = await world.totp.totp_setup(identity=identity)
        world.key = base64.b32decode(setup.secret)

        async def refused(by: Identity, request: str = setup.request) -> str:
            with pytest.raises(AuthError) as error:
                await world.totp.totp_turn_on(request=request, code=world.code(), identity=by)
            return error.value.code

        assert await refused(other) == "invalid_code"
        assert await refused(identity, setup.request[:-4] + "AAA=") == "invalid_code"
        world.clock.move(600)
        assert await refused(identity) == "invalid_code"
        world.clock.move(-600)
        await world.totp.totp_turn_on(request=setup.request, code=world.code(), identity=identity)
        assert await refused(identity) in {"factor_exists", "invalid_code"}
        with pytest.raises(AuthError, match="already"):
            await world.totp.totp_setup(identity=identity)


async def test_an_address_that_is_not_verified_sets_nothing_up() -> None:
    async with a_world() as world:
        await world.auth.users.set_verified(world.user_id, verified=False)

        with pytest.raises(AuthError) as refused:
            await world.totp.totp_setup(identity=await world.identity())

        assert refused.value.code == "email_not_verified"


async def test_turned_off_a_login_takes_the_password_alone_and_recovery_codes_are_gone() -> None:
    async with a_world() as world:
        pair = await world.turn_on()
        identity = await world.identity(pair)
        await world.auth[RecoveryCodes].recovery_codes(identity=identity)

        await world.totp.totp_turn_off(identity=identity)

        assert (await world.identity()).amr == ("pwd",)
        assert [each.kind for each in await world.auth.storage.credentials(world.user_id)] == ["password"]
        renewed = await world.auth.refresh(pair.refresh_token)
        assert (await world.identity(renewed)).amr == ("pwd", "otp")


async def test_who_has_a_factor_needs_a_fresh_one_to_change_it() -> None:
    async with a_world() as world:
        old = await world.identity()
        pair = await world.turn_on(await world.identity())

        with pytest.raises(AuthError) as refused:
            await world.totp.totp_turn_off(identity=old)
        assert refused.value.code == "second_factor_needed"
        world.clock.move(700)
        by_password = await world.auth[Passwords].reauthenticate(
            password=PASSWORD, identity=await world.identity(await world.auth.refresh(pair.refresh_token))
        )
        with pytest.raises(AuthError) as refused:
            await world.totp.totp_turn_off(identity=await world.identity(by_password))
        assert (refused.value.code, refused.value.members()) == ("fresh_login_required", {"ways": ("totp",)})
        by_code = await world.totp.reauthenticate_by_totp(code=world.code(), identity=await world.identity(by_password))
        await world.totp.totp_turn_off(identity=await world.identity(by_code))


async def test_wrong_codes_pause_the_app_and_leave_recovery_codes_open() -> None:
    async with a_world() as world:
        pair = await world.turn_on()
        codes = (await world.auth[RecoveryCodes].recovery_codes(identity=await world.identity(pair))).codes

        assert {await world.outcome("000000") for _ in range(10)} == {"invalid_code"}
        assert await world.outcome() == "account_locked"

        recovered = await world.auth[RecoveryCodes].recovery_code_login(pending=await world.pending(), code=codes[0])
        assert (await world.identity(recovered)).amr == ("pwd", "recovery", "mfa")
        outbox: Outbox = world.auth.mail.mailer  # type: ignore[assignment]  # the tests' own
        assert await outbox.next("factor_paused")


async def test_who_must_have_a_factor_sets_it_up_to_log_in() -> None:
    async with a_world() as world:
        world.auth[SecondFactors].required = True
        with pytest.raises(SecondFactorSetupRequiredError) as refused:
            await login(world.auth)
        pending = refused.value.pending
        assert await world.outcome("000000", pending) == "pending_login_expired"

        setup = await world.totp.totp_setup(pending=pending)
        world.key = base64.b32decode(setup.secret)
        pair = await world.totp.totp_turn_on(request=setup.request, code=world.code(), pending=pending)

        assert (await world.identity(pair)).amr == ("pwd", "otp", "mfa")
        with pytest.raises(AuthError):
            await world.totp.totp_setup(pending=await world.pending())


async def test_a_reset_between_the_factors_lets_no_one_in() -> None:
    async with a_world() as world:
        await world.turn_on()
        pending = await world.pending()
        service = world.auth[Passwords].passwords
        async with world.auth.storage.transaction() as storage:
            await service.replace(storage, world.user_id, await service.hasher.hash("another horse battery"))

        assert await world.outcome(world.code(), pending) == "pending_login_expired"


async def test_a_recovery_code_is_read_as_people_type_it() -> None:
    async with a_world() as world:
        pair = await world.turn_on()
        feature = world.auth[RecoveryCodes]
        codes = (await feature.recovery_codes(identity=await world.identity(pair))).codes
        assert len({*codes}) == 8
        assert {len(code) for code in codes} == {29}

        typed = codes[0].lower().replace("-", " ").replace("0", "o").replace("1", "l")

        assert await feature.recovery_code_login(pending=await world.pending(), code=typed)
        with pytest.raises(AuthError) as refused:
            await feature.recovery_code_login(pending=await world.pending(), code=typed)
        assert refused.value.code == "invalid_code"
        again = (await feature.recovery_codes(identity=await world.identity(await world.log_in()))).codes
        assert not {*again} & {*codes}


async def test_a_magic_link_meets_the_second_factor() -> None:
    async with a_world() as world:
        await world.turn_on()
        await world.auth[MagicLink].magic_link(email=EMAIL)
        outbox: Outbox = world.auth.mail.mailer  # type: ignore[assignment]  # the tests' own
        mail = await outbox.next("magic_link")

        with pytest.raises(SecondFactorRequiredError) as refused:
            await world.auth[MagicLink].magic_link_login(token=mail.token)

        pair = await world.totp.totp_login(pending=refused.value.pending, code=world.code())
        assert (await world.identity(pair)).amr == ("email", "otp", "mfa")


async def test_recovery_codes_from_before_the_first_factor_open_nothing() -> None:
    async with a_world() as world:
        feature, thief = world.auth[RecoveryCodes], await world.identity()
        with pytest.raises(AuthError) as refused:
            await feature.recovery_codes(identity=thief)
        assert refused.value.code == "second_factor_needed"
        credential = await world.auth.storage.credential(world.user_id, "password")
        assert credential is not None
        early = msgspec.structs.replace(credential, id="early", kind="recovery_codes", secret="0" * 64)
        assert await world.auth.storage.add_credential(early)

        await world.turn_on()

        assert await world.auth.storage.credential(world.user_id, "recovery_codes") is None
        with pytest.raises(AuthError) as refused:
            await feature.recovery_codes(identity=thief)
        assert refused.value.code == "second_factor_needed"


async def test_a_setup_ends_with_its_session_and_with_a_new_password() -> None:
    async with a_world() as world:
        identity = await world.identity()
        setup = await world.totp.totp_setup(identity=identity)
        user = await world.auth.users.get(world.user_id)
        world.key = base64.b32decode(setup.secret)
        await world.auth.end_sessions(world.user_id)

        with pytest.raises(AuthError):
            await world.totp._add(user, identity.session_id, setup.request, world.code(), Client())
        with pytest.raises(AuthError):
            await world.totp._add(user, "ended", setup.request, world.code(), Client(), is_first=True)

        assert await world.auth.storage.credential(world.user_id, "totp") is None


async def test_a_setup_in_a_login_adds_the_first_factor_alone() -> None:
    async with a_world() as world:
        world.auth[SecondFactors].required = True
        with pytest.raises(SecondFactorSetupRequiredError) as refused:
            await login(world.auth)
        pending = refused.value.pending
        setup = await world.totp.totp_setup(pending=pending)
        world.key = base64.b32decode(setup.secret)
        (token,) = await world.auth.storage.tokens(world.user_id, "pending_login", int(world.clock()))
        user = await world.auth.users.get(world.user_id)
        password = await world.auth.storage.credential(world.user_id, "password")
        assert password is not None
        transaction = world.auth.storage.transaction

        @asynccontextmanager
        async def late() -> AsyncIterator[Storage]:
            """Another device turns another factor on, right before the setup ends."""
            other = msgspec.structs.replace(password, id="other", kind="token", identifier="other")
            await world.auth.storage.add_credential(other)
            async with transaction() as storage:
                yield storage

        world.auth.second_factors._kinds["token"] = Factor("token")
        world.auth.storage.transaction = late  # type: ignore[method-assign]  # a concurrent call

        with pytest.raises(AuthError) as refused_setup:
            await world.totp._add(user, token.id, setup.request, world.code(), Client(), is_first=True)

        assert refused_setup.value.code == "factor_exists"
        assert await world.auth.storage.credential(world.user_id, "totp") is None
