"""Every sentence of `asgi_auth/storage/base.py`, for every driver: opening, transactions and users.

Sessions stand in `sessions.py`, races in `races.py`.
"""

import asyncio
import gc
import time

import pytest

from asgi_auth.errors import UserExistsError
from asgi_auth.storage import Storage
from asgi_auth.testing.records import MIGRATIONS, NOW, a_credential, a_user, added


async def test_opening_again_does_nothing(storage: Storage) -> None:
    await storage.open()

    assert await storage.user("nobody") is None


async def test_a_closed_storage_can_be_opened_again(storage: Storage) -> None:
    await storage.close()

    await storage.open()

    assert await storage.migrate(NOW) in ([], MIGRATIONS)
    assert await storage.add_user(a_user())


async def test_closing_twice_does_nothing(storage: Storage) -> None:
    await storage.close()

    await storage.close()


async def test_migrating_again_runs_nothing(storage: Storage) -> None:
    assert await storage.migrate(NOW) == []


async def test_a_transaction_is_committed_together(storage: Storage) -> None:
    async with storage.transaction() as inside:
        await inside.add_user(a_user(1))
        await inside.add_user(a_user(2))

    assert await storage.user("user-1") == a_user(1)
    assert await storage.user("user-2") == a_user(2)


async def test_a_transaction_whose_block_raises_leaves_nothing_and_the_error_as_it_is(storage: Storage) -> None:
    async def fail(error: BaseException) -> None:
        async with storage.transaction() as inside:
            await inside.add_user(a_user())
            raise error

    for error in (KeyError("mine"), TimeoutError("mine"), ConnectionResetError("mine")):
        with pytest.raises(type(error)) as caught:
            await fail(error)

        assert caught.value is error
        assert await storage.user("user-1") is None


async def test_a_transaction_inside_another_is_the_same_one(storage: Storage) -> None:
    async def nested() -> None:
        async with storage.transaction() as outer:
            async with outer.transaction() as inner:
                await inner.add_user(a_user())
            raise KeyError

    with pytest.raises(KeyError):
        await nested()

    assert await storage.user("user-1") is None


async def test_a_transaction_goes_on_after_a_taken_address(storage: Storage) -> None:
    await added(storage, 1)
    await added(storage, 2)

    async with storage.transaction() as inside:
        with pytest.raises(UserExistsError):
            await inside.update_user("user-2", {"email_canonical": "u1@example.com"}, NOW)
        await inside.update_user("user-2", {"data": {"went": "on"}}, NOW)

    changed = await storage.user("user-2")
    assert changed is not None
    assert (changed.email_canonical, changed.data) == ("u2@example.com", {"went": "on"})


async def test_waiting_for_a_change_ends_with_its_time(storage: Storage) -> None:
    await storage.wait_for_change(0.3)
    started = time.monotonic()

    await storage.wait_for_change(0.3)

    assert time.monotonic() - started < 1


async def test_a_user_comes_back_as_it_was_added(storage: Storage) -> None:
    user = a_user(roles=("admin", "räksmörgås"), data={"a": [1, None, {"b": "'\"\\"}]}, email_verified=True)

    assert await storage.add_user(user, a_credential(user, data={"x": 1}))

    assert await storage.user(user.id) == user
    assert await storage.user_by_email("u1@example.com") == user
    assert await storage.credential(user.id, "password") == a_credential(user, data={"x": 1})


async def test_a_taken_address_adds_neither_user_nor_credential(storage: Storage) -> None:
    await added(storage)
    other = a_user(id="other")

    assert not await storage.add_user(other, a_credential(other))

    assert await storage.user("other") is None
    assert await storage.credential("other", "password") is None


async def test_unknown_users_and_credentials_are_none(storage: Storage) -> None:
    assert await storage.user("nobody") is None
    assert await storage.user_by_email("nobody@example.com") is None
    assert await storage.credential("nobody", "password") is None
    assert await storage.update_user("nobody", {"status": "disabled"}, NOW) is None


async def test_an_address_is_found_only_as_it_is_written(storage: Storage) -> None:
    await added(storage)

    assert await storage.user_by_email("U1@example.com") is None
    assert await storage.user_by_email("u1@example.com ") is None
    assert await storage.user_by_email("%") is None


async def test_an_update_changes_the_named_fields_and_returns_the_whole(storage: Storage) -> None:
    await added(storage)

    updated = await storage.update_user("user-1", {"email_verified": True, "data": {"n": 1}}, NOW + 5)

    assert updated == a_user(email_verified=True, data={"n": 1}, updated_at=NOW + 5)
    assert await storage.user("user-1") == updated


async def test_an_update_to_a_taken_address_is_refused_and_changes_nothing(storage: Storage) -> None:
    await added(storage, 1)
    await added(storage, 2)

    with pytest.raises(UserExistsError):
        await storage.update_user("user-2", {"email_canonical": "u1@example.com", "status": "closed"}, NOW)

    assert await storage.user("user-2") == a_user(2)


async def test_changes_of_status_and_roles_are_reported_and_others_are_not(storage: Storage) -> None:
    for number in (1, 2, 3):
        await added(storage, number)
    await storage.update_user("user-1", {"status": "disabled"}, NOW + 1)
    await storage.update_user("user-2", {"roles": ("admin",)}, NOW + 2)
    await storage.update_user("user-3", {"data": {"n": 1}, "email_verified": True}, NOW + 3)

    changes = await storage.changes_since(NOW + 1)

    assert sorted(changes.users) == [("user-1", (), NOW + 1), ("user-2", ("admin",), NOW + 2)]
    assert (await storage.changes_since(NOW + 3)).users == []


async def test_text_that_looks_like_sql_is_only_text(storage: Storage) -> None:
    nasty = "'; DROP TABLE auth_users; -- :id $1 %s {id} \\"
    user = a_user(id=nasty, email=nasty, email_canonical=nasty)

    assert await storage.add_user(user, a_credential(user))

    assert await storage.user(nasty) == user
    assert await storage.user_by_email(nasty) == user


@pytest.mark.parametrize("steps", [1, 2, 4, 8, 16])
async def test_a_cancelled_opening_leaves_nothing_open(storage: Storage, steps: int) -> None:
    await storage.close()
    task = asyncio.create_task(storage.open())
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    gc.collect()  # What was left open would be told of here, by Python 3.13.

    await storage.open()

    assert await storage.migrate(NOW) in ([], MIGRATIONS)


@pytest.mark.parametrize("steps", [1, 2, 4, 8, 16])
async def test_a_cancelled_call_leaves_the_storage_usable(storage: Storage, steps: int) -> None:
    task = asyncio.create_task(storage.add_user(a_user()))
    for _ in range(steps):
        await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])
    gc.collect()  # What was left open would be told of here, by Python 3.13.

    assert await storage.add_user(a_user(2))


async def test_a_ping_reads_and_changes_nothing(storage: Storage) -> None:
    await storage.ping()

    assert await storage.missing_migrations() == []
