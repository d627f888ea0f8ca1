"""Every sentence of the contract about sessions while a second factor is removed, for every driver."""

import asyncio
from typing import Any

import msgspec

from asgi_auth.model.records import Credential, Session
from asgi_auth.storage import Storage
from asgi_auth.testing.records import NOW, a_credential, a_session, added

#: Seconds after which a call that waits for the transaction of a test is taken to wait for its end.
LONG = 0.2


async def a_factor(storage: Storage, number: int = 1) -> tuple[Session, Credential, Credential]:
    """Add a user with a second factor; return a session that is not stored, the password and the factor."""
    user, password = await added(storage, number)
    factor = a_credential(user, id=f"app of {user.id}", kind="totp")
    assert await storage.add_credential(factor)
    return a_session(user, number, amr=("pwd", "otp", "mfa")), password, factor


async def methods(storage: Storage, session_id: str) -> tuple[str, ...] | None:
    """Return the authentication methods of a session; None without it."""
    found = await storage.session(session_id)
    return found.amr if found is not None else None


async def remove(storage: Storage, user_id: str = "user-1") -> list[str]:
    """Remove the second factor as `Factors.remove` does."""
    async with storage.transaction() as inside:
        await inside.update_user(user_id, {}, NOW)
        await inside.delete_credentials(user_id, ["totp"])
        return await inside.lower_sessions(user_id, ["mfa"], NOW)


async def test_a_session_needs_the_second_factor_that_was_proven(storage: Storage) -> None:
    session, password, factor = await a_factor(storage)
    other, _, factor_of_other = await a_factor(storage, 2)
    changed = await storage.change_credential(factor, data={"step": 2}, now=NOW)
    assert changed is not None

    assert await storage.add_session(session, password, 5, factor=factor_of_other) is None
    assert await storage.add_session(other, password, 5, factor=factor_of_other) is None
    assert await storage.add_session(session, password, 5, factor=factor) == []
    await remove(storage)
    assert await storage.add_session(a_session_like(session, 7), password, 5, factor=changed) is None
    assert await storage.add_session(a_session_like(session, 8), password, 1, factor=changed) is None
    assert await storage.add_session(a_session_like(session, 9), password, 5) == []


async def test_no_renewal_brings_a_method_of_a_removed_factor_back(storage: Storage) -> None:
    session, password, factor = await a_factor(storage)
    await storage.add_session(session, password, 5, factor=factor)
    _, _, factor_of_other = await a_factor(storage, 2)
    values: dict[str, Any] = {"auth_time": NOW, "amr": ("mfa",), "data": {}, "now": NOW}
    assert await storage.renew_session(session.id, factor=factor_of_other, **values) is None
    assert await storage.renew_session(session.id, factor=factor, **values) is not None

    assert await remove(storage) == [session.id]

    assert await storage.renew_session(session.id, factor=factor, **values) is None
    assert await methods(storage, session.id) == ("pwd", "otp")
    assert await storage.renew_session(session.id, **values | {"amr": ("pwd",)}) is not None


async def test_a_login_during_the_removal_gets_no_session(storage: Storage) -> None:
    session, password, factor = await a_factor(storage)
    async with storage.transaction() as inside:
        await inside.update_user("user-1", {}, NOW)
        await inside.delete_credentials("user-1", ["totp"])
        login = asyncio.create_task(storage.add_session(session, password, 5, factor=factor))
        await asyncio.wait({login}, timeout=LONG)
        await inside.lower_sessions("user-1", ["mfa"], NOW)

    assert await login is None


async def test_a_renewal_during_the_removal_leaves_no_method(storage: Storage) -> None:
    session, password, factor = await a_factor(storage)
    await storage.add_session(session, password, 5, factor=factor)
    async with storage.transaction() as inside:
        await inside.delete_credentials("user-1", ["totp"])
        renewal = asyncio.create_task(
            storage.renew_session(session.id, auth_time=NOW, amr=("mfa",), data={}, now=NOW, factor=factor)
        )
        await asyncio.wait({renewal}, timeout=LONG)
        await inside.lower_sessions("user-1", ["mfa"], NOW)

    await renewal
    assert await methods(storage, session.id) == ("pwd", "otp")


async def test_concurrent_logins_and_removals_leave_no_method(storage: Storage) -> None:
    for number in range(1, 6):
        session, password, factor = await a_factor(storage, number)
        logins = [
            storage.add_session(a_session_like(session, caller), password, 50, factor=factor) for caller in range(8)
        ]

        await asyncio.gather(*logins[:4], remove(storage, session.user_id), *logins[4:])

        live = await storage.sessions(session.user_id, NOW, 0)
        assert [found.amr for found in live if "mfa" in found.amr] == []


async def test_the_sessions_that_lost_methods_are_told_to_other_processes(storage: Storage) -> None:
    session, password, factor = await a_factor(storage)
    other, password_of_other, _ = await a_factor(storage, 2)
    await storage.add_session(session, password, 5, factor=factor)
    await storage.add_session(other, password_of_other, 5)
    await storage.update_user("user-2", {"roles": ("admin",)}, NOW)
    before = await storage.changes_since(NOW)
    assert before.lowered == []

    await remove(storage)

    changes = await storage.changes_since(NOW, before.position)
    assert (changes.lowered, changes.sessions, [user[0] for user in changes.users]) == ([session.id], [], ["user-1"])
    assert (await storage.changes_since(NOW)).lowered == [session.id]
    access = await storage.access(session.id, NOW)
    assert access is not None
    assert access.amr == ("pwd", "otp")
    await remove(storage)
    assert (await storage.changes_since(NOW, changes.position)).users == []


def a_session_like(session: Session, number: int) -> Session:
    """Another session of the same user, with the same methods."""
    return msgspec.structs.replace(session, id=f"{session.user_id} {number}")
