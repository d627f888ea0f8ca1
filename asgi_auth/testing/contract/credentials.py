"""Every sentence of the contract about credentials, for every driver."""

from asgi_auth.model.records import Credential
from asgi_auth.storage import Storage
from asgi_auth.testing.records import NOW, a_credential, a_session, a_user, added, at_once


async def two_passkeys(storage: Storage) -> tuple[Credential, Credential]:
    """Add a user with a password and two passkeys; return these."""
    user, _ = await added(storage)
    keys = [a_credential(user, id=f"key-{n}", kind="passkey", identifier=f"k{n}", created_at=NOW + n) for n in (1, 2)]
    for key in keys:
        assert await storage.add_credential(key)
    return keys[0], keys[1]


async def test_a_user_comes_with_the_newest_credential_of_a_kind(storage: Storage) -> None:
    user = a_user(roles=("admin",), data={"a": 1})
    old, new = a_credential(user), a_credential(user, id="new", identifier="new", data={"b": 2}, created_at=NOW + 1)
    other = a_credential(user, id="other", kind="passkey", identifier="other", created_at=NOW + 2)
    await storage.add_user(user, old)
    await added(storage, 2)

    assert await storage.user_with_credential("u1@example.com", "password") == (user, old)
    assert await storage.user_with_credential("u1@example.com", "passkey") == (user, None)

    assert await storage.add_credential(new)
    assert await storage.add_credential(other)

    assert await storage.user_with_credential("u1@example.com", "password") == (user, new)
    assert await storage.user_with_credential("u1@example.com", "passkey") == (user, other)
    assert await storage.user_with_credential("U1@example.com", "password") is None
    assert await storage.user_with_credential("", "password") is None


async def test_of_several_credentials_of_a_kind_the_newest_is_found(storage: Storage) -> None:
    user, _ = await added(storage)
    newest = a_credential(user, id="newest", identifier="another", created_at=NOW + 1)
    clash = a_user(2)
    await storage.add_user(clash, newest)

    assert await storage.credential(user.id, "password") == newest
    assert await storage.credential(user.id, "passkey") is None


async def test_a_credential_is_changed_once_for_each_version(storage: Storage) -> None:
    _, credential = await added(storage)

    changed = await storage.change_credential(credential, secret="second", now=NOW + 1)

    assert changed is not None
    assert (changed.secret, changed.data, changed.version, changed.updated_at) == ("second", {}, 2, NOW + 1)
    assert await storage.credential("user-1", "password") == changed
    assert await storage.change_credential(credential, secret="third", now=NOW + 2) is None
    with_data = await storage.change_credential(changed, data={"step": 7}, now=NOW + 2)
    assert with_data is not None
    assert (with_data.secret, with_data.data, with_data.version) == ("second", {"step": 7}, 3)
    assert await storage.change_credential(changed, data={"step": 8}, now=NOW + 2) is None
    emptied = await storage.change_credential(with_data, secret="", data={}, now=NOW + 3)
    assert emptied is not None
    assert (emptied.secret, emptied.data) == ("", {})


async def test_the_credentials_of_a_user_come_oldest_first(storage: Storage) -> None:
    first, second = await two_passkeys(storage)
    other, _ = await added(storage, 2)

    assert await storage.credentials("user-1", "passkey") == [first, second]
    assert [each.kind for each in await storage.credentials("user-1")] == ["password", "passkey", "passkey"]
    assert [each.user_id for each in await storage.credentials(other.id)] == [other.id]
    assert await storage.credentials("nobody") == await storage.credentials("user-1", "totp") == []


async def test_a_credential_is_found_with_its_user(storage: Storage) -> None:
    first, _ = await two_passkeys(storage)

    assert await storage.find_credential("passkey", "k1") == (a_user(), first)
    assert await storage.find_credential("password", "k1") is None
    assert await storage.find_credential("passkey", "K1") is None


async def test_the_time_of_a_use_is_set_once_in_a_while_and_the_version_stays(storage: Storage) -> None:
    first, second = await two_passkeys(storage)

    async def used_at() -> list[int | None]:
        return [each.used_at for each in await storage.credentials("user-1", "passkey")]

    assert await used_at() == [None, None]
    await storage.use_credential(first.id, NOW, 60)
    await storage.use_credential(first.id, NOW + 59, 60)
    assert await used_at() == [NOW, None]
    await storage.use_credential(first.id, NOW + 60, 60)
    await storage.use_credential("unknown", NOW, 60)

    assert await used_at() == [NOW + 60, None]
    assert await storage.change_credential(first, data={"name": "mine"}, now=NOW + 61) is not None
    assert (await storage.credentials("user-1", "passkey"))[1] == second


async def test_a_user_deletes_credentials_of_their_own(storage: Storage) -> None:
    first, second = await two_passkeys(storage)
    other, _ = await added(storage, 2)

    assert await storage.delete_credential(other.id, first.id) is None
    assert await storage.delete_credential("user-1", first.id) == first
    assert await storage.delete_credential("user-1", first.id) is None
    assert await storage.credentials("user-1", "passkey") == [second]


async def test_credentials_of_some_kinds_are_deleted_together(storage: Storage) -> None:
    keys = await two_passkeys(storage)
    await added(storage, 2)

    assert await storage.delete_credentials("user-1", ["totp"]) == []
    deleted = await storage.delete_credentials("user-1", {"passkey", "totp"})

    assert sorted(deleted, key=lambda each: each.id) == list(keys)
    assert [each.kind for each in await storage.credentials("user-1")] == ["password"]
    assert len(await storage.credentials("user-2")) == 1


async def test_all_credentials_of_a_kind_come_page_by_page(storage: Storage) -> None:
    for number in range(5):
        await added(storage, number)
    found, after = list[Credential](), ""

    while page := await storage.all_credentials("password", after, 2):
        assert len(page) <= 2
        found += page
        after = page[-1].id

    assert [each.id for each in found] == [f"password of user-{number}" for number in range(5)]
    assert await storage.all_credentials("passkey", "", 9) == []


async def test_of_many_concurrent_changes_of_a_credential_exactly_one_is_made(storage: Storage) -> None:
    _, credential = await added(storage)

    async def change(number: int) -> Credential | None:
        return await storage.change_credential(credential, data={"step": number}, now=NOW)

    won = [changed for changed in await at_once(change) if changed is not None]

    assert len(won) == 1
    assert await storage.credential("user-1", "password") == won[0]


async def test_of_many_concurrent_deletions_exactly_one_returns_the_credential(storage: Storage) -> None:
    first, _ = await two_passkeys(storage)

    async def delete(_: int) -> Credential | None:
        return await storage.delete_credential("user-1", first.id)

    assert [deleted for deleted in await at_once(delete) if deleted is not None] == [first]


async def test_a_deleted_credential_adds_no_session(storage: Storage) -> None:
    first, _ = await two_passkeys(storage)
    await storage.delete_credential("user-1", first.id)

    assert await storage.add_session(a_session(a_user()), first, 9) is None
