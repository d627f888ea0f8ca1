"""The import of an export gives the same rows, whatever is in them."""

import asyncio
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from asgi_auth import Field
from asgi_auth.importing import export_users, import_users
from tests.features.factors import a_world
from tests.importing.users import exported, importing, rows_of
from tests.storage.conftest import FILES_AND_SERVERS

TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=40)
TIME = st.integers(0, 253402300799)
CREDENTIAL = st.fixed_dictionaries({
    "kind": st.sampled_from(["passkey", "oidc", "api_key"]),
    "identifier": st.uuids().map(str),
    "secret": TEXT,
    "data": st.dictionaries(TEXT, TEXT | st.integers(-(2**53), 2**53) | st.none(), max_size=3),
    "version": st.integers(1, 2**31),
    "created_at": TIME,
    "updated_at": TIME,
    "used_at": st.none() | TIME.map(lambda at: at + 1),
})  # fmt: skip
USER = st.fixed_dictionaries({
    "email": st.from_regex(r"[a-zA-Z0-9]{1,20}@[a-z]{1,20}\.example\.com", fullmatch=True),
    "email_verified": st.booleans(),
    "status": st.sampled_from(["active", "disabled", "closed"]),
    "roles": st.lists(st.from_regex(r"[a-z]{1,9}", fullmatch=True), max_size=3, unique=True),
    "data": st.fixed_dictionaries({"name": TEXT | st.none(), "age": st.integers(-(2**53), 2**53) | st.none()}),
    "created_at": TIME,
    "updated_at": TIME,
    "last_login": st.none() | TIME,
    "credentials": st.lists(CREDENTIAL, max_size=3, unique_by=lambda each: each["identifier"]),
})  # fmt: skip
FIELDS = [Field("name"), Field("age", int)]


@settings(max_examples=20, deadline=None, database=None)
@given(st.lists(USER, max_size=4, unique_by=lambda user: str(user["email"]).lower()))
def test_the_import_of_an_export_gives_the_same_rows(records: list[dict[str, Any]]) -> None:
    async def run() -> None:
        async with importing(fields=FIELDS) as first, importing(fields=FIELDS) as second:
            report = await import_users(first, records)
            assert (report.made, report.refusals) == (len(records), [])
            copied = await exported(first)
            again = await import_users(second, copied)
            assert (again.made, again.refusals) == (len(records), [])
            assert await rows_of(second) == await rows_of(first)
            assert await exported(second) == copied

    asyncio.run(run())


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_from_one_database_to_another(driver: str, fresh: Callable[[str], str]) -> None:
    records = [{"email": f"user{number}@example.com", "roles": ["a"]} for number in range(1100)]
    async with importing(fresh(driver)) as first, importing("sqlite://") as second:
        await import_users(first, records)
        await import_users(second, await exported(first))

        assert await rows_of(second) == await rows_of(first)
        assert len(await rows_of(second)) == 1100


async def test_without_secrets_an_export_has_none() -> None:
    async with importing() as auth:
        await import_users(auth, [{"email": "a@example.com", "password": "correct horse battery"}])
        [line] = [line async for line in export_users(auth)]

    assert b"argon2" not in line
    assert json.loads(line).keys() == {
        "id", "email", "email_verified", "status", "roles", "data", "created_at", "updated_at", "last_login",
    }  # fmt: skip


async def test_second_factors_move_to_an_installation_with_another_key() -> None:
    """The key of an app is stored encrypted: by the key of each installation."""
    async with a_world() as first, a_world() as second:
        await first.turn_on()
        records = await exported(first.auth)
        await second.auth.users.delete(second.user_id)

        report = await import_users(second.auth, records)

        assert report.made == 1
        second.key, second.clock.at = first.key, first.clock.at
        await second.log_in()
        assert [row for row in await rows_of(first.auth) if row in await rows_of(second.auth)] == []


async def test_the_key_of_an_app_is_bound_to_the_new_id() -> None:
    async with a_world() as first, a_world() as second:
        await first.turn_on()
        await second.auth.users.delete(second.user_id)

        await import_users(second.auth, await exported(first.auth), new_ids=True)

        second.key, second.clock.at = first.key, first.clock.at
        await second.log_in()
