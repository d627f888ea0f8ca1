"""Second factors, passkeys, and the provider."""

import httpx
import pytest

from asgi_auth import Auth
from asgi_auth.testing import Clock, FakeProvider, Outbox, Passkey, login_headers, make_user, totp_code

ADA = {"email": "ada@example.com", "password": "correct horse battery"}


async def with_totp(auth: Auth, http: httpx.AsyncClient, clock: Clock) -> str:
    """Set up an authenticator app for Ada, an administrator, and return its secret."""
    user = await make_user(auth, ADA["email"], password=ADA["password"], roles="admin")
    headers = await login_headers(auth, user)
    setup = (await http.post("/auth/totp/setup", json={}, headers=headers)).json()
    proof = {"request": setup["request"], "code": totp_code(setup["secret"], clock)}
    assert (await http.post("/auth/totp", json=proof, headers=headers)).status_code == 200
    clock.move(30)
    secret: str = setup["secret"]
    return secret


async def test_an_administrator_clears_the_notes_after_both_factors(
    auth: Auth, http: httpx.AsyncClient, auth_clock: Clock
) -> None:
    secret = await with_totp(auth, http, auth_clock)
    first = (await http.post("/auth/login", json=ADA)).json()
    assert first["code"] == "second_factor_required"

    wrong = {"pending": first["pending"], "code": totp_code(secret, auth_clock() + 3600)}
    assert (await http.post("/auth/login/totp", json=wrong)).status_code == 401
    right = {"pending": first["pending"], "code": totp_code(secret, auth_clock)}
    tokens = (await http.post("/auth/login/totp", json=right)).json()

    shown = {"Authorization": f"Bearer {tokens['access_token']}"}
    assert (await http.delete("/notes", headers=shown)).status_code == 204


async def test_a_passkey_logs_in(auth: Auth, http: httpx.AsyncClient) -> None:
    device, user = Passkey(origin=auth.settings.origin or ""), await make_user(auth, roles="reader")
    headers = await login_headers(auth, user)
    options = (await http.post("/auth/passkeys/options", json={}, headers=headers)).json()["options"]
    made = await http.post("/auth/passkeys", json={"credential": device.create(options)}, headers=headers)
    assert made.status_code == 201

    options = (await http.post("/auth/login/passkey/options", json={})).json()["options"]
    tokens = (await http.post("/auth/login/passkey", json={"credential": device.get(options)})).json()
    assert (await http.get("/notes", headers={"Authorization": f"Bearer {tokens['access_token']}"})).status_code == 200


async def by_provider(http: httpx.AsyncClient, provider: FakeProvider) -> httpx.Response:
    """Log in at the provider, as a browser."""
    begun = await http.get("/auth/oidc/corp/login")
    assert begun.status_code == 303
    return await http.get((await provider.visit(begun.headers["location"])).url)


async def test_a_login_by_the_provider_makes_an_account(
    auth: Auth, http: httpx.AsyncClient, provider: FakeProvider
) -> None:
    assert (await by_provider(http, provider)).status_code == 303
    assert (await http.get("/billing")).json() == "grace@example.com"
    assert await auth.users.count() == 1


async def test_an_address_that_the_provider_has_not_verified_is_proven_by_mail(
    auth: Auth, http: httpx.AsyncClient, provider: FakeProvider, auth_outbox: Outbox
) -> None:
    provider.add_user("7", email="grace@example.com", email_verified=False)
    assert (await by_provider(http, provider)).status_code == 202
    assert auth_outbox.code("grace@example.com")
    assert await auth.users.count() == 0


@pytest.mark.parametrize("lie", ["alg none", "another aud", "expired", "another nonce", "HS256 with the public key"])
async def test_a_provider_that_lies_logs_no_one_in(http: httpx.AsyncClient, provider: FakeProvider, lie: str) -> None:
    provider.lies(lie)
    assert (await by_provider(http, provider)).status_code in {400, 401}
    assert (await http.get("/plan")).status_code == 401
