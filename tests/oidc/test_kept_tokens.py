"""Kept tokens: sealed, refreshed once whatever the number of callers, and gone with the account at the provider."""

import asyncio
from collections.abc import Callable
from typing import Any

import pytest

from asgi_auth import OIDC
from asgi_auth.errors import NotFoundError, ProviderLoginNeededError, ProviderUnavailableError
from asgi_auth.features.oidc.keeping import KIND
from asgi_auth.importing.export import export_users
from asgi_auth.testing.provider import TROUBLES, InProcess
from tests.oidc.test_linking import SAME, account, begun, logged_in, turn_on
from tests.oidc.world import World, openid, world
from tests.support import EMAIL, SECRET, Clock, make_auth


def keeping(storage: str = "sqlite://", **options: Any) -> Any:
    return world(storage, keep_tokens=True, **options)


async def user_id(app: World) -> str:
    return (await app.auth.users.by_email(EMAIL)).id


async def token(app: World) -> str:
    return (await app.auth[OIDC].access_token(await user_id(app), "op")).access_token


async def rows(app: World) -> int:
    return len(await app.auth.storage.credentials(await user_id(app), KIND))


async def test_the_token_of_a_login_is_kept_and_refreshed_when_it_expires() -> None:
    async with keeping() as app:
        await app.login()
        asked = app.op.asked("authorization")[-1].query
        assert (asked["scope"], asked["prompt"]) == ("openid email profile offline_access", "consent")

        found = await app.auth[OIDC].access_token(await user_id(app), "op")
        first = found.access_token
        assert app.op.grants.holder(first, app.clock()).subject == "7"
        assert (found.token_type, found.expires_at) == ("Bearer", int(app.clock()) + 3600)
        assert first not in repr(found)
        app.clock.move(3539)
        assert await token(app) == first
        app.clock.move(1)

        second = await token(app)

        assert second != first
        assert app.op.grants.holder(second, app.clock()).subject == "7"
        assert (await app.login()).status == 303
        assert await token(app) not in {first, second}
        assert await rows(app) == 1


@pytest.mark.parametrize("rotates", [True, False])
async def test_of_many_callers_one_refreshes(*, rotates: bool) -> None:
    async with keeping() as app:
        app.op.grants.rotates = rotates
        await app.login()
        for _ in range(2):
            app.clock.move(3600)
            before = len(app.op.asked("token"))

            found = await asyncio.gather(*(token(app) for _ in range(32)))

            assert len(set(found)) == 1
            assert len(app.op.asked("token")) == before + 1


async def test_no_token_is_stored_or_exported_in_plain_text() -> None:
    async with keeping() as app:
        await app.login()
        (row,) = await app.auth.storage.credentials(await user_id(app), KIND)
        plain = [*app.op.grants.access, *app.op.grants.refresh]
        lines = b"".join([line async for line in export_users(app.auth, secrets=True)]).decode()
        export = (await app.browser.get("/auth/me/export", headers=SAME)).body.decode()

        assert len(plain) == 2
        shown = [row.secret, repr(row), lines, export, repr(vars(app.auth[OIDC]))]
        assert [text for text in shown for each in plain if each in text] == []
        assert KIND not in lines


@pytest.mark.parametrize(("driver", "apart"), [("sqlite", 0), ("postgres15", 0), ("postgres15", 30)])
async def test_of_many_callers_in_two_processes_one_refreshes(
    driver: str, apart: int, fresh: Callable[[str], str]
) -> None:
    """Their clocks may be apart by more than the seconds for which one of them alone refreshes."""
    url = fresh(driver)
    async with keeping(url) as app:
        app.op.grants.rotates = True
        await app.login()
        app.clock.move(3600)
        before = len(app.op.asked("token"))
        provider = OIDC([openid()], keep_tokens=True, outgoing=InProcess(app.op))
        ahead = Clock()
        ahead.move(3600 + apart)
        other = make_auth(url, clock=ahead, features=[provider])
        async with other:
            user = await user_id(app)
            calls = [auth[OIDC].access_token(user, "op") for _ in range(8) for auth in (app.auth, other)]

            found = await asyncio.gather(*calls)

        assert len({each.access_token for each in found}) == 1
        assert len(app.op.asked("token")) == before + 1


