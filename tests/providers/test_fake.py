"""The fake provider is honest until it lies: another library accepts its tokens, and it refuses mistakes of clients."""

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx2
import jwt
import pytest

from asgi_auth.testing.provider import FakeProvider, RegisteredClient
from asgi_auth.testing.provider.jose import half_hash
from asgi_auth.testing.provider.wire import RefusedError
from tests.providers.honest_client import CALLBACK, HonestClient
from tests.providers.serving import served
from tests.support import Clock

ISSUER = "https://id.example.com"


@pytest.fixture
def provider() -> FakeProvider:
    made = FakeProvider(ISSUER, redirect_uris=[CALLBACK])
    made.add_user("7", email="ann@example.com", email_verified=True, name="Ann", hd="example.com")
    return made


@pytest.fixture
def client(provider: FakeProvider) -> HonestClient:
    return HonestClient(provider)


def accepted(provider: FakeProvider, token: str, keys: dict[str, Any]) -> dict[str, Any]:
    """The claims of an ID token that PyJWT accepts."""
    kid = jwt.get_unverified_header(token)["kid"]
    key = next(key for key in jwt.PyJWKSet.from_dict(keys).keys if key.key_id == kid)
    found: dict[str, Any] = jwt.decode(token, key, [provider.alg], audience="app", issuer=provider.issuer)
    return found


@pytest.mark.parametrize("alg", ["RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA"])
async def test_an_honest_id_token_is_accepted_by_another_library(alg: str) -> None:
    provider = FakeProvider(ISSUER, alg=alg)
    provider.add_user("7", email="ann@example.com")
    client = HonestClient(provider)

    answer = await client.login()
    claims = accepted(provider, answer["id_token"], (await client.read("keys")).json())

    assert (claims["sub"], claims["email"], claims["nonce"]) == ("7", "ann@example.com", client.nonce)
    assert claims["at_hash"] == half_hash(answer["access_token"], alg)


async def test_the_documents_name_the_endpoints(provider: FakeProvider, client: HonestClient) -> None:
    metadata = (await client.http.get(f"{ISSUER}/.well-known/openid-configuration")).json()

    assert metadata["issuer"] == ISSUER
    assert metadata["token_endpoint"] == provider.url("token")
    assert metadata["authorization_response_iss_parameter_supported"] is True
    assert (await client.http.get(f"{ISSUER}/nothing")).status_code == 404


@pytest.mark.parametrize("issuer", [f"{ISSUER}/", f"{ISSUER}/tenant/v2.0"])
async def test_an_issuer_may_have_a_path(issuer: str) -> None:
    provider = FakeProvider(issuer)
    provider.add_user("7")

    claims = await HonestClient(provider).claims()

    assert claims["iss"] == issuer
    assert provider.url("token") == f"{issuer.rstrip('/')}/token"


async def test_scopes_choose_the_claims(client: HonestClient) -> None:
    whole = await client.claims()
    few = await client.claims(scope="openid")

    assert {"email", "email_verified", "name", "hd"} <= whole.keys()
    assert {"email", "email_verified", "name", "hd"} & few.keys() == {"hd"}


async def test_claims_stand_where_the_provider_shows_them(provider: FakeProvider, client: HonestClient) -> None:
    provider.shown_at = ["userinfo"]

    answer = await client.login()
    info = (await client.read("userinfo", answer["access_token"])).json()

    assert "email" not in await client.claims()
    assert info == {"sub": "7", "email": "ann@example.com", "email_verified": True, "name": "Ann", "hd": "example.com"}
    assert (await client.read("userinfo", "unknown")).status_code == 401
    assert (await client.read("userinfo")).status_code == 401


async def test_the_browser_comes_back_with_code_state_and_iss(client: HonestClient) -> None:
    way = await client.back()

    assert way.parameters.keys() == {"code", "state", "iss"}
    assert (way.parameters["state"], way.parameters["iss"]) == ("the state", ISSUER)
    assert way.url.startswith(f"{CALLBACK}?code=")
    assert way.response.location == way.url


async def test_a_form_carries_the_answer_where_the_client_asks_for_it(client: HonestClient) -> None:
    way = await client.back(response_mode="form_post")

    assert way.url == CALLBACK
    assert f'<form method="post" action="{CALLBACK}">' in way.response.body.decode()
    assert f'value="{way.parameters["code"]}"' in way.response.body.decode()


async def test_without_a_visitor_a_page_asks_for_the_user(provider: FakeProvider, client: HonestClient) -> None:
    provider.add_user("8", name="<Bob>")
    provider.visitor = None

    page = await client.http.get(client.begin())
    chosen = parse_qs(urlsplit(client.begin()).query)
    form = {name: value for name, (value,) in chosen.items()} | {"user": "8"}
    back = await client.http.post(provider.url("authorization"), data=form)
    code = parse_qs(urlsplit(back.headers["location"]).query)["code"][0]

    assert "&lt;Bob&gt;" in page.text
    assert (await client.token(code=code)).status_code == 200
    assert (await client.back(prompt="none")).parameters["error"] == "login_required"


@pytest.mark.parametrize(
    ("change", "error"),
    [
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "email"}, "invalid_scope"),
    ],
)
async def test_a_wrong_request_comes_back_as_an_error(client: HonestClient, change: dict[str, str], error: str) -> None:
    parameters = (await client.back(**change)).parameters

    assert (parameters["error"], parameters["state"]) == (error, "the state")
    assert "code" not in parameters


@pytest.mark.parametrize(
    "change", [{"redirect_uri": "https://evil.example/"}, {"redirect_uri": ""}, {"client_id": "unknown"}]
)
async def test_a_browser_is_sent_to_known_addresses_only(client: HonestClient, change: dict[str, str]) -> None:
    with pytest.raises(RefusedError):
        await client.back(**change)

    assert (await client.http.get(client.begin(**change))).status_code == 400


