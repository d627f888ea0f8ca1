"""Sign-up by mail, a forgotten password, and what ends a session."""

import httpx
import pytest
from fastapi.testclient import TestClient

from asgi_auth import Auth
from asgi_auth.testing import Clock, Outbox, login_cookies, login_headers, make_user

ADA = {"email": "ada@example.com", "password": "correct horse battery"}


async def test_sign_up_by_mail(http: httpx.AsyncClient, auth_outbox: Outbox) -> None:
    asked = await http.post("/auth/register", json=ADA)
    assert asked.status_code == 202
    assert (await http.post("/auth/login", json=ADA)).status_code == 401
    proof = {"request": asked.json()["request"], "code": auth_outbox.code(ADA["email"])}
    assert (await http.post("/auth/verify-email", json=proof)).status_code == 204

    tokens = (await http.post("/auth/login", json=ADA)).json()

    shown = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await http.get("/billing", headers=shown)).json() == "ada@example.com"


def test_a_forgotten_password(client: TestClient, auth_outbox: Outbox) -> None:
    asked = client.post("/auth/register", json=ADA).json()
    client.post("/auth/verify-email", json={"request": asked["request"], "code": auth_outbox.code()})

    asked = client.post("/auth/forgot-password", json={"email": ADA["email"]}).json()
    code = auth_outbox.code(ADA["email"], purpose="reset_password")
    body = {"request": asked["request"], "code": code, "new_password": "staple battery horse"}
    assert client.post("/auth/reset-password", json=body).status_code == 204

    assert client.post("/auth/login", json=ADA).status_code == 401
    assert client.post("/auth/login", json=ADA | {"password": "staple battery horse"}).status_code == 200


async def test_a_code_expires(http: httpx.AsyncClient, auth_outbox: Outbox, auth_clock: Clock) -> None:
    asked = (await http.post("/auth/register", json=ADA)).json()
    auth_clock.move(days=2)
    proof = {"request": asked["request"], "code": auth_outbox.code(ADA["email"])}
    assert (await http.post("/auth/verify-email", json=proof)).status_code == 400


async def test_a_ban_and_a_lost_role_work_at_once(auth: Auth, http: httpx.AsyncClient) -> None:
    user = await make_user(auth, roles="writer")
    http.headers.update(await login_headers(auth, user))
    assert (await http.post("/notes?text=hello")).status_code == 201

    await auth.users.set_roles(user.id, ["reader"])
    assert (await http.post("/notes?text=hello")).status_code == 403
    await auth.users.ban(user.id)
    assert (await http.get("/notes")).status_code == 401


async def test_cookies_are_renewed_when_the_access_token_has_expired(
    auth: Auth, http: httpx.AsyncClient, auth_clock: Clock
) -> None:
    http.cookies.update(await login_cookies(auth, await make_user(auth, roles="reader")))
    auth_clock.move(minutes=16)
    renewed = await http.get("/notes")
    assert renewed.status_code == 200
    assert len(renewed.headers.get_list("set-cookie")) == 2
    auth_clock.move(days=31)
    assert (await http.get("/notes")).status_code == 401


@pytest.mark.parametrize("number", range(2))
async def test_each_test_begins_without_users(auth: Auth, number: int) -> None:
    assert number in {0, 1}
    assert await auth.users.count() == 0
    await make_user(auth, ADA["email"])
