"""How clients prove which one they are: each method works, and each mistake is refused."""

import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey

from asgi_auth.testing.provider import FakeProvider, RegisteredClient
from asgi_auth.testing.provider.clients import ASSERTION
from asgi_auth.testing.provider.jose import compact, signing_key
from tests.providers.honest_client import HonestClient

ISSUER = "https://id.example.com"
SECRET = "a secret + 100% of: signs / & more"


def provider_with(*methods: str) -> FakeProvider:
    made = FakeProvider(ISSUER, client_id="https://app.example.com/", client_secret=SECRET, methods=methods)
    made.add_user("7")
    return made


def client_of(provider: FakeProvider, secret: str = SECRET) -> HonestClient:
    return HonestClient(provider, next(iter(provider.clients)), secret)


async def test_a_secret_of_any_characters_stands_in_the_header_or_the_form() -> None:
    provider = provider_with("client_secret_basic", "client_secret_post")
    client = client_of(provider)
    pair = {"client_id": client.client_id, "client_secret": SECRET}

    basic = await client.token(code=await client.code())
    post = await client.token(basic=False, code=await client.code(), **pair)
    both = await client.token(basic=True, code=await client.code(), **pair)
    wrong = await client.token(basic=False, code=await client.code(), **(pair | {"client_secret": "x"}))
    empty = await client.token(basic=False, code=await client.code(), client_id=client.client_id)

    assert (basic.status_code, post.status_code, both.status_code) == (200, 200, 400)
    assert (wrong.status_code, empty.status_code) == (401, 401)
    assert wrong.json()["error"] == "invalid_client"


@pytest.mark.parametrize("method", ["client_secret_basic", "client_secret_post"])
async def test_a_provider_accepts_the_methods_that_it_announces(method: str) -> None:
    provider = provider_with(method)
    client = client_of(provider)
    pair = {"client_id": client.client_id, "client_secret": SECRET}

    basic = await client.token(code=await client.code())
    post = await client.token(basic=False, code=await client.code(), **pair)

    assert (basic.status_code == 200, post.status_code == 200) == (method.endswith("basic"), method.endswith("post"))
    assert provider.metadata["token_endpoint_auth_methods_supported"] == [method]


def signed(**changes: Any) -> str:
    """A JWT as a client of Apple makes it for each call."""
    now = int(time.time())
    claims = {"iss": "TEAM", "sub": "app", "aud": ISSUER, "iat": now, "exp": now + 300}
    return compact({"alg": "ES256", "kid": "x"}, claims | changes, signing_key("client", "ES256").sign)


@pytest.fixture
def apple() -> FakeProvider:
    """A provider whose client has a key in place of a secret."""
    made = FakeProvider(ISSUER, methods=["client_secret_post"])
    made.add_user("7")
    assert isinstance(signing_key("client", "ES256").private, EllipticCurvePrivateKey)
    made.add_client(RegisteredClient("app", public_key=signing_key("client", "ES256").pem, team="TEAM"))
    return made


async def test_a_client_with_a_key_signs_its_secret_for_each_call(apple: FakeProvider) -> None:
    client = HonestClient(apple)

    async def status(secret: str) -> int:
        answer = await client.token(basic=False, code=await client.code(), client_id="app", client_secret=secret)
        return answer.status_code

    wrong: list[dict[str, Any]] = [{"iss": "app"}, {"sub": "x"}, {"aud": "https://x"}, {"exp": 1}, {"exp": 2**40}]
    assert await status(signed()) == 200
    assert {await status(signed(**changes)) for changes in wrong} == {401}
    assert {await status(secret) for secret in ("", "a.b.c", signed()[:-8], "x")} == {401}


async def test_a_client_with_a_key_signs_an_assertion(apple: FakeProvider) -> None:
    apple.methods = ["private_key_jwt"]
    apple.add_client(RegisteredClient("app", public_key=signing_key("client", "ES256").pem))
    client = HonestClient(apple)
    form = {"client_assertion_type": ASSERTION, "client_assertion": signed(iss="app")}

    named = await client.token(basic=False, code=await client.code(), client_id="app", **form)
    unnamed = await client.token(basic=False, code=await client.code(), **form)
    other_type = await client.token(basic=False, code=await client.code(), **(form | {"client_assertion_type": "x"}))

    assert (named.status_code, unnamed.status_code, other_type.status_code) == (200, 200, 400)