async def test_a_user_may_refuse(provider: FakeProvider, client: HonestClient) -> None:
    provider.refuses = "access_denied"

    assert (await client.back()).parameters["error"] == "access_denied"


async def test_pkce_is_checked(client: HonestClient) -> None:
    wrong = await client.token(code=await client.code(), code_verifier="x" * 43)
    short = await client.token(code=await client.code(), code_verifier="x")
    absent = await client.token(code=await client.code(), code_verifier="")

    assert [answer.json()["error"] for answer in (wrong, short, absent)] == ["invalid_grant"] * 3


async def test_a_code_works_once_and_its_second_use_ends_the_tokens(client: HonestClient) -> None:
    code = await client.code()
    first = await client.token(code=code)
    before = await client.read("userinfo", first.json()["access_token"])
    second = await client.token(code=code)
    after = await client.read("userinfo", first.json()["access_token"])

    assert (first.status_code, second.status_code) == (200, 400)
    assert (before.status_code, after.status_code) == (200, 401)


async def test_a_code_is_bound_to_its_client_its_address_and_its_time() -> None:
    clock = Clock()
    provider = FakeProvider(ISSUER, now=clock)
    provider.add_user("7")
    provider.add_client(RegisteredClient("other", "the secret of another client"))
    client, other = HonestClient(provider), HonestClient(provider, "other", "the secret of another client")

    stolen = await other.token(code=await client.code(), code_verifier=client.verifier)
    moved = await client.token(code=await client.code(), redirect_uri="https://app.example.com/other")
    late = await client.code()
    clock.move(61)

    assert [answer.json()["error"] for answer in (stolen, moved, await client.token(code=late))] == [
        "invalid_grant"
    ] * 3


async def test_refresh_tokens_come_with_offline_access(client: HonestClient) -> None:
    without = await client.login()
    first = await client.login(scope="openid offline_access")
    google = await client.login(access_type="offline")
    renewed = await client.token(grant_type="refresh_token", refresh_token=first["refresh_token"])

    assert "refresh_token" not in without
    assert "refresh_token" in google
    assert renewed.json()["access_token"] != first["access_token"]
    assert "refresh_token" not in renewed.json()
    assert (await client.token(grant_type="refresh_token", refresh_token="x")).json()["error"] == "invalid_grant"
    assert (await client.token(grant_type="password")).json()["error"] == "unsupported_grant_type"


async def test_a_refresh_token_is_replaced_where_the_provider_rotates(
    provider: FakeProvider, client: HonestClient
) -> None:
    provider.grants.rotates = True
    first = (await client.login(access_type="offline"))["refresh_token"]
    second = (await client.token(grant_type="refresh_token", refresh_token=first)).json()["refresh_token"]

    assert second != first
    assert (await client.token(grant_type="refresh_token", refresh_token=first)).status_code == 400


async def test_access_tokens_expire() -> None:
    clock = Clock()
    provider = FakeProvider(ISSUER, now=clock)
    provider.add_user("7")
    client = HonestClient(provider)
    token = (await client.login())["access_token"]
    before = await client.read("userinfo", token)
    clock.move(3600)

    assert (before.status_code, (await client.read("userinfo", token)).status_code) == (200, 401)


async def test_a_fresh_login_is_made_where_the_client_asks_for_it() -> None:
    clock = Clock()
    provider = FakeProvider(ISSUER, now=clock)
    provider.add_user("7")
    provider.auth_time = int(clock()) - 3600
    client = HonestClient(provider)
    times = [(await client.claims(**more))["auth_time"] for more in ({}, {"max_age": "7200"})]
    fresh = [(await client.claims(**more))["auth_time"] for more in ({"max_age": "0"}, {"prompt": "login"})]

    assert times == [clock() - 3600] * 2
    assert fresh == [clock()] * 2


async def test_keys_rotate(provider: FakeProvider, client: HonestClient) -> None:
    first = await client.login()
    provider.rotate("b")
    second = await client.login()
    both = (await client.read("keys")).json()
    provider.rotate("c", keep=False)

    assert accepted(provider, first["id_token"], both)["sub"] == accepted(provider, second["id_token"], both)["sub"]
    assert [key["kid"] for key in (await client.read("keys")).json()["keys"]] == ["c"]


async def test_it_serves_browsers_behind_a_real_server() -> None:
    provider = FakeProvider("http://127.0.0.1")
    provider.add_user("7", email="ann@example.com")
    async with served(provider) as url, httpx2.AsyncClient() as http:
        provider.issuer = url
        client = HonestClient(provider, verifier="v" * 43)
        client.http = http
        metadata = (await http.get(f"{url}/.well-known/openid-configuration")).json()
        back = await http.get(client.begin())
        code = parse_qs(urlsplit(back.headers["location"]).query)["code"][0]
        answer = await client.token(code=code)
        doubled = await http.get(f"{client.begin()}&state=another")
        no_form = await http.post(provider.url("token"), json={})
        large = await http.post(provider.url("token"), data={"code": "x" * 100_000})

    assert metadata["issuer"] == url
    assert back.status_code == 303
    assert answer.json()["id_token"].count(".") == 2
    assert (doubled.status_code, no_form.status_code, large.status_code) == (400, 415, 413)


async def test_a_served_app_ends_with_a_test_that_fails(provider: FakeProvider) -> None:
    url = ""

    async def fail() -> None:
        nonlocal url
        async with served(provider) as url:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await fail()

    async with httpx2.AsyncClient() as http:
        with pytest.raises(httpx2.ConnectError):
            await http.get(url)
    assert [task for task in asyncio.all_tasks() if "Server.serve" in str(task.get_coro())] == []
