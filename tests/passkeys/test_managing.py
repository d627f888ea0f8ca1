"""The passkeys of a user: who may add one, how many there are, and what goes with the last one."""

import asyncio
import json
from typing import Any

import pytest

from asgi_auth import Passkeys, RecoveryCodes, SecondFactors
from asgi_auth.errors import AuthError, SecondFactorSetupRequiredError
from asgi_auth.features.passkeys.credentials import KIND
from asgi_auth.testing.passkey import Passkey
from tests.passkeys.world import World, a_world, code_of
from tests.support import ORIGIN, PASSWORD, cheap, login, make_auth, register


async def test_passkeys_are_listed_renamed_and_deleted() -> None:
    async with a_world() as world:
        added = await world.add()
        identity = await world.identity(added.tokens)
        world.clock.move(1)
        second = await world.add(identity, Passkey(origin=ORIGIN, synced=True))
        assert identity.amr == ("pwd", "hwk", "mfa")

        renamed = await world.passkeys.rename_passkey(id=second.passkey.id, name="  My \n phone ", identity=identity)
        listed = await world.passkeys.passkeys(identity=identity)

        assert renamed.name == "My phone"
        assert [each.name for each in listed.passkeys] == ["unknown device", "My phone"]
        assert [each.synced for each in listed.passkeys] == [False, True]
        ids = [each.identifier for each in await world.auth.storage.credentials(world.user_id, KIND)]
        assert listed.accepted["rpId"] == "app.example.com"
        assert listed.accepted["allAcceptedCredentialIds"] == ids
        await world.passkeys.delete_passkey(id=added.passkey.id, identity=identity)
        assert [each.name for each in (await world.passkeys.passkeys(identity=identity)).passkeys] == ["My phone"]
        assert (await world.outbox.next("passkey_added")).to
        assert (await world.outbox.next("passkey_removed")).to


async def test_the_last_second_factor_takes_recovery_codes_and_mfa_with_it() -> None:
    async with a_world() as world:
        added = await world.add()
        identity = await world.identity(added.tokens)
        await world.auth[RecoveryCodes].recovery_codes(identity=identity)

        await world.passkeys.delete_passkey(id=added.passkey.id, identity=identity)

        assert [each.kind for each in await world.auth.storage.credentials(world.user_id)] == ["password"]
        renewed = await world.identity(await world.auth.refresh(added.tokens.refresh_token))
        assert renewed.amr == ("pwd", "hwk")


async def test_a_passkey_of_another_user_is_not_there() -> None:
    async with a_world() as world:
        added = await world.add()
        await register(world.auth, "bob@example.com")
        bob = await world.identity(await login(world.auth, "bob@example.com"))

        for calling in (
            world.passkeys.rename_passkey(id=added.passkey.id, name="Mine", identity=bob),
            world.passkeys.delete_passkey(id=added.passkey.id, identity=bob),
        ):
            assert await code_of(calling) == "not_found"
        password = await world.auth.storage.credential(world.user_id, "password")
        assert password is not None
        identity = await world.identity(added.tokens)
        assert await code_of(world.passkeys.delete_passkey(id=password.id, identity=identity)) == "not_found"
        assert await world.auth.storage.credential(world.user_id, "password") == password


async def test_a_new_name_leaves_the_key_as_it_is() -> None:
    async with a_world() as world:
        added = await world.add()
        before = await world.auth.storage.credential(world.user_id, KIND)

        await world.passkeys.rename_passkey(
            id=added.passkey.id, name="Key", identity=await world.identity(added.tokens)
        )

        after = await world.auth.storage.credential(world.user_id, KIND)
        assert before is not None
        assert after is not None
        assert after.data == before.data | {"name": "Key"}
        assert (after.id, after.identifier, after.secret) == (before.id, before.identifier, before.secret)
        assert await code_of(world.log_in()) == "in"


async def test_the_last_way_in_stays() -> None:
    async with make_auth(features=[*cheap(), Passkeys(second_factor=False)]) as auth:
        user = await auth.users.create("ada@example.com", password=PASSWORD, verified=True)
        identity = await auth.authenticate((await login(auth)).access_token)
        device = Passkey(origin=ORIGIN)
        ids = []
        for _ in range(2):
            options = (await auth[Passkeys].passkey_options(identity=identity)).options
            device.keys, held = [], device.keys
            shown = json.dumps(device.create(options))
            made = await auth[Passkeys].add_passkey(credential=shown, identity=identity)
            device.keys += held
            ids.append(made.passkey.id)
            identity = await auth.authenticate(made.tokens.access_token)
        await auth.storage.delete_credentials(user.id, ("password",))

        outcomes = await asyncio.gather(
            *(code_of(auth[Passkeys].delete_passkey(id=each, identity=identity)) for each in ids)
        )

        assert sorted(outcomes) == ["in", "last_way_in"]
        assert len(await auth.storage.credentials(user.id, KIND)) == 1


