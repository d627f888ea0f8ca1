"""Fake providers of OAuth 2 behave as GitHub and Discord do."""

from asgi_auth.testing.provider import TROUBLES, Lie, discord, github, linkedin
from tests.providers.honest_client import CALLBACK, HonestClient

EMAILS = [
    {"email": "ann@example.com", "primary": True, "verified": True, "visibility": "private"},
    {"email": "old@example.com", "primary": False, "verified": False, "visibility": None},
]


async def test_github_has_a_number_and_the_addresses_apart() -> None:
    provider = github()
    provider.add_user("583231", login="ann", emails=EMAILS)
    client = HonestClient(provider)
    pair = {"client_id": "app", "client_secret": client.secret, "redirect_uri": CALLBACK}
    form = {"code": await client.code(scope="user:email"), "code_verifier": client.verifier} | pair
    answer = await client.http.post(
        "https://github.com/login/oauth/access_token",
        data={"grant_type": "authorization_code", **form},
        headers={"accept": "application/json"},
    )
    token = answer.json()["access_token"]

    assert (await client.read("user", token)).json()["id"] == 583231
    assert (await client.read("user", token)).json()["email"] is None
    assert (await client.read("emails", token)).json() == EMAILS
    assert (await client.read("user", "unknown")).status_code == 401
    assert "id_token" not in answer.json()


async def test_github_answers_errors_with_status_200_and_a_form() -> None:
    provider = github()
    provider.add_user("7")
    client = HonestClient(provider)

    answer = await client.token(code="unknown")

    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/x-www-form-urlencoded"
    assert "error=invalid_grant" in answer.text


async def test_discord_has_the_address_in_the_user() -> None:
    provider = discord()
    provider.add_user("80351110224678912", email="ann@example.com", verified=True)
    client = HonestClient(provider)
    token = (await client.login(scope="identify email"))["access_token"]

    user = (await client.read("user", token)).json()

    assert (user["id"], user["email"], user["verified"]) == ("80351110224678912", "ann@example.com", True)


async def test_a_provider_of_oauth_lies_and_has_troubles() -> None:
    provider = discord()
    provider.add_user("7", email="ann@example.com")
    client = HonestClient(provider)
    token = (await client.login())["access_token"]
    provider.lies(Lie(user={"id": 7}))
    lied = (await client.read("user", token)).json()
    provider.trouble["user"] = TROUBLES["500"]

    assert lied["id"] == 7
    assert (await client.read("user", token)).status_code == 500


async def test_linkedin_has_the_claims_at_another_server() -> None:
    provider = linkedin()
    provider.add_user("7", email="ann@example.com", email_verified=True)
    client = HonestClient(provider)

    user = await client.read("user", (await client.login(scope="openid email"))["access_token"])

    assert str(user.url) == "https://api.linkedin.com/v2/userinfo"
    assert user.json() == {"sub": "7", "email": "ann@example.com", "email_verified": True}