async def test_a_new_secret_of_the_vault_during_a_refresh_begins_no_second_one(
    fresh: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    url, begun, goes_on, looked = fresh("sqlite"), asyncio.Event(), asyncio.Event(), asyncio.Event()
    async with keeping(url) as app:
        await app.login()
        app.clock.move(3600)
        before, user, kept = len(app.op.asked("token")), await user_id(app), app.auth[OIDC]._kept
        refresh = app.auth[OIDC]._connections["op"].refresh

        async def slow(refresh_token: str) -> Any:
            begun.set()
            await goes_on.wait()
            return await refresh(refresh_token)

        async def sealed_anew() -> None:
            (row,) = await app.auth.storage.credentials(user, KIND)
            tokens = kept._opened(row)
            assert tokens is not None
            assert await kept._replaced(row, tokens) is not None

        monkeypatch.setattr(app.auth[OIDC]._connections["op"], "refresh", slow)
        async with make_auth(
            url, clock=app.clock, features=[OIDC([openid()], keep_tokens=True, outgoing=InProcess(app.op))]
        ) as other:
            find = other.storage.find_credential

            async def looks(kind: str, identifier: str) -> Any:
                looked.set()
                return await find(kind, identifier)

            monkeypatch.setattr(other.storage, "find_credential", looks)
            calls = [asyncio.create_task(app.auth[OIDC].access_token(user, "op"))]
            await begun.wait()
            await sealed_anew()
            calls.append(asyncio.create_task(other[OIDC].access_token(user, "op")))
            for _ in range(2):
                looked.clear()
                await asyncio.wait([asyncio.create_task(looked.wait()), calls[1]], return_when="FIRST_COMPLETED")
                await sealed_anew()
            goes_on.set()
            found = await asyncio.gather(*calls)

        assert len({each.access_token for each in found}) == 1
        assert len(app.op.asked("token")) == before + 1


@pytest.mark.parametrize("trouble", ["500", "404", "no JSON"])
async def test_a_provider_that_is_away_is_asked_once_in_ten_seconds_and_nothing_is_lost(trouble: str) -> None:
    async with keeping() as app:
        await app.login()
        app.clock.move(3600)
        app.op.trouble["token"] = TROUBLES[trouble]
        before = len(app.op.asked("token"))

        found = await asyncio.gather(*(token(app) for _ in range(8)), return_exceptions=True)

        assert [type(each) for each in found] == [ProviderUnavailableError] * 8
        assert len(app.op.asked("token")) == before + 1
        app.op.tells_the_truth()
        app.clock.move(10)
        assert app.op.grants.holder(await token(app), app.clock())


async def test_a_refresh_token_that_was_revoked_needs_a_login_there() -> None:
    async with keeping() as app:
        await app.login()
        app.clock.move(3600)
        app.op.grants.refresh.clear()
        for _ in range(2):
            with pytest.raises(ProviderLoginNeededError):
                await token(app)
        # Two logins, and one refresh.
        assert len(app.op.asked("token")) == 2

        await app.login()
        assert await token(app)


async def test_tokens_are_gone_with_the_link_and_with_the_account() -> None:
    async with keeping() as app:
        browser = await logged_in(app)
        assert (await browser.get(await begun(app, browser))).status == 303
        assert await token(app)
        (listed,) = (await browser.get("/auth/identities")).json["identities"]
        assert (await browser.request("DELETE", f"/auth/identities/{listed['id']}", headers=SAME)).status == 204
        assert await rows(app) == 0

        assert (await browser.get(await begun(app, browser))).status == 303
        await app.auth.users.set_status(await user_id(app), "disabled")
        with pytest.raises(NotFoundError):
            await token(app)
    async with keeping() as app:
        await app.login()
        assert (await app.browser.post("/auth/close-account", {}, headers=SAME)).status == 204
        assert await rows(app) == 0


@pytest.mark.parametrize("end", ["unlink", "close"])
async def test_tokens_of_a_login_during_an_unlink_or_the_end_of_the_account_are_not_kept(
    end: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with keeping() as app:
        await app.login()
        user, storage, late = await user_id(app), app.auth.storage, app.another_browser()
        await storage.delete_credentials(user, [KIND])
        back = await app.back(await app.begin(browser=late))
        (listed,) = (await app.browser.get("/auth/identities")).json["identities"]
        find = storage.find_credential

        async def finds_and_waits(kind: str, identifier: str) -> Any:
            found = await find(kind, identifier)
            monkeypatch.undo()
            if end == "close":
                assert (await app.browser.post("/auth/close-account", {}, headers=SAME)).status == 204
            else:
                path = f"/auth/identities/{listed['id']}"
                assert (await app.browser.request("DELETE", path, headers=SAME)).status == 204
            return found

        monkeypatch.setattr(storage, "find_credential", finds_and_waits)
        assert (await app.browser.get("/auth/me")).status == 200
        assert (await late.get(back)).status in {400, 401, 403}
        assert await storage.credentials(user, KIND) == []


async def test_a_link_that_waits_for_the_second_factor_keeps_its_tokens_with_it() -> None:
    async with keeping() as app:
        await account(app, verified=True)
        totp = await turn_on(app)
        await app.login()
        assert await rows(app) == 0
        app.clock.move(30)

        assert (await app.browser.post("/auth/login/totp", {"code": totp(app.clock())}, headers=SAME)).status == 200

        assert await token(app)


async def test_a_refresh_voids_no_setup_of_a_second_factor() -> None:
    async with keeping() as app:
        await app.login()
        user = await app.auth.users.by_email(EMAIL)
        before = await app.auth.factors.state(user)
        app.clock.move(3600)
        await token(app)

        assert await app.auth.factors.state(user) == before


async def test_tokens_are_sealed_anew_with_the_newest_secret() -> None:
    async with keeping() as app:
        await app.login()
        first = await token(app)

        assert KIND in app.auth.resealing.kinds
        assert (await app.auth.resealing.run()).current == 1
        assert await token(app) == first
        assert SECRET not in first


async def test_without_keep_tokens_nothing_is_kept_and_no_refresh_token_asked_for() -> None:
    async with world(providers=[openid()]) as app:
        await app.login()
        assert "prompt" not in app.op.asked("authorization")[-1].query
        assert await rows(app) == 0
        with pytest.raises(NotFoundError):
            await token(app)