async def test_who_adds_a_passkey_has_a_fresh_login_a_factor_and_a_verified_address() -> None:
    async with a_world() as world:
        old = await world.identity()
        added = await world.add(await world.identity())

        assert await code_of(world.add(old, Passkey(origin=ORIGIN))) == "second_factor_needed"
        await world.auth.users.set_verified(world.user_id, verified=False)
        fresh = await world.identity(added.tokens)
        assert await code_of(world.add(fresh, Passkey(origin=ORIGIN))) == "email_not_verified"
        world.clock.move(700)
        late = await world.identity(await world.auth.refresh(added.tokens.refresh_token))
        assert await code_of(world.add(late, Passkey(origin=ORIGIN))) == "fresh_login_required"
        assert await code_of(world.passkeys.passkey_options()) == "unauthorized"


async def test_a_device_holds_one_passkey_of_an_account() -> None:
    async with a_world() as world:
        identity = await world.identity((await world.add()).tokens)

        with pytest.raises(LookupError, match="InvalidStateError"):
            await world.add(identity)


async def test_a_passkey_belongs_to_one_account() -> None:
    async with a_world() as world:
        await world.add()
        await world.auth.users.set_verified(await register(world.auth, "bob@example.com"))
        bob = await world.identity(await login(world.auth, "bob@example.com"))
        options = (await world.passkeys.passkey_options(identity=bob)).options
        again = world.device.create(options, world.device.keys[0])

        assert await code_of(world.passkeys.add_passkey(credential=again, identity=bob)) == "passkey_exists"


async def test_no_more_passkeys_than_most_however_many_are_added_at_once() -> None:
    async with a_world(passkeys=lambda: Passkeys(most=3)) as world:
        identity = await world.identity((await world.add()).tokens)
        devices = [Passkey(origin=ORIGIN) for _ in range(8)]
        options = [(await world.passkeys.passkey_options(identity=identity)).options for _ in devices]

        outcomes = await asyncio.gather(
            *(
                code_of(world.passkeys.add_passkey(credential=device.create(each), identity=identity))
                for device, each in zip(devices, options, strict=True)
            )
        )

        assert len(await world.auth.storage.credentials(world.user_id, KIND)) <= 3
        assert "in" in outcomes


async def test_a_reset_and_a_removal_of_factors_void_a_setup() -> None:
    async with a_world() as world:
        pair = await login(world.auth)

        async def options() -> Any:
            return (await world.passkeys.passkey_options(identity=await world.identity(pair))).options

        before = world.device.create(await options())
        world.clock.move(1)
        await world.auth.users.delete_factors(world.user_id)

        adding = world.passkeys.add_passkey(credential=before, identity=await world.identity(pair))
        assert await code_of(adding) == "invalid_passkey"
        made, identity = world.device.create(await options()), await world.identity(pair)
        await world.auth.end_sessions(world.user_id)
        assert await code_of(world.passkeys.add_passkey(credential=made, identity=identity)) == "token_revoked"
        assert await world.auth.storage.credential(world.user_id, KIND) is None


async def test_an_administrator_removes_passkeys_with_the_other_factors() -> None:
    async with a_world() as world:
        await world.add()

        assert list(await world.auth.users.delete_factors(world.user_id)) == [KIND]

        assert await code_of(world.log_in()) == "invalid_passkey"


async def test_who_must_have_a_second_factor_logs_in_by_a_new_passkey() -> None:
    async with a_world(required=True) as world:
        with pytest.raises(SecondFactorSetupRequiredError) as refused:
            await login(world.auth)
        pending = refused.value.pending
        options = (await world.passkeys.passkey_options(pending=pending)).options

        made = world.device.create(options)
        added = await world.passkeys.add_passkey(credential=made, name="Key", pending=pending)

        assert (await world.identity(added.tokens)).amr == ("pwd", "hwk", "mfa")
        assert added.passkey.name == "Key"
        with pytest.raises(AuthError):
            await world.passkeys.passkey_options(pending=pending)
        listed = await world.auth[SecondFactors].second_factors(identity=await world.identity(added.tokens))
        assert listed.factors == ["passkey"]


async def test_where_a_passkey_is_no_second_factor_it_finishes_no_login() -> None:
    async with a_world(passkeys=lambda: Passkeys(second_factor=False), required=True) as world:
        with pytest.raises(SecondFactorSetupRequiredError) as refused:
            await login(world.auth)
        pending = refused.value.pending

        assert await code_of(world.passkeys.passkey_options(pending=pending)) == "pending_login_expired"


async def test_a_pending_login_of_one_kind_opens_no_endpoint_of_the_other() -> None:
    async with a_world() as world:
        await world.add()
        pending = await world.pending()

        assert await code_of(world.passkeys.passkey_options(pending=pending)) == "pending_login_expired"
        await world.auth.factors.remove_all(world.auth.storage, await _user(world))
        world.auth[SecondFactors].required = True
        with pytest.raises(SecondFactorSetupRequiredError) as refused:
            await login(world.auth)
        setup = refused.value.pending
        assert await code_of(world.passkeys.passkey_login_options(pending=setup)) == "pending_login_expired"


async def _user(world: World) -> Any:
    user = await world.auth.storage.user(world.user_id)
    assert user is not None
    return user
