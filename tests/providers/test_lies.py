"""Each lie changes what it names, and nothing else; each trouble is what its name says."""

import asyncio
import json
from dataclasses import fields
from typing import Any

import httpx2
import jwt
import pytest

from asgi_auth.testing.provider import ABSENT, LIES, TROUBLES, FakeProvider, Lie
from asgi_auth.testing.provider.jose import decoded, unb64
from asgi_auth.testing.provider.lies import CALLBACKS, CLAIMS, METADATA, SIGNATURES, USERS, changed
from tests.providers.honest_client import HonestClient
from tests.support import Clock

#: Those that change the signature's header or bytes; the others of SIGNATURES are no token of three parts.
FORGED = [name for name, lie in SIGNATURES.items() if not lie.tokens and lie.body is None]
#: What PyJWT has no opinion about: it trusts the header `x`, and takes each algorithm of the key's family.
UNNOTICED = {"a large header"}


@pytest.fixture
def provider() -> FakeProvider:
    # A frozen clock, so that the claims of two logins are the same.
    made = FakeProvider("https://id.example.com", now=Clock())
    made.add_user("7", email="ann@example.com")
    return made


@pytest.fixture
def client(provider: FakeProvider) -> HonestClient:
    return HonestClient(provider)


def different(one: dict[str, Any], other: dict[str, Any]) -> set[str]:
    """The names whose values differ."""
    return {name for name in one.keys() | other.keys() if one.get(name, ABSENT) != other.get(name, ABSENT)}


def test_changes_are_values_functions_or_nothing() -> None:
    honest = {"a": 1, "b": 2, "c": 3}

    assert changed(honest, {"a": 7, "b": lambda value: value * 2, "c": ABSENT, "d": None}) == {
        "a": 7,
        "b": 4,
        "d": None,
    }
    assert honest == {"a": 1, "b": 2, "c": 3}


def test_every_lie_lies() -> None:
    honest = Lie()

    assert len(LIES) == sum(map(len, (SIGNATURES, CLAIMS, CALLBACKS, USERS, METADATA)))
    for name, lie in LIES.items():
        assert [each.name for each in fields(lie) if getattr(lie, each.name) != getattr(honest, each.name)], name


@pytest.mark.parametrize("name", CLAIMS)
async def test_a_lie_in_the_claims_changes_the_claims_it_names(
    provider: FakeProvider, client: HonestClient, name: str
) -> None:
    honest = await client.claims()
    provider.lies(name)
    lied = await client.claims()

    # Each access token has its own `at_hash`. A list of one value beside `azp` differs by `aud` alone.
    assert different(honest, lied) | {"at_hash"} == {*CLAIMS[name].claims, "at_hash"} - {
        each for each in CLAIMS[name].claims if CLAIMS[name].claims[each] is ABSENT and each not in honest
    }


@pytest.mark.parametrize("name", FORGED)
async def test_another_library_refuses_a_forged_token(provider: FakeProvider, client: HonestClient, name: str) -> None:
    key = jwt.PyJWK(provider.key.jwk)
    options: Any = {"verify_exp": False, "verify_iat": False}
    jwt.decode((await client.login())["id_token"], key, ["RS256"], audience="app", options=options)
    provider.lies(name)
    token = (await client.login())["id_token"]

    if name in UNNOTICED:
        jwt.decode(token, key, ["RS256"], audience="app", options=options)
    else:
        with pytest.raises(jwt.InvalidTokenError):
            jwt.decode(token, key, ["RS256"], audience="app", options=options)
    assert token.count(".") == 2


async def test_forged_tokens_are_what_their_names_say(provider: FakeProvider, client: HonestClient) -> None:
    async def forged(name: str) -> tuple[dict[str, Any], dict[str, Any], bytes]:
        provider.lies(name)
        token = (await client.login())["id_token"]
        return *decoded(token), unb64(token.rpartition(".")[2])

    none, stripped, hmac = (
        await forged("alg none"),
        await forged("no signature"),
        await forged("HS256 with the public key"),
    )
    brought, foreign = await forged("a key in the header"), await forged("a foreign key with the same kid")

    assert (none[0]["alg"], none[2]) == ("none", b"")
    assert (stripped[0]["alg"], stripped[2]) == ("RS256", b"")
    assert (hmac[0]["alg"], len(hmac[2])) == ("HS256", 32)
    assert (brought[0]["jwk"]["kty"], brought[0]["kid"], foreign[0]["kid"]) == ("RSA", "a", "a")
    assert len(foreign[2]) == 256


@pytest.mark.parametrize("name", CALLBACKS)
async def test_a_lie_in_the_callback_changes_the_parameter_it_names(
    provider: FakeProvider, client: HonestClient, name: str
) -> None:
    honest = (await client.back()).parameters
    provider.lies(name)
    lied = (await client.back()).parameters

    assert different(dict(honest), dict(lied)) | {"code"} == {*CALLBACKS[name].callback, "code"}


@pytest.mark.parametrize("name", METADATA)
async def test_a_lie_in_the_metadata_changes_the_member_it_names(
    provider: FakeProvider, client: HonestClient, name: str
) -> None:
    provider.lies(name)

    assert different(provider.metadata, (await client.read("metadata")).json()) == {*METADATA[name].metadata}


@pytest.mark.parametrize("name", USERS)
async def test_a_lie_at_userinfo_changes_the_subject(provider: FakeProvider, client: HonestClient, name: str) -> None:
    token = (await client.login())["access_token"]
    provider.lies(name)

    assert (await client.read("userinfo", token)).json().get("sub") != "7"


@pytest.mark.parametrize("endpoint", ["metadata", "keys", "token", "userinfo"])
@pytest.mark.parametrize("name", [name for name in TROUBLES if name not in {"slow", "gone", "five megabytes"}])
async def test_a_trouble_spoils_the_answers_of_its_endpoint(
    provider: FakeProvider, client: HonestClient, endpoint: str, name: str
) -> None:
    provider.trouble[endpoint] = trouble = TROUBLES[name]
    answer = await client.read(endpoint, "token")

    if trouble.status or trouble.location:
        assert answer.status_code == (trouble.status or 302)
        assert answer.headers.get("location", "") == trouble.location
    else:
        with pytest.raises((ValueError, RecursionError, AssertionError)):
            assert isinstance(json.loads(answer.content), dict)


async def test_an_answer_of_five_megabytes_is_right_beside_its_size(
    provider: FakeProvider, client: HonestClient
) -> None:
    provider.trouble["keys"] = TROUBLES["five megabytes"]
    answer = await client.read("keys")

    assert len(answer.content) > 5_000_000
    assert answer.json()["keys"][0]["kid"] == "a"


async def test_a_provider_is_slow_gone_and_back(provider: FakeProvider, client: HonestClient) -> None:
    provider.trouble["keys"] = TROUBLES["slow"]
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await client.read("keys")
    provider.trouble["keys"] = TROUBLES["gone"]
    with pytest.raises(OSError, match="away"):
        await client.read("keys")
    with pytest.raises(httpx2.ConnectError):
        await client.http.get("https://elsewhere.example/")
    provider.tells_the_truth()

    assert (await client.read("keys")).status_code == 200
    assert len(provider.asked("keys")) == 3
