"""The use of a passkey: what is accepted, and what is not. All refusals are alike (WebAuthn Level 3, 7.2)."""

import copy
from collections.abc import Iterator
from typing import Any

import pytest

from asgi_auth import Passkeys
from asgi_auth.errors import AuthError
from asgi_auth.features.passkeys.credentials import KIND
from asgi_auth.testing.passkey import Algorithm, Passkey
from tests.passkeys.world import EMAIL, World, a_world, code_of
from tests.support import ORIGIN, CountingStorage, login, register

BASE64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"


@pytest.mark.parametrize("algorithm", [-8, -7, -257])
@pytest.mark.parametrize("synced", [True, False])
async def test_a_passkey_logs_in_and_is_two_factors(algorithm: Algorithm, *, synced: bool) -> None:
    async with a_world() as world:
        world.device = Passkey(origin=ORIGIN, algorithm=algorithm, synced=synced)
        await world.add()

        inside = await world.identity(await world.log_in())

        assert inside.id == world.user_id
        assert inside.amr == ("swk" if synced else "hwk", "mfa")


async def test_after_a_password_the_passkey_is_the_second_factor() -> None:
    async with a_world() as world:
        await world.add()
        world.device.verifies = False

        inside = await world.identity(await world.finish(await world.pending()))

        assert inside.amr == ("pwd", "hwk", "mfa")
        assert [event.data for event in world.named("factor_check")] == [{"kind": KIND}]


async def test_without_second_factor_a_password_is_enough() -> None:
    async with a_world(passkeys=lambda: Passkeys(second_factor=False)) as world:
        await world.add()

        assert (await world.identity()).amr == ("pwd",)
        assert (await world.identity(await world.log_in())).amr == ("hwk", "mfa")


async def test_a_passkey_alone_must_have_verified_its_user() -> None:
    async with a_world() as world:
        await world.add()
        world.device.verifies = False

        assert await code_of(world.log_in()) == "invalid_passkey"
        identity = await world.identity(await world.finish(await world.pending()))
        options = (await world.passkeys.reauthenticate_passkey_options(identity=identity)).options
        proving = world.passkeys.reauthenticate_by_passkey(credential=world.device.get(options), identity=identity)
        assert await code_of(proving) == "invalid_passkey"


async def test_a_passkey_proves_a_session_again() -> None:
    async with a_world() as world:
        added = await world.add()
        pair = await world.log_in()
        world.clock.move(700)
        identity = await world.identity(await world.auth.refresh(pair.refresh_token))
        with pytest.raises(AuthError) as refused:
            await world.passkeys.delete_passkey(id=added.passkey.id, identity=identity)
        assert (refused.value.code, refused.value.members()) == ("fresh_login_required", {"ways": ("passkey",)})
        options = (await world.passkeys.reauthenticate_passkey_options(identity=identity)).options

        proven = await world.passkeys.reauthenticate_by_passkey(credential=world.device.get(options), identity=identity)

        await world.passkeys.delete_passkey(id=added.passkey.id, identity=await world.identity(proven))


