"""Mails to accounts that have been disabled, closed or deleted meanwhile: no good, and no errors of ours."""

from collections.abc import Callable

import pytest

from asgi_auth import Account, MagicLink
from asgi_auth.accounts.one_time_tokens import Voids
from asgi_auth.feature import Feature
from asgi_auth.features.defaults import defaults
from asgi_auth.model.records import Credential, OneTimeToken, User
from tests.features.flows import NEW_PASSWORD, Flows, flows
from tests.storage.conftest import FILES_AND_SERVERS
from tests.support import EMAIL, PASSWORD


def every_feature() -> list[Feature]:
    return [*defaults(mail=True), MagicLink()]


async def mailed(app: Flows) -> list[tuple[str, dict[str, str]]]:
    """What can be done with the mails that an account has got."""
    await app.verified()
    await app.client.post("/auth/forgot-password", {"email": EMAIL})
    await app.client.post("/auth/magic-link", {"email": EMAIL})
    reset = {"token": (await app.mail("reset_password")).token, "new_password": NEW_PASSWORD}
    return [
        ("/auth/reset-password", reset),
        ("/auth/magic-link/login", {"token": (await app.mail("magic_link")).token}),
    ]


@pytest.mark.parametrize("status", ["disabled", "closed"])
async def test_what_was_mailed_dies_with_the_account_and_stays_dead(status: str) -> None:
    async with flows(features=every_feature()) as app:
        uses = await mailed(app)
        user_id = (await app.auth.users.by_email(EMAIL)).id

        await app.auth.users.set_status(user_id, status)  # type: ignore[arg-type]  # one of them
        await app.auth.users.set_status(user_id, "active")

        assert [(await app.client.post(path, body)).status for path, body in uses] == [400, 400]
        assert (await app.login()).status == 200


async def test_an_old_registration_does_not_bring_a_deleted_account_back() -> None:
    features = [item for item in defaults(mail=True) if not isinstance(item, Account)]
    async with flows(features=[*features, Account(closing="hard")], enumeration="hide") as app:
        await app.register()
        first = await app.mail("register")
        app.clock.move(2)
        await app.register()
        await app.verify((await app.mail("register")).token)
        app.clock.move(2)
        await app.register()
        await app.mail("already_registered")
        body = {"password": PASSWORD}

        closed = await app.client.post("/auth/close-account", body, headers=await app.headers())

        assert closed.status == 204
        assert (await app.verify(first.token)).status == 400
        assert (await app.login()).status == 401


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_a_user_who_is_deleted_while_asking_is_no_one(driver: str, fresh: Callable[[str], str]) -> None:
    async with flows(fresh(driver), features=every_feature()) as app:
        await app.verified()
        owner, store = (await app.auth.users.by_email(EMAIL)).id, app.auth.one_time._store

        async def late(token: OneTimeToken, voids: Voids, user_id: str) -> bool:
            if await app.auth.users.find(owner):
                await app.auth.users.delete(owner)
            return await store(token, voids, user_id)

        app.auth.one_time._store = late  # type: ignore[method-assign]  # deleted in between
        for path in ("/auth/forgot-password", "/auth/magic-link"):
            assert (await app.client.post(path, {"email": EMAIL})).status == 202
        await app.no_more_mail()


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_a_user_who_is_deleted_while_logging_in_by_mail_is_refused(
    driver: str, fresh: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    async with flows(fresh(driver), features=every_feature()) as app:
        (_, (path, body)) = await mailed(app)
        make = MagicLink._credential

        async def late(self: MagicLink, user: User) -> Credential:
            await app.auth.users.delete(user.id)
            return await make(self, user)

        monkeypatch.setattr(MagicLink, "_credential", late)

        assert (await app.client.post(path, body)).json["code"] == "invalid_one_time_token"


async def test_a_right_code_survives_weak_passwords() -> None:
    async with flows() as app:
        await app.verified()
        request = (await app.client.post("/auth/forgot-password", {"email": EMAIL})).json["request"]
        body = {"request": request, "code": (await app.mail("reset_password")).code}

        for password in ("short", "password1", "12345678", "qwertyuiop", "aaaaaaaa", "11111111"):
            weak = await app.client.post("/auth/reset-password", {**body, "new_password": password})
            assert weak.json["code"] == "password_validation"

        own = await app.client.post("/auth/reset-password", {**body, "new_password": EMAIL})
        assert own.json["code"] == "password_validation"
        assert (await app.client.post("/auth/reset-password", {**body, "new_password": NEW_PASSWORD})).status == 204


async def test_a_registration_logs_no_one_in_who_must_verify_first() -> None:
    options = {"passwords": {"login_after_register": True}, "enumeration": "tell"}
    async with flows(verification="required", **options) as app:
        answer = await app.register()

        assert answer.status == 201
        assert "tokens" not in answer.json
