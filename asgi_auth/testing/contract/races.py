"""What must be atomic, tried with many concurrent callers, for every driver."""

import asyncio
from typing import Any

from asgi_auth.errors import UserExistsError
from asgi_auth.model.records import Credential
from asgi_auth.storage import Storage
from asgi_auth.testing.records import CALLERS, NOW, a_credential, a_session, a_user, added, at_once


async def test_of_many_concurrent_rotations_exactly_one_wins(storage: Storage) -> None:
    user, credential = await added(storage)
    await storage.add_session(a_session(user), credential, 5)

    for generation in range(3):

        async def rotate(_: int, generation: int = generation) -> bool:
            return await storage.rotate_session("session-1", generation, now=NOW, idle_since=0) is not None

        assert sum(await at_once(rotate)) == 1

    session = await storage.session("session-1")
    assert session is not None
    assert session.generation == 3


async def test_of_many_concurrent_tokens_ahead_of_their_session_exactly_one_raises_it(storage: Storage) -> None:
    user, credential = await added(storage)
    await storage.add_session(a_session(user), credential, 5)

    async def follow(number: int) -> bool:
        ahead = number % 2 == 0
        return await storage.rotate_session("session-1", 7, now=NOW, idle_since=0, ahead=ahead) is not None

    assert sum(await at_once(follow)) == 1

    session = await storage.session("session-1")
    assert session is not None
    assert session.generation == 8


async def test_of_many_concurrent_users_with_one_address_exactly_one_is_added(storage: Storage) -> None:
    async def add(number: int) -> bool:
        user = a_user(number, email_canonical="same@example.com")
        return await storage.add_user(user, a_credential(user)) is not None

    wins = await at_once(add)

    assert sum(wins) == 1
    winner = await storage.user_by_email("same@example.com")
    assert winner is not None
    assert winner.id == f"user-{wins.index(True)}"
    found = [await storage.credential(f"user-{number}", "password") for number in range(CALLERS)]
    assert len([credential for credential in found if credential]) == 1


async def test_of_many_concurrent_secrets_exactly_one_is_set(storage: Storage) -> None:
    _, credential = await added(storage)

    async def replace(number: int) -> Credential | None:
        return await storage.change_credential(credential, secret=f"secret {number}", now=NOW)

    won = [replaced for replaced in await at_once(replace) if replaced is not None]

    assert len(won) == 1
    assert await storage.credential("user-1", "password") == won[0]


async def test_of_many_concurrent_changes_to_one_address_exactly_one_wins(storage: Storage) -> None:
    for number in range(8):
        await added(storage, number)

    async def change(number: int) -> bool:
        try:
            await storage.update_user(f"user-{number}", {"email_canonical": "same@example.com"}, NOW)
        except UserExistsError:
            return False
        return True

    assert sum(await at_once(change, 8)) == 1


async def test_concurrent_changes_of_different_fields_are_all_kept(storage: Storage) -> None:
    await added(storage)
    changes: list[dict[str, Any]] = [
        {"data": {"n": 1}},
        {"roles": ("admin",)},
        {"email_verified": True},
        {"email": "U1@Example.com"},
    ]

    await at_once(lambda number: storage.update_user("user-1", changes[number % 4], NOW))

    expected = a_user(data={"n": 1}, roles=("admin",), email_verified=True, email="U1@Example.com")
    assert await storage.user("user-1") == expected


async def test_never_are_more_sessions_alive_than_the_limit(storage: Storage) -> None:
    user, password = await added(storage)
    passkey = a_credential(user, id="passkey", kind="passkey")
    await storage.add_user(a_user(2), passkey)
    most = 0

    async def log_in(number: int) -> None:
        nonlocal most
        session = a_session(user, number, created_at=NOW + number)
        await storage.add_session(session, (password, passkey)[number % 2], 3)
        most = max(most, len(await storage.sessions(user.id, NOW, 0)))

    await at_once(log_in)

    assert most <= 3
    assert len(await storage.sessions(user.id, NOW, 0)) == 3


async def test_no_session_of_an_old_secret_outlives_its_replacement(storage: Storage) -> None:
    user, credential = await added(storage)

    async def change_secret() -> None:
        async with storage.transaction() as inside:
            assert await inside.change_credential(credential, secret="second", now=NOW)
            await inside.end_sessions(user.id, NOW)

    async def race(number: int) -> None:
        if number == CALLERS // 2:
            await change_secret()
        else:
            await storage.add_session(a_session(user, number), credential, CALLERS)

    await at_once(race)

    assert await storage.sessions(user.id, NOW, 0) == []
    assert await storage.add_session(a_session(user, 99), credential, CALLERS) is None


async def test_no_session_of_a_disabled_user_stays_alive(storage: Storage) -> None:
    user, credential = await added(storage)

    async def disable() -> None:
        async with storage.transaction() as inside:
            await inside.update_user(user.id, {"status": "disabled"}, NOW)
            await inside.end_sessions(user.id, NOW)

    async def race(number: int) -> None:
        if number == CALLERS // 2:
            await disable()
        else:
            await storage.add_session(a_session(user, number), credential, CALLERS)

    await at_once(race)

    assert await storage.sessions(user.id, NOW, 0) == []


async def test_a_rotation_and_the_end_of_its_session_do_not_both_win(storage: Storage) -> None:
    user, credential = await added(storage)
    for number in range(8):
        await storage.add_session(a_session(user, number), credential, 99)

    async def rotate(number: int) -> None:
        await storage.rotate_session(f"session-{number % 8}", 0, now=NOW, idle_since=0)

    await asyncio.gather(at_once(rotate), storage.end_sessions(user.id, NOW))

    assert await storage.sessions(user.id, NOW, 0) == []


async def test_transactions_that_read_and_then_write_lose_nothing(storage: Storage) -> None:
    await added(storage, data={"n": 0})

    async def count(_: int) -> None:
        async with storage.transaction() as inside:
            user = await inside.update_user("user-1", {}, NOW)
            assert user is not None
            await inside.update_user("user-1", {"data": {"n": user.data["n"] + 1}}, NOW)

    await at_once(count)

    user = await storage.user("user-1")
    assert user is not None
    assert user.data == {"n": CALLERS}
