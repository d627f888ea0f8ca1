"""The account of a user: extra fields, everything as JSON, and the end of it."""

from typing import Literal

import pytest

from asgi_auth import Account, Admin, Auth, Field
from asgi_auth.errors import UserNotFoundError
from asgi_auth.features.defaults import defaults
from tests.browsers import DEVICE
from tests.features.flows import flows
from tests.support import EMAIL, PASSWORD, cheap, login, register

FIELDS = [
    Field("company", write="register"),
    Field("nick", max_length=5),
    Field("level", int, default=0, write="admin"),
]


async def test_users_change_the_fields_that_are_theirs() -> None:
    async with flows(fields=FIELDS) as app:
        await app.verified()
        headers = await app.headers()

        answer = await app.client.request("PATCH", "/auth/me", json_body={"nick": "ada"}, headers=headers)
        nothing = await app.client.request("PATCH", "/auth/me", json_body={}, headers=headers)

        assert (answer.status, answer.json["data"]) == (200, {"company": None, "nick": "ada", "level": 0})
        assert nothing.json == answer.json


@pytest.mark.parametrize(
    "body", [{"level": 9}, {"company": "x"}, {"roles": ["admin"]}, {"email": "x@example.com"}, {"nick": "too long"}]
)
async def test_all_other_fields_are_refused(body: dict[str, object]) -> None:
    async with flows(fields=FIELDS) as app:
        await app.verified()
        headers = await app.headers()
        before = (await app.client.get("/auth/me", headers=headers)).json

        answer = await app.client.request("PATCH", "/auth/me", json_body=body, headers=headers)

        assert (answer.status, list(answer.json["errors"])) == (422, list(body))
        assert (await app.client.get("/auth/me", headers=headers)).json == before


@pytest.mark.parametrize("closing", ["soft", "hard"])
async def test_the_last_user_who_may_give_roles_does_not_leave(closing: Literal["soft", "hard"]) -> None:
    features = [*cheap(), Admin(second_factor=False)]
    features = [Account(closing=closing) if isinstance(item, Account) else item for item in features]
    permissions = {"boss": ["users:*"], "deputy": ["users:roles"], "clerk": ["users:read", "users:write"]}
    async with flows(features=features, permissions=permissions) as app:
        for name in ("boss", "clerk", "deputy"):
            await app.auth.users.create(f"{name}@example.com", password=PASSWORD, roles=[name])
        deputy = await app.auth.users.by_email("deputy@example.com")
        await app.auth.users.ban(deputy.id)

        async def close(name: str) -> tuple[int, str]:
            headers = await app.headers(email=f"{name}@example.com")
            answer = await app.client.post("/auth/close-account", {"password": PASSWORD}, headers=headers)
            return answer.status, answer.json["code"] if answer.body else ""

        assert await close("boss") == (409, "last_administrator")
        boss = await app.auth.users.by_email("boss@example.com")
        assert (boss.status, len(await app.auth.users.sessions(boss.id))) == ("active", 1)
        # Others have no right to keep, and a banned one keeps none.
        assert await close("clerk") == (204, "")
        await app.auth.users.unban(deputy.id)
        assert await close("boss") == (204, "")
        assert await close("deputy") == (409, "last_administrator")


async def test_without_administration_every_account_may_be_closed() -> None:
    async with flows(permissions={"admin": ["*"]}) as app:
        await app.auth.users.create(EMAIL, password=PASSWORD, roles=["admin"], verified=True)
        answer = await app.client.post("/auth/close-account", {"password": PASSWORD}, headers=await app.headers())
        assert answer.status == 204


async def test_the_export_has_everything_and_no_secrets() -> None:
    async with flows(fields=FIELDS) as app:
        await app.verified()
        headers = await app.headers()
        user = await app.auth.users.by_email(EMAIL)
        credential = await app.auth.storage.credential(user.id, "password")
        assert credential is not None

        export = await app.client.get("/auth/me/export", headers=headers)

        assert export.json["user"]["email"] == EMAIL
        assert [item["kind"] for item in export.json["credentials"]] == ["password"]
        assert [item["address"] for item in export.json["sessions"]] == ["192.0.2.7"]
        assert [item["purpose"] for item in export.json["tokens"]] == ["verify_email"]
        assert credential.secret not in export.body.decode()
        assert "digest" not in export.body.decode()
        assert (await app.client.get("/auth/me/export")).status == 401


async def test_a_closed_account_is_kept_and_no_one_gets_in() -> None:
    async with flows() as app:
        await app.verified()
        headers = await app.headers()

        wrong = await app.client.post("/auth/close-account", {"password": "wrong password"}, headers=headers)
        closed = await app.client.post("/auth/close-account", {"password": PASSWORD}, headers=headers)

        assert (wrong.status, closed.status) == (401, 204)
        assert (await app.client.get("/auth/me", headers=headers)).json["code"] == "token_revoked"
        assert (await app.login()).json["code"] == "account_disabled"
        assert (await app.auth.users.by_email(EMAIL)).status == "closed"
        assert (await app.mail("account_closed")).to == EMAIL


async def test_a_deleted_account_leaves_nothing() -> None:
    features = [item for item in defaults(mail=True) if not isinstance(item, Account)]
    async with flows(features=[*features, Account(closing="hard")]) as app:
        await app.verified()
        user = await app.auth.users.by_email(EMAIL)
        headers = await app.headers()

        assert (await app.client.post("/auth/close-account", {"password": PASSWORD}, headers=headers)).status == 204

        assert (await app.client.get("/auth/me", headers=headers)).status == 401
        with pytest.raises(UserNotFoundError):
            await app.auth.users.get(user.id)
        with pytest.raises(UserNotFoundError):
            await app.auth.users.delete(user.id)
        assert (await app.mail("account_closed")).to == EMAIL
        assert (await app.register()).status == 201


async def test_closing_clears_the_cookies() -> None:
    async with flows(transport="cookie") as app:
        app.client.keep_cookies = True
        app.client.headers["origin"] = "https://app.example.com"
        await app.verified()
        await app.login()

        answer = await app.client.post("/auth/close-account", {"password": PASSWORD})

        assert answer.status == 204
        assert app.client.cookies.keys() == {DEVICE}


async def test_nothing_is_mailed_where_nothing_can_be(auth: Auth, caplog: pytest.LogCaptureFixture) -> None:
    await register(auth)
    identity = await auth.authenticate(str((await login(auth)).access_token))

    await auth[Account].close_account(password=PASSWORD, identity=identity)
    await auth.mail.idle()

    assert (await auth.users.get(identity.id)).status == "closed"
    assert [message for message in caplog.messages if "mail" in message] == []


def test_settings_that_can_not_work_are_refused() -> None:
    with pytest.raises(ValueError, match="soft or hard"):
        Account(closing="now")  # type: ignore[arg-type]  # that is the point
