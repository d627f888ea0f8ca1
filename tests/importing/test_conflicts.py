"""Users that are there already: skipped, updated only as asked, or the end of the import."""

from typing import Any

import pytest

from asgi_auth import Auth, Field
from asgi_auth.errors import AccountDisabledError, InvalidCredentialsError, TokenRevokedError
from asgi_auth.importing import ImportStoppedError, Refusal, import_users
from asgi_auth.model.records import Event, User
from tests.importing.users import HASHED, OTHER_UUID, UUID, exported, importing, users_of
from tests.support import PASSWORD, Clock, login, register

NEW = "another password of hers"


def having(**changes: Any) -> dict[str, Any]:
    """A record of another system about the user that is there."""
    record = {
        "id": UUID,
        "email": "ada@example.com",
        "email_verified": False,
        "status": "disabled",
        "roles": ["admin"],
        "data": {"name": "Ada", "city": "London"},
        "password_hash": HASHED,
    }
    return record | changes


async def there(auth: Auth) -> User:
    """A verified user with a password, and a role."""
    given = {"id": UUID, "email": "ada@example.com", "email_verified": True, "roles": ["editor"], "password": NEW}
    await import_users(auth, [given | {"data": {"name": "Old", "age": "9"}}])
    [user] = await users_of(auth)
    return user


def with_fields() -> Auth:
    return importing(fields=[Field("name"), Field("city"), Field("age")])


async def test_by_default_a_user_who_is_there_is_left_alone() -> None:
    async with with_fields() as auth:
        before = await there(auth)

        for record in (having(), having(id=None), having(id=OTHER_UUID), having(email="new@example.com")):
            report = await import_users(auth, [record])
            assert (report.skipped, report.read) == (1, 1)

        assert await users_of(auth) == [before]
        await login(auth, password=NEW)


async def test_an_update_sets_extra_fields_and_nothing_else() -> None:
    async with with_fields() as auth:
        await there(auth)
        pair = await login(auth, password=NEW)

        report = await import_users(auth, [having()], on_conflict="update")

        assert (report.updated, report.made) == (1, 0)
        [user] = await users_of(auth)
        assert user.data == {"name": "Ada", "city": "London", "age": "9"}
        assert (user.roles, user.status, user.email_verified) == (("editor",), "active", True)
        await login(auth, password=NEW)
        await auth.authenticate(pair.access_token)


async def test_with_roles_an_update_sets_roles_and_status_and_ends_the_sessions() -> None:
    events: list[Event] = []
    async with with_fields() as auth:
        before = await there(auth)
        pair = await login(auth, password=NEW)
        auth.on("*")(events.append)

        await import_users(auth, [having()], on_conflict="update", with_roles=True)

        [user] = await users_of(auth)
        assert (user.roles, user.status, user.email_verified) == (("admin",), "disabled", True)
        with pytest.raises(TokenRevokedError):
            await auth.authenticate(pair.access_token)
        assert [(event.name, event.user_id) for event in events][:2] == [
            ("session_end", before.id),
            ("role_change", before.id),
        ]
        [event] = [event for event in events if event.name == "role_change"]
        assert event.data == {"fields": ["data", "roles", "status"]}


async def test_with_credentials_an_update_sets_the_password_and_ends_the_sessions() -> None:
    async with with_fields() as auth:
        await there(auth)
        pair = await login(auth, password=NEW)

        await import_users(auth, [having()], on_conflict="update", with_credentials=True)

        [user] = await users_of(auth)
        assert (user.roles, user.status, user.email_verified) == (("editor",), "active", False)
        with pytest.raises(TokenRevokedError):
            await auth.authenticate(pair.access_token)
        with pytest.raises(InvalidCredentialsError):
            await login(auth, password=NEW)
        await login(auth, password=PASSWORD)


async def test_an_update_that_changes_nothing_ends_no_session_and_is_no_event() -> None:
    events: list[Event] = []
    async with with_fields() as auth:
        await there(auth)
        record = having(email_verified=True, status="active", roles=["editor"], data={}, password_hash=None)
        pair = await login(auth, password=NEW)
        auth.on("*")(events.append)

        await import_users(auth, [record], on_conflict="update", with_roles=True, with_credentials=True)

        await auth.authenticate(pair.access_token)
        assert [event.name for event in events] == ["users_import"]


async def test_an_address_of_another_record_verifies_no_one_and_takes_no_one_over() -> None:
    """A stranger registered the address first; the import must not make the account hers and the owner's."""
    async with with_fields() as auth:
        await register(auth, password=NEW)

        report = await import_users(auth, [having(id=None, email_verified=True)], on_conflict="update")

        assert report.updated == 1
        [user] = await users_of(auth)
        assert not user.email_verified
        with pytest.raises(InvalidCredentialsError):
            await login(auth, password=PASSWORD)


@pytest.mark.parametrize("changes", [{"id": OTHER_UUID}, {"email": "new@example.com"}, {"email": "bob@example.com"}])
async def test_an_update_needs_an_id_and_an_address_of_one_user(changes: dict[str, Any]) -> None:
    async with with_fields() as auth:
        before = await there(auth)
        await import_users(auth, [{"email": "bob@example.com"}])

        options: dict[str, Any] = {"on_conflict": "update", "with_roles": True, "with_credentials": True}
        report = await import_users(auth, [having(**changes)], **options)

        assert report.refusals == [Refusal(1, "the id and the address do not belong to one user")]
        assert before in await users_of(auth)


