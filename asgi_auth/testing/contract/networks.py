"""Every sentence of `asgi_auth/storage/contract/networks.py`, for every driver."""

import asyncio

from asgi_auth.storage import Storage
from asgi_auth.testing.records import NOW, added, at_once


async def test_a_network_is_found_until_it_expires(storage: Storage) -> None:
    user, _ = await added(storage)

    await storage.add_network(user.id, "a", NOW + 5, 9)

    assert [await storage.has_network("a", NOW + at) for at in (0, 4, 5, 6)] == [True, True, False, False]
    assert not await storage.has_network("b", NOW)


async def test_a_network_that_is_added_again_gets_the_new_time_and_user(storage: Storage) -> None:
    user, _ = await added(storage)
    other, _ = await added(storage, 2)
    await storage.add_network(user.id, "a", NOW + 5, 9)

    await storage.add_network(other.id, "a", NOW + 9, 9)
    await storage.delete_user(user.id, NOW)

    assert await storage.has_network("a", NOW + 8)


async def test_of_too_many_networks_those_that_expire_first_are_deleted(storage: Storage) -> None:
    user, _ = await added(storage)
    other, _ = await added(storage, 2)
    await storage.add_network(other.id, "x", NOW + 1, 3)
    for number, digest in enumerate("abcad", 1):
        await storage.add_network(user.id, digest, NOW + number, 3)

    assert [await storage.has_network(digest, NOW) for digest in "abcdx"] == [True, False, True, True, True]


async def test_many_networks_are_bounded_as_few_are(storage: Storage) -> None:
    user, _ = await added(storage)

    for number in range(15):
        await storage.add_network(user.id, f"network {number}", NOW + 5 + number, 12)

    found = [await storage.has_network(f"network {number}", NOW) for number in range(15)]
    assert found == [False] * 3 + [True] * 12


async def test_concurrent_logins_do_not_exceed_the_number(storage: Storage) -> None:
    user, _ = await added(storage)

    await at_once(lambda number: storage.add_network(user.id, f"network {number}", NOW + 5, 4))

    found = [await storage.has_network(f"network {number}", NOW) for number in range(32)]
    assert sum(found) == 4


async def test_networks_go_with_their_user_and_an_unknown_user_has_none(storage: Storage) -> None:
    user, _ = await added(storage)
    await storage.add_network(user.id, "a", NOW + 5, 9)

    await asyncio.gather(storage.delete_user(user.id, NOW), storage.add_network(user.id, "b", NOW + 5, 9))
    await storage.add_network(user.id, "c", NOW + 5, 9)

    assert [await storage.has_network(digest, NOW) for digest in "abc"] == [False] * 3


async def test_expired_networks_are_purged_in_batches(storage: Storage) -> None:
    user, _ = await added(storage)
    for number in range(4):
        await storage.add_network(user.id, f"network {number}", NOW + number, 9)

    assert [await storage.purge(NOW + 3, 2) for _ in range(3)] == [2, 1, 0]
    assert await storage.has_network("network 3", NOW)
