"""Users in process: found by id or address, changed by administrators, unknown ones an error."""

import asyncio
from collections.abc import Callable

import pytest

from asgi_auth import Argon2, Auth, Field, Passwords
from asgi_auth.errors import UserNotFoundError
from tests.support import EMAIL, PASSWORD, login, make_auth, register

UNKNOWN = "00000000-0000-0000-0000-000000000001"


async def test_a_user_is_found_by_id_and_by_any_spelling_of_the_address(auth: Auth) -> None:
    user_id = await register(auth)

    for email in (EMAIL, EMAIL.upper(), "ada\uff20example.com"):
        assert await auth.users.by_email(email) == await auth.users.get(user_id)


async def test_unknown_users_are_an_error(auth: Auth) -> None:
    for asking in (
        auth.users.get(UNKNOWN),
        auth.users.by_email("eve@example.com"),
        auth.users.by_email("no address"),
        auth.users.set_roles(UNKNOWN, ["admin"]),
        auth.users.set_status(UNKNOWN, "disabled"),
        auth.users.set_data(UNKNOWN),
    ):
        with pytest.raises(UserNotFoundError):
            await asking


@pytest.mark.parametrize("driver", ["sqlite", "postgres15"])
async def test_an_id_that_no_database_stores_is_that_of_no_user(driver: str, fresh: Callable[[str], str]) -> None:
    async with make_auth(fresh(driver)) as auth:
        await register(auth)
        for user_id in ("a\0", "\ud800"):
            assert await auth.users.find(user_id) is None
            with pytest.raises(UserNotFoundError):
                await auth.users.get(user_id)
            with pytest.raises(UserNotFoundError):
                await auth.users.delete(user_id)
            with pytest.raises(UserNotFoundError):
                await auth.users.set_roles(user_id, ["admin"])


async def test_extra_fields_are_merged_and_roles_replaced() -> None:
    async with make_auth(fields=[Field("nick"), Field("level", int, write="admin")]) as auth:
        user_id = await register(auth)

        await auth.users.set_data(user_id, nick="ada")
        user = await auth.users.set_data(user_id, level=3)
        await auth.users.set_roles(user_id, ["a", "b"])
        await auth.users.set_roles(user_id, ["c"])

        assert user.data == {"nick": "ada", "level": 3}
        assert (await auth.users.get(user_id)).roles == ("c",)


async def test_one_string_is_no_list_of_roles(auth: Auth) -> None:
    user_id = await register(auth)

    with pytest.raises(TypeError, match="list of names"):
        await auth.users.set_roles(user_id, "admin")
    assert (await auth.users.get(user_id)).roles == ()


async def test_concurrent_changes_of_extra_fields_are_all_kept() -> None:
    async with make_auth(fields=[Field(f"f{number}", int) for number in range(16)]) as auth:
        user_id = await register(auth)

        await asyncio.gather(*(auth.users.set_data(user_id, **{f"f{number}": number}) for number in range(16)))

        assert (await auth.users.get(user_id)).data == {f"f{number}": number for number in range(16)}


async def test_roles_that_no_token_could_hold_are_refused(auth: Auth) -> None:
    user_id = await register(auth)

    with pytest.raises(ValueError, match="2048"):
        await auth.users.set_roles(user_id, ["r" * 2049])


async def test_an_unknown_status_is_refused(auth: Auth) -> None:
    user_id = await register(auth)

    with pytest.raises(ValueError, match="active, disabled, closed"):
        await auth.users.set_status(user_id, "Active")  # type: ignore[arg-type]  # that is the point
    assert (await login(auth)).access_token


async def test_claims_that_fail_leave_no_session() -> None:
    def broken(_: object) -> dict[str, str]:
        raise ZeroDivisionError

    async with make_auth() as auth:
        user_id = await register(auth)
        failing = Auth(auth.storage, settings=auth.settings, features=[Passwords(argon2=Argon2.cheap())], claims=broken)

        with pytest.raises(ZeroDivisionError):
            await failing[Passwords].login(email=EMAIL, password=PASSWORD)

        assert await auth.storage.sessions(user_id, 0, 0) == []