async def test_an_update_without_an_id_goes_by_the_address() -> None:
    async with with_fields() as auth:
        await there(auth)

        report = await import_users(auth, [having(id=None)], on_conflict="update", with_roles=True)

        assert report.updated == 1
        assert (await users_of(auth))[0].roles == ("admin",)


async def test_fail_stops_at_the_first_conflict_and_stores_nothing_of_its_batch() -> None:
    async with with_fields() as auth:
        await there(auth)
        records = [{"email": f"user{number}@example.com"} for number in range(600)]

        with pytest.raises(ImportStoppedError, match="line 602") as caught:
            await import_users(auth, [*records, {"email": "last@example.com"}, having()], on_conflict="fail")

        assert (caught.value.line, caught.value.report.made) == (602, 500)
        assert len(await users_of(auth)) == 501


async def test_a_credential_of_another_user_is_never_taken() -> None:
    passkey = {"kind": "passkey", "identifier": "key", "secret": "public"}
    async with with_fields() as auth:
        await there(auth)
        await import_users(auth, [{"email": "bob@example.com", "credentials": [passkey]}])

        new = {"email": "eve@example.com", "credentials": [passkey]}
        known = having(credentials=[passkey], password_hash=None)
        report = await import_users(auth, [new, known], on_conflict="update", with_credentials=True, with_roles=True)

        assert report.refusals == [
            Refusal(1, "a credential or a unique value of it belongs to another user"),
            Refusal(2, "a credential of it belongs to another user"),
        ]
        assert {user.email: user.roles for user in await users_of(auth)} == {
            "ada@example.com": ("editor",),
            "bob@example.com": (),
        }


async def test_a_unique_value_stays_with_one_user() -> None:
    def named(email: str, handle: str) -> dict[str, Any]:
        return {"email": email, "data": {"handle": handle}}

    async with importing(fields=[Field("handle", unique=True)]) as auth:
        records = [named("a@example.com", "first"), named("b@example.com", "FIRST"), named("c@example.com", "third")]
        report = await import_users(auth, records)
        assert report.refusals == [Refusal(2, "a credential or a unique value of it belongs to another user")]

        again = await import_users(auth, [named("c@example.com", "first")], on_conflict="update")
        assert again.refusals == [Refusal(1, "a unique value of it belongs to another user")]
        await import_users(auth, [named("a@example.com", "other")], on_conflict="update")
        await import_users(auth, [named("c@example.com", "first")], on_conflict="update")

        found = {user.email: user.data["handle"] for user in await users_of(auth)}
        assert found == {"a@example.com": "other", "c@example.com": "first"}


async def test_the_import_of_an_export_claims_unique_values_anew() -> None:
    fields = [Field("handle", unique=True)]
    async with importing(fields=fields) as first, importing(fields=fields) as second:
        await import_users(first, [{"email": "a@example.com", "data": {"handle": "one"}}])
        await import_users(second, await exported(first))

        report = await import_users(second, [{"email": "b@example.com", "data": {"handle": "one"}}])
        assert report.refused == 1


async def test_a_dry_run_of_an_update_changes_nothing() -> None:
    async with with_fields() as auth:
        await there(auth)
        pair = await login(auth, password=NEW)
        before = await users_of(auth)

        options: dict[str, Any] = {"on_conflict": "update", "with_roles": True, "with_credentials": True}
        report = await import_users(auth, [having(), {"email": "x@example.com"}], dry_run=True, **options)

        assert (report.updated, report.made) == (1, 1)
        assert await users_of(auth) == before
        await auth.authenticate(pair.access_token)
        await login(auth, password=NEW)


BAN = {"reason": "spam", "until": 1, "by": None, "tell": False, "before": "active"}


async def test_an_update_without_roles_leaves_a_ban() -> None:
    async with with_fields() as auth:
        user = await there(auth)
        banned = await auth.users.ban(user.id, reason="for good")

        report = await import_users(auth, [having(data={"name": "New", "_ban": BAN})], on_conflict="update")

        assert (report.updated, (await auth.users.get(user.id)).data["_ban"]) == (1, banned.data["_ban"])
        with pytest.raises(AccountDisabledError):
            await login(auth, password=NEW)


async def test_a_status_of_a_record_ends_the_ban_that_there_is() -> None:
    clock = Clock()
    async with importing(clock=clock) as auth:
        user = await there_without_fields(auth)
        await auth.users.ban(user.id, until=clock() + 10)

        await import_users(auth, [having(data={})], on_conflict="update", with_roles=True)
        clock.move(11)

        assert "_ban" not in (await auth.users.get(user.id)).own_data
        with pytest.raises(AccountDisabledError):
            await login(auth, password=NEW)


async def there_without_fields(auth: Auth) -> User:
    """A user with a password."""
    given = {"id": UUID, "email": "ada@example.com", "email_verified": True, "roles": ["admin"], "password": NEW}
    await import_users(auth, [given])
    [user] = await users_of(auth)
    return user


@pytest.mark.parametrize(
    "data", [{"_ban": BAN | {"until": "x"}}, {"_ban": BAN | {"until": 10**30}}, {"_ban": 1}, {"_x": 1}]
)
async def test_a_ban_that_is_none_and_other_names_of_the_library_are_refused(data: dict[str, Any]) -> None:
    async with with_fields() as auth:
        report = await import_users(auth, [having(data=data)])

        assert (report.made, len(report.refusals)) == (0, 1)
