"""Every sentence of the contract about pages of users, and users that are added together, for every driver."""

from typing import Any

import pytest

from asgi_auth.model.records import User
from asgi_auth.storage import Storage
from asgi_auth.testing.records import NOW, a_credential, a_user, added, at_once


async def all_pages(storage: Storage, limit: int = 2, **options: object) -> list[str]:
    """Return the ids of all users, page by page."""
    found, after = list[str](), None
    while page := await storage.users(after=after, limit=limit, **options):  # type: ignore[arg-type]  # options of tests
        assert len(page) <= limit
        found += [user.id for user in page]
        after = page[-1]
    return found


async def test_users_come_page_by_page_in_the_order_of_their_creation(storage: Storage) -> None:
    for number in (3, 1, 2, 5, 4):
        await added(storage, number, created_at=NOW + number // 2)

    assert await all_pages(storage) == [f"user-{number}" for number in (1, 2, 3, 4, 5)]
    assert await all_pages(storage, newest=True) == [f"user-{number}" for number in (5, 4, 3, 2, 1)]
    assert await storage.users(limit=0) == []
    assert await storage.users(limit=1) == [a_user(1, created_at=NOW)]


async def test_users_of_a_status_and_a_role(storage: Storage) -> None:
    await added(storage, 1, roles=("admin", "editor"))
    await added(storage, 2, status="disabled", roles=("admin",))
    await added(storage, 3, roles=("administrator",))
    await added(storage, 4, roles=('a"d%_!',))

    assert await all_pages(storage, role="admin") == ["user-1", "user-2"]
    assert await all_pages(storage, role="admin", status="active") == ["user-1"]
    assert await all_pages(storage, status="closed") == []
    assert await all_pages(storage, role='a"d%_!') == ["user-4"]
    for absent in ("%", "_", "adm", "ADMIN", "a\\", ""):
        assert await all_pages(storage, role=absent) == [], absent


@pytest.mark.parametrize(
    ("prefix", "found"),
    [
        ("a", ["a%b", "a_b", "ab"]),
        ("a%", ["a%b"]),
        ("a_", ["a_b"]),
        ("ab@", ["ab"]),
        ("z", ["z\u00e9"]),
        ("z\u00e9", ["z\u00e9"]),
        ("A", []),
        ("b", []),
        ("\U0010ffff", []),
    ],
)
async def test_users_by_the_beginning_of_their_addresses(storage: Storage, prefix: str, found: list[str]) -> None:
    for name in ("ab", "a_b", "z\u00e9", "a%b"):
        email = f"{name}@example.com"
        await storage.add_user(a_user(id=name, email=email, email_canonical=email, roles=("user",)))

    assert await all_pages(storage, prefix=prefix) == found
    assert await all_pages(storage, prefix=prefix, role="user", status="active") == found
    assert await all_pages(storage, prefix=prefix, role="admin") == []


async def test_users_are_added_together_each_whole_or_not_at_all(storage: Storage) -> None:
    await added(storage, 1)
    users = [a_user(number) for number in (1, 2, 3, 4)]
    taken = a_credential(users[2], id="another", identifier="user-1")
    given = [
        (users[0], [a_credential(users[0])]),
        (users[1], [a_credential(users[1]), a_credential(users[1], id="key", kind="passkey", identifier="k")]),
        (users[2], [a_credential(users[2]), taken]),
        (users[3], []),
        (a_user(5, id="user-2"), []),
    ]

    assert await storage.add_users(given) == [None, users[1], None, users[3], None]

    assert {each.kind for each in await storage.credentials("user-2")} == {"passkey", "password"}
    assert await storage.user("user-3") is None
    assert await storage.credentials("user-3") == []
    assert await storage.user_by_email("u5@example.com") is None


@pytest.mark.parametrize("taken", ["address", "id", "credential", "nothing"])
async def test_of_many_users_added_together_only_those_with_taken_values_are_left_out(
    storage: Storage, taken: str
) -> None:
    await added(storage, 3)
    users = [a_user(number) for number in range(100, 163)]
    changes: dict[str, dict[str, Any]] = {
        "address": {"email_canonical": "u3@example.com"},
        "id": {"id": "user-3"},
        "credential": {},
        "nothing": {},
    }
    users[20] = a_user(120, **changes[taken])
    given = [(user, [a_credential(user)]) for user in users]
    given.append((a_user(199, email_canonical="u101@example.com"), []))
    if taken == "credential":
        given[20][1].append(a_credential(users[20], id="another", identifier="user-3"))

    result = await storage.add_users(given)

    left_out = {63} if taken == "nothing" else {20, 63}
    assert result == [None if number in left_out else user for number, (user, _) in enumerate(given)]
    for number, (user, credentials) in enumerate(given[:63]):
        stored = await storage.user_by_email(user.email_canonical)
        if number in left_out:
            assert stored is None or stored.id == "user-3"
        else:
            assert (stored, await storage.credentials(user.id)) == (user, credentials)
    assert await storage.add_users(given) == [None] * 64


async def test_of_many_that_add_the_same_users_each_user_is_added_once(storage: Storage) -> None:
    users = [a_user(number) for number in range(5)]

    async def add(_: int) -> list[User | None]:
        return await storage.add_users([(user, [a_credential(user)]) for user in users])

    results = await at_once(add, 8)

    for number, user in enumerate(users):
        assert [each[number] for each in results if each[number] is not None] == [user]


async def test_users_are_counted_as_they_are_listed(storage: Storage) -> None:
    for number in range(5):
        await added(storage, number, status="disabled" if number == 4 else "active", roles=("r",) if number else ())

    assert await storage.count_users() == 5
    assert await storage.count_users(status="active", role="r") == 3
    assert await storage.count_users(prefix="u1@") == 1
    assert await storage.count_users(prefix="u", status="disabled") == 1
    assert await storage.count_users(prefix="%") == 0


async def test_of_many_that_lock_two_users_each_sees_what_the_last_one_did(storage: Storage) -> None:
    """In one order, whatever the order of the arguments: no two calls wait for each other."""
    await added(storage, 1)
    await added(storage, 2)

    async def add_one(number: int) -> None:
        ids = ["user-1", "user-2", "nobody"][:: 1 if number % 2 else -1]
        async with storage.transaction() as inside:
            users = await inside.lock_users(ids)
            assert users.keys() == {"user-1", "user-2"}
            count = users["user-1"].data.get("n", 0) + 1
            for user_id in users:
                await inside.update_user(user_id, {"data": {"n": count}}, NOW)

    await at_once(add_one, 16)

    assert [user.data for user in await storage.users(limit=9)] == [{"n": 16}, {"n": 16}]


async def test_bans_that_are_over(storage: Storage) -> None:
    bans = [{"until": NOW}, {"until": NOW + 1}, {"until": None}, None, {"until": 5}, {"until": NOW - 1}]
    for number, ban in enumerate(bans):
        await added(storage, number)
        status = "active" if number == 4 else "disabled"
        await storage.update_user(f"user-{number}", {"status": status, "data": {"_ban": ban}}, NOW + number)
    await storage.update_user("user-4", {"status": "disabled"}, NOW)
    await storage.update_user("user-4", {"status": "active"}, NOW)

    assert [user.id for user in await storage.users_to_unban(NOW, 10)] == ["user-0", "user-5"]
    assert [user.id for user in await storage.users_to_unban(NOW, 1)] == ["user-0"]