def flipped(sent: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """What was sent, with one character of one field changed, for each field and both ends of it."""
    for path in (("id",), ("rawId",), ("type",), *(("response", name) for name in sent["response"])):
        changed = copy.deepcopy(sent)
        place = changed if len(path) == 1 else changed["response"]
        value = place[path[-1]]
        for at in (0, len(value) // 2, len(value) - 1) if isinstance(value, str) else ():
            other = BASE64[(BASE64.index(value[at]) ^ 1) % 64]
            place[path[-1]] = value[:at] + other + value[at + 1 :]
            yield f"{path[-1]} at {at}", copy.deepcopy(changed)


async def test_each_changed_field_of_a_use_is_refused() -> None:
    async with a_world() as world:
        await world.add()
        sent = world.device.get(await world.options())

        outcomes = {name: await code_of(world.passkeys.passkey_login(credential=each)) for name, each in flipped(sent)}

        assert len(outcomes) == 21
        assert set(outcomes.values()) == {"invalid_passkey"}, outcomes
        assert await code_of(world.passkeys.passkey_login(credential=sent)) == "in"


async def test_each_changed_field_of_a_new_passkey_is_refused() -> None:
    async with a_world() as world:
        identity = await world.identity()
        sent = world.device.create((await world.passkeys.passkey_options(identity=identity)).options)

        async def outcome(credential: dict[str, Any]) -> str:
            return await code_of(world.passkeys.add_passkey(credential=credential, identity=identity))

        # A change of the public key itself makes another passkey: nothing signs a new one (attestation "none").
        outcomes = {name: await outcome(each) for name, each in flipped(sent)}

        assert len(outcomes) == 15
        assert set(outcomes.values()) == {"invalid_passkey"}, outcomes
        assert await outcome(sent) == "in"


@pytest.mark.parametrize(
    "origin",
    [
        "https://app.example.com:8443",
        "http://app.example.com",
        "https://www.app.example.com",
        "https://example.com",
        "https://evil.example",
        "null",
        "",
    ],
)
async def test_only_the_exact_origin_is_accepted(origin: str) -> None:
    async with a_world() as world:
        await world.add()
        world.device.origin = origin

        assert await code_of(world.log_in()) == "invalid_passkey"
        other = Passkey(origin=origin)
        assert await code_of(world.add(await world.identity(await there(world)), other)) == "invalid_passkey"


async def there(world: World) -> Any:
    """Log in from the right page."""
    origin, world.device.origin = world.device.origin, ORIGIN
    pair = await world.log_in()
    world.device.origin = origin
    return pair


async def test_trusted_origins_below_the_domain_are_accepted() -> None:
    trusted = ["https://www.example.com", "https://example.org"]
    async with a_world(passkeys=lambda: Passkeys(rp_id="example.com"), trusted_origins=trusted) as world:
        await world.add()

        for origin, outcome in (("https://www.example.com", "in"), ("https://example.org", "invalid_passkey")):
            world.device.origin = origin
            assert await code_of(world.log_in()) == outcome


@pytest.mark.parametrize("members", [{"crossOrigin": True}, {"topOrigin": ORIGIN}, {"crossOrigin": "false"}])
async def test_a_page_in_a_frame_of_another_site_is_refused(members: dict[str, Any]) -> None:
    async with a_world() as world:
        added = await world.add()
        identity = await world.identity(added.tokens)
        options = (await world.passkeys.passkey_options(identity=identity)).options
        made = Passkey(origin=ORIGIN).create(options, **members)
        sent = world.device.get(await world.options(), **members)

        assert await code_of(world.passkeys.add_passkey(credential=made, identity=identity)) == "invalid_passkey"
        assert await code_of(world.passkeys.passkey_login(credential=sent)) == "invalid_passkey"


async def test_a_counter_that_does_not_go_up_tells_of_a_copy() -> None:
    async with a_world() as world:
        await world.add()
        await world.log_in()
        await world.log_in()
        key = world.device.keys[0]
        before = await world.auth.storage.credential(world.user_id, KIND)

        for count in (0, 1, 2):
            key.count = count - 1
            assert await code_of(world.log_in()) == "invalid_passkey"

        assert before is not None
        assert before.data["count"] == 2
        assert await world.auth.storage.credential(world.user_id, KIND) == before
        assert [event.data for event in world.named("passkey_clone")] == [{"credential": before.id}] * 3
        assert await code_of(world.log_in()) == "in"


async def test_the_counter_of_a_synced_passkey_says_nothing() -> None:
    async with a_world() as world:
        world.device.synced = True
        await world.add()

        for count in (7, 0, 3):
            world.device.keys[0].count = count
            assert await code_of(world.log_in()) == "in"
        assert not world.named("passkey_clone")


async def test_a_passkey_becomes_one_that_is_synced_and_never_the_reverse() -> None:
    async with a_world() as world:
        added = await world.add()
        assert not added.passkey.synced

        world.device.synced = True
        assert await code_of(world.log_in()) == "in"
        (shown,) = (await world.passkeys.passkeys(identity=await world.identity(added.tokens))).passkeys
        assert shown.synced
        world.device.synced = False
        assert await code_of(world.log_in()) == "invalid_passkey"


async def test_the_passkey_of_another_user_finishes_no_login() -> None:
    async with a_world() as world:
        await world.add()
        other = await register(world.auth, "bob@example.com")
        await world.auth.users.set_verified(other)
        theirs = Passkey(origin=ORIGIN)
        await world.add(await world.identity(await login(world.auth, "bob@example.com")), theirs)
        pending = await world.pending()
        options = await world.options(pending)

        shown = theirs.get({**options, "allowCredentials": []})

        assert await code_of(world.passkeys.passkey_login(credential=shown, pending=pending)) == "invalid_passkey"
        assert await code_of(world.finish(pending)) == "in"


async def test_a_passkey_without_a_user_handle_of_another_user_finishes_no_login() -> None:
    async with a_world() as world:
        await world.add()
        await world.auth.users.set_verified(await register(world.auth, "bob@example.com"))
        theirs = Passkey(origin=ORIGIN)
        await world.add(await world.identity(await login(world.auth, "bob@example.com")), theirs)
        pending = await world.pending()
        shown = theirs.get({**await world.options(pending), "allowCredentials": []})
        del shown["response"]["userHandle"]

        assert await code_of(world.passkeys.passkey_login(credential=shown, pending=pending)) == "invalid_passkey"


async def test_the_user_handle_names_the_user() -> None:
    async with a_world() as world:
        await world.add()
        sent = world.device.get(await world.options())
        other = world.device.get(await world.options())
        del sent["response"]["userHandle"]
        other["response"]["userHandle"] = "AAAA"

        assert await code_of(world.passkeys.passkey_login(credential=sent)) == "invalid_passkey"
        assert await code_of(world.passkeys.passkey_login(credential=other)) == "invalid_passkey"
        # A security key may leave it out where the options name the passkey.
        pending = await world.pending()
        second = world.device.get(await world.options(pending))
        del second["response"]["userHandle"]
        assert await code_of(world.passkeys.passkey_login(credential=second, pending=pending)) == "in"


async def test_a_closed_or_disabled_account_gets_no_session() -> None:
    async with a_world() as world:
        await world.add()
        await world.auth.users.set_status(world.user_id, "disabled")

        assert await code_of(world.log_in()) == "account_disabled"


async def test_a_passkey_that_is_deleted_meanwhile_logs_no_one_in() -> None:
    storage = CountingStorage()
    async with a_world(storage) as world:  # type: ignore[arg-type]  # a storage, as `Auth` takes it
        await world.add()
        sent = world.device.get(await world.options())

        async def delete(statement: str) -> None:
            if "INSERT INTO {sessions}" in statement:
                storage.before = None
                await storage.delete_credentials(world.user_id, (KIND,))

        storage.before = delete
        assert await code_of(world.passkeys.passkey_login(credential=sent)) == "invalid_passkey"


async def test_refusals_tell_nothing_apart() -> None:
    async with a_world() as world:
        await world.add()
        stranger = Passkey(origin=ORIGIN)
        identity = await world.identity(await world.log_in())
        stranger.create((await world.passkeys.passkey_options(identity=identity)).options)
        known, unknown = world.device.get(await world.options()), stranger.get(await world.options())
        known["response"]["signature"] = "AAAA"

        found = []
        for sent in (known, unknown):
            with pytest.raises(AuthError) as refused:
                await world.passkeys.passkey_login(credential=sent)
            found.append((refused.value.code, refused.value.detail, refused.value.members(), refused.value.headers))

        assert found[0] == found[1]
        assert EMAIL not in repr(found)
