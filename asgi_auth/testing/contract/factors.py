"""Every sentence of the contract about sessions whose factors change, for every driver."""

from typing import Any

import pytest

from asgi_auth.model.records import Session
from asgi_auth.storage import Storage
from asgi_auth.testing.records import NOW, a_session, added, at_once

HOUR = 3600


async def a_login(storage: Storage, number: int = 1, **changes: Any) -> Session:
    """Add a user with a session."""
    user, credential = await added(storage, number)
    session = a_session(user, number, **{"amr": ("pwd",), "data": {"a": 1}, **changes})
    assert await storage.add_session(session, credential, 5) == []
    return session


async def test_a_session_comes_back_with_its_data(storage: Storage) -> None:
    session = await a_login(storage, data={"actor": "ä", "proven": {"otp": NOW}})

    assert await storage.session(session.id) == session


async def test_a_renewed_session_has_the_new_methods_data_and_time(storage: Storage) -> None:
    session = await a_login(storage)
    await storage.update_user("user-1", {"roles": ("admin",)}, NOW)

    renewed = await storage.renew_session(
        session.id, auth_time=NOW + 60, amr=("otp", "pwd", "mfa"), data={"b": 2}, now=NOW + 60
    )

    assert renewed is not None
    found, roles = renewed
    assert (found.amr, found.auth_time, found.data) == (("pwd", "otp", "mfa"), NOW + 60, {"a": 1, "b": 2})
    assert (found.generation, found.last_used_at, found.expires_at) == (0, NOW, session.expires_at)
    assert roles == ("admin",)
    assert await storage.session(session.id) == found


@pytest.mark.parametrize("status", ["disabled", "closed"])
async def test_only_a_live_session_of_an_active_user_is_renewed(storage: Storage, status: str) -> None:
    ended, expired, inactive = [await a_login(storage, number) for number in (1, 2, 3)]
    await storage.end_sessions("user-1", NOW)
    await storage.update_user("user-3", {"status": status}, NOW)

    for session, now in ((ended, NOW), (expired, NOW + HOUR), (inactive, NOW)):
        assert await storage.renew_session(session.id, auth_time=NOW, amr=("otp",), data={}, now=now) is None
        found = await storage.session(session.id)
        assert found is not None
        assert found.amr == ("pwd",)
    assert await storage.renew_session("unknown", auth_time=NOW, amr=(), data={}, now=NOW) is None


async def test_concurrent_renewals_lose_no_method_and_no_data(storage: Storage) -> None:
    session = await a_login(storage)

    async def renew(number: int) -> object:
        values: dict[str, Any] = {"amr": (f"m{number}",), "data": {f"d{number}": number}}
        return await storage.renew_session(session.id, auth_time=NOW + number, now=NOW, **values)

    assert None not in await at_once(renew, 16)

    found = await storage.session(session.id)
    assert found is not None
    assert sorted(found.amr) == sorted(["pwd", *(f"m{number}" for number in range(16))])
    assert found.data == {"a": 1} | {f"d{number}": number for number in range(16)}


async def test_no_session_comes_back_by_a_renewal(storage: Storage) -> None:
    session = await a_login(storage)

    async def call(number: int) -> object:
        if number == 8:
            return await storage.end_sessions("user-1", NOW)
        return await storage.renew_session(session.id, auth_time=NOW, amr=("otp",), data={}, now=NOW)

    await at_once(call, 16)

    found = await storage.session(session.id)
    assert found is not None
    assert found.revoked_at == NOW


async def test_a_method_is_taken_from_the_live_sessions_of_a_user(storage: Storage) -> None:
    session = await a_login(storage, amr=("pwd", "otp", "mfa"))
    other = await a_login(storage, 2, amr=("pwd", "mfa"))
    user, credential = await storage.user("user-1"), await storage.credential("user-1", "password")
    assert user is not None
    assert credential is not None
    await storage.add_session(a_session(user, 11, amr=("pwd",)), credential, 5)
    await storage.add_session(a_session(user, 12, amr=("mfa",), expires_at=NOW + 1), credential, 5)

    assert await storage.lower_sessions("user-1", ["mfa", "otp"], NOW + 1) == [session.id]

    async def methods(session_id: str) -> tuple[str, ...]:
        found = await storage.session(session_id)
        assert found is not None
        return found.amr

    assert await methods(session.id) == await methods("session-11") == ("pwd",)
    assert await methods(other.id) == ("pwd", "mfa")
    assert await storage.lower_sessions("user-1", ["mfa"], NOW + 1) == []
    assert await storage.lower_sessions("nobody", ["mfa"], NOW) == []


async def test_methods_are_taken_in_the_transaction_of_the_deletion(storage: Storage) -> None:
    session = await a_login(storage, amr=("pwd", "mfa"))

    async def fail() -> None:
        async with storage.transaction() as inside:
            assert await inside.lower_sessions("user-1", ["mfa"], NOW) == [session.id]
            raise KeyError

    with pytest.raises(KeyError):
        await fail()

    found = await storage.session(session.id)
    assert found is not None
    assert found.amr == ("pwd", "mfa")
