"""Every sentence of `asgi_auth/storage/contract/audit.py`, for every driver."""

import asyncio
from typing import Any

import pytest

from asgi_auth.model.records import AuditRecord
from asgi_auth.storage import Storage
from asgi_auth.testing.records import NOW, added, at_once

PERSONAL: dict[str, Any] = {
    "address": "192.0.2.7",
    "user_agent": "ä\n\U0001f98a",
    "data": {"reason": "x", "list": [1, None]},
}


def a_record(number: int, user_id: str | None = None, **changes: Any) -> AuditRecord:
    """Return an event with a number, as an audit record."""
    values: dict[str, Any] = {"id": f"event-{number:03}", "name": "login", "outcome": "success", "code": "c"}
    return AuditRecord(**{**values, "at": NOW + number, "user_id": user_id, **PERSONAL, **changes})


async def test_records_come_back_as_they_were_added_the_newest_first_and_in_pages(storage: Storage) -> None:
    user, _ = await added(storage)
    other, _ = await added(storage, 2)
    records = [a_record(number, user.id, session="s", request_id="r") for number in range(5)]

    await storage.add_audit_records([*records, a_record(7, other.id), a_record(8)])

    assert await storage.audit_records(user.id, 9) == records[::-1]
    first = await storage.audit_records(user.id, 2)
    second = await storage.audit_records(user.id, 2, before=first[-1].id)
    assert [*first, *second] == records[:0:-1]
    assert await storage.audit_records(user.id, 2, before=records[0].id) == []
    assert await storage.audit_records("nobody", 9) == []
    assert [record.id for record in await storage.audit_records(None, 3)] == ["event-008", "event-007", "event-004"]
    assert await storage.audit_records(None, 1, before=records[-1].id) == [records[-2]]


async def test_adding_none_does_nothing(storage: Storage) -> None:
    await storage.add_audit_records([])


async def test_records_are_added_all_or_none_and_once(storage: Storage) -> None:
    user, _ = await added(storage)
    await storage.add_audit_records([a_record(1, user.id)])

    with pytest.raises(Exception):  # noqa: B017, PT011 (each driver has its own)
        await storage.add_audit_records([a_record(2, user.id), a_record(3, user.id, at=2**70)])
    await storage.add_audit_records([a_record(1, user.id), a_record(4, user.id)])

    assert [record.id for record in await storage.audit_records(user.id, 9)] == ["event-004", "event-001"]


async def test_the_oldest_are_pruned_in_batches(storage: Storage) -> None:
    user, _ = await added(storage)
    await storage.add_audit_records([a_record(number, user.id) for number in range(5)])

    assert await storage.prune_audit_records(NOW + 3, 2) == 2
    assert await storage.prune_audit_records(NOW + 3, 2) == 1
    assert await storage.prune_audit_records(NOW + 3, 2) == 0
    assert [record.at for record in await storage.audit_records(user.id, 9)] == [NOW + 4, NOW + 3]


async def test_of_a_deleted_user_the_records_stay_and_tell_of_no_person(storage: Storage) -> None:
    user, _ = await added(storage)
    await storage.add_audit_records([a_record(1, user.id)])

    await storage.delete_user(user.id, NOW)
    await storage.add_audit_records([a_record(2, user.id), a_record(3)])

    bare: dict[str, Any] = {"address": "", "user_agent": "", "data": {}}
    kept = await storage.audit_records(user.id, 9)
    assert kept == [a_record(2, user.id, **bare), a_record(1, user.id, **bare)]


async def test_a_deletion_meanwhile_overlooks_no_record(storage: Storage) -> None:
    user, _ = await added(storage)

    async def write(number: int) -> None:
        if number == 16:
            await storage.delete_user(user.id, NOW)
        await storage.add_audit_records([a_record(number, user.id)])

    await at_once(write)

    kept = await storage.audit_records(user.id, 99)
    assert len(kept) == 32
    assert {record.address + record.user_agent for record in kept} == {""}


async def test_what_is_stored_about_a_user_names_the_records(storage: Storage) -> None:
    user, _ = await added(storage)
    await storage.add_audit_records([a_record(1, user.id), a_record(2)])

    stored = await storage.stored(user.id)

    assert stored is not None
    (event,) = stored.events
    assert (event["name"], event["at"], event["address"]) == ("login", NOW + 1, "192.0.2.7")


async def test_a_device_is_the_first_then_known_and_another_is_new(storage: Storage) -> None:
    user, _ = await added(storage)
    other, _ = await added(storage, 2)

    async def see(digest: str, user_id: str = user.id) -> str:
        return await storage.see_device(user_id, digest, NOW, 9)

    assert [await see("a"), await see("a"), await see("b"), await see("b")] == ["first", "known", "new", "known"]
    assert await see("a", other.id) == "first"
    assert await see("a", "nobody") == "known"


async def test_of_too_many_devices_those_not_seen_for_longest_are_forgotten(storage: Storage) -> None:
    user, _ = await added(storage)
    for at, digest in enumerate(["a", "b", "c", "a", "d"]):
        await storage.see_device(user.id, digest, NOW + at, 3)

    assert await storage.see_device(user.id, "a", NOW + 9, 3) == "known"
    assert await storage.see_device(user.id, "d", NOW + 9, 3) == "known"
    assert await storage.see_device(user.id, "b", NOW + 9, 3) == "new"


async def test_of_many_concurrent_logins_one_finds_the_device_new(storage: Storage) -> None:
    user, _ = await added(storage)

    found = await at_once(lambda number: storage.see_device(user.id, f"device-{number % 4}", NOW, 9))

    assert sorted(found) == ["first", *["known"] * 28, *["new"] * 3]


async def test_devices_go_with_their_user(storage: Storage) -> None:
    user, _ = await added(storage)
    await storage.see_device(user.id, "a", NOW, 9)

    await asyncio.gather(storage.delete_user(user.id, NOW), storage.see_device(user.id, "b", NOW, 9))

    assert await storage.see_device(user.id, "a", NOW, 9) == "known"


async def test_counts_of_records_with_one_id_are_added(storage: Storage) -> None:
    user, _ = await added(storage)
    for _ in range(3):
        await storage.count_audit_records([a_record(1, user.id, count=4), a_record(2, count=1)])
    await at_once(lambda _: storage.count_audit_records([a_record(1, user.id), a_record(3, user.id)]), 8)

    found = {record.id: record.count for record in await storage.audit_records(user.id, 10)}
    assert sorted(found.values()) == [8, 20]


async def test_records_without_a_user_are_pruned_alone(storage: Storage) -> None:
    user, _ = await added(storage)
    await storage.add_audit_records([a_record(1, user.id), a_record(2), a_record(3), a_record(4)])

    assert await storage.prune_audit_records(NOW + 100, 2, without_user=True) == 2
    assert await storage.prune_audit_records(NOW + 100, 2, without_user=True) == 1
    assert len(await storage.audit_records(user.id, 10)) == 1
