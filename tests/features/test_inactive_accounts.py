"""The owners of closed and disabled accounts hear what became of what they asked for; `reopen` frees the address."""

from typing import Any

import pytest

from asgi_auth import Account, Argon2, MagicLink, Passwords
from asgi_auth.errors import UserNotFoundError
from asgi_auth.feature import Feature, PasswordService
from asgi_auth.model.records import Status
from tests.features.flows import NEW_PASSWORD, Flows, flows
from tests.support import EMAIL, PASSWORD, unlimited

DAY = 86400
ASKING: dict[str, dict[str, str]] = {
    "/auth/register": {"password": NEW_PASSWORD},
    "/auth/forgot-password": {},
    "/auth/magic-link": {},
    "/auth/request-unlock": {},
    "/auth/resend-verification": {},
}


def features(**account: Any) -> list[Feature]:
    others = [item for item in unlimited(mail=True) if not isinstance(item, Account)]
    return [Passwords(argon2=Argon2.cheap()), *others, MagicLink(), Account(**account)]


async def an_account(app: Flows, status: Status = "active") -> str:
    """An account made by its mail, as by default."""
    await app.register()
    await app.verify((await app.mail("register")).token)
    user_id = (await app.auth.users.by_email(EMAIL)).id
    if status != "active":
        await app.auth.users.set_status(user_id, status)
    app.clock.move(61)
    return user_id


@pytest.mark.parametrize("path", ASKING)
@pytest.mark.parametrize("status", ["closed", "disabled"])
async def test_the_owner_hears_that_the_account_is_not_active(status: Status, path: str) -> None:
    async with flows(enumeration="hide", features=features()) as app:
        await an_account(app, status)

        known = await app.client.post(path, {"email": EMAIL, **ASKING[path]})
        unknown = await app.client.post(path, {"email": "eve@example.com", **ASKING[path]})

        assert (known.status, known.headers, len(known.body)) == (202, unknown.headers, len(unknown.body))
        notice = await app.mail(f"account_is_{status}", EMAIL)
        assert (notice.token, notice.code) == ("", "")
        await app.auth.mail.idle()
        assert {mail.to for mail in app.outbox.mails} <= {"eve@example.com"}


async def test_a_new_address_of_a_closed_account_gets_the_notice() -> None:
    async with flows(enumeration="hide", features=features()) as app:
        await an_account(app, "closed")
        await app.register("grace@example.com")
        await app.verify((await app.mail("register")).token)
        body = {"new_email": EMAIL, "password": PASSWORD}

        asked = await app.client.post("/auth/change-email", body, headers=await app.headers(email="grace@example.com"))

        assert asked.status == 202
        await app.mail("account_is_closed", EMAIL)


async def test_a_closed_account_is_kept_by_default_and_deleted_after_reopen_seconds() -> None:
    for reopen, gone in ((None, False), (30 * DAY, True)):
        async with flows(enumeration="hide", features=features(reopen=reopen)) as app:
            app.auth.purger.pause = 0
            user_id = await an_account(app, "closed")
            app.clock.move(30 * DAY - 62)
            await app.auth.purge()
            assert (await app.auth.users.get(user_id)).status == "closed"

            app.clock.move(64)
            await app.auth.purge()

            assert (await app.auth.users.find(user_id) is None) is gone
            await app.register(password=NEW_PASSWORD)
            await app.mail("register" if gone else "account_is_closed", EMAIL)


async def test_an_account_that_was_opened_again_or_never_closed_is_not_deleted() -> None:
    async with flows(enumeration="hide", features=features(reopen=1)) as app:
        app.auth.purger.pause = 0
        user_id = await an_account(app, "closed")
        await app.auth.users.set_status(user_id, "active")
        await app.register("grace@example.com")
        await app.verify((await app.mail("register")).token)
        app.clock.move(DAY)

        await app.auth.purge()

        assert (await app.auth.users.get(user_id)).status == "active"
        assert (await app.auth.users.by_email("grace@example.com")).status == "active"
        assert (await app.login()).status == 200


async def test_an_account_that_is_opened_during_the_purge_is_not_deleted() -> None:
    async with flows(enumeration="hide", features=features(reopen=1)) as app:
        user_id = await an_account(app, "closed")
        app.clock.move(DAY)
        storage, found = app.auth.storage, app.auth.storage.closed_users

        async def late(before: int, limit: int) -> list[str]:
            closed = await found(before, limit)
            await app.auth.users.set_status(user_id, "active")
            return closed

        storage.closed_users = late  # type: ignore[method-assign]  # opened in between

        assert await app.auth.users.delete_closed(int(app.auth.now()) - 1, 9) == 0
        assert (await app.auth.users.get(user_id)).status == "active"


async def test_deleting_by_the_purge_is_a_deletion_like_any_other() -> None:
    async with flows(enumeration="hide", features=features(reopen=1)) as app:
        user_id = await an_account(app, "closed")
        app.clock.move(DAY)

        assert await app.auth.users.delete_closed(int(app.auth.now()) - 1, 9) == 1

        with pytest.raises(UserNotFoundError):
            await app.auth.users.get(user_id)


@pytest.mark.parametrize("wrong", [{"reopen": 0}, {"reopen": -1}, {"reopen": 10**10}, {"reopen": 1, "closing": "hard"}])
def test_reopen_is_a_number_of_seconds_for_accounts_that_are_kept(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="reopen"):
        Account(**wrong)


@pytest.mark.parametrize("closing", ["soft", "hard"])
async def test_a_ban_while_the_owner_closes_the_account_stays(closing: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    async with flows(enumeration="hide", features=features(closing=closing)) as app:
        user_id = await an_account(app)
        headers = await app.headers()
        hasher = app.auth[PasswordService].hasher
        verify = hasher.verify

        async def banned_meanwhile(*given: Any, **options: Any) -> Any:
            answer = await verify(*given, **options)
            await app.auth.users.ban(user_id, reason="spam")
            return answer

        monkeypatch.setattr(hasher, "verify", banned_meanwhile)
        closed = await app.client.post("/auth/close-account", {"password": PASSWORD}, headers=headers)

        user = await app.auth.users.get(user_id)
        assert (closed.status, user.status, user.data["_ban"]["reason"]) == (401, "disabled", "spam")
