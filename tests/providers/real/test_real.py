"""The real providers run, and log a user in: what the tests of flows build on."""

import hashlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, quote_plus, urlencode, urlsplit

import httpx2
import jwt
import pytest

from asgi_auth.testing.provider.jose import b64
from tests.providers.real import glewlwyd, oidc_provider
from tests.providers.real.visiting import visit_glewlwyd, visit_oidc_provider

CALLBACK = "http://localhost:8000/auth/oidc/real/callback"
VERIFIER = "v" * 43
#: The challenge of the verifier.
CHALLENGE = b64(hashlib.sha256(VERIFIER.encode()).digest())


@pytest.fixture
async def http() -> AsyncIterator[httpx2.AsyncClient]:
    async with httpx2.AsyncClient(timeout=30) as made:
        yield made


async def asked(http: httpx2.AsyncClient, issuer: str) -> tuple[dict[str, Any], str]:
    """The metadata of a provider, and the URL that asks it for a code."""
    metadata: dict[str, Any] = (await http.get(f"{issuer}/.well-known/openid-configuration")).json()
    query = {
        "response_type": "code",
        "client_id": "app",
        "redirect_uri": CALLBACK,
        "scope": "openid email profile",
        "state": "the-state",
        "nonce": "the-nonce",
        "code_challenge": CHALLENGE,
        "code_challenge_method": "S256",
    }
    return metadata, f"{metadata['authorization_endpoint']}?{urlencode(query)}"


async def exchanged(
    http: httpx2.AsyncClient, metadata: dict[str, Any], back: str, secret: str, verifier: str = VERIFIER
) -> httpx2.Response:
    """Exchange the code of a way back."""
    code = parse_qs(urlsplit(back).query)["code"][0]
    form = {"grant_type": "authorization_code", "code": code, "redirect_uri": CALLBACK, "code_verifier": verifier}
    return await http.post(metadata["token_endpoint"], data=form, auth=("app", quote_plus(secret)))


async def verified(http: httpx2.AsyncClient, metadata: dict[str, Any], token: str) -> dict[str, Any]:
    """The claims of an ID token that PyJWT accepts."""
    keys = jwt.PyJWKSet.from_dict((await http.get(metadata["jwks_uri"])).json()).keys
    alg = jwt.get_unverified_header(token)["alg"]
    key = next(key for key in keys if key.algorithm_name == alg)
    found: dict[str, Any] = jwt.decode(token, key, [alg], audience="app", issuer=metadata["issuer"])
    return found


async def test_oidc_provider_logs_in_and_remembers_it(http: httpx2.AsyncClient) -> None:
    client = oidc_provider.client([CALLBACK])
    with oidc_provider.oidc_provider(client) as issuer:
        metadata, url = await asked(http, issuer)
        back = await visit_oidc_provider(url, "ann", CALLBACK, http=http)
        answer = (await exchanged(http, metadata, back, oidc_provider.CLIENT_SECRET)).json()
        claims = await verified(http, metadata, answer["id_token"])
        user = await http.get(
            metadata["userinfo_endpoint"], headers={"authorization": f"Bearer {answer['access_token']}"}
        )
        silent = await http.get(url)

    assert (claims["sub"], claims["nonce"]) == ("ann", "the-nonce")
    assert user.json() == {"sub": "ann", "email": "ann@example.com", "email_verified": True, "name": "ann"}
    assert parse_qs(urlsplit(back).query)["iss"] == [issuer]
    assert silent.headers["location"].startswith(CALLBACK)


async def test_glewlwyd_logs_in_and_checks_pkce(http: httpx2.AsyncClient, tmp_path: Path) -> None:
    with glewlwyd.glewlwyd(tmp_path, [CALLBACK]) as issuer:
        metadata, url = await asked(http, issuer)
        back = await visit_glewlwyd(url, CALLBACK, http=http)
        wrong = await exchanged(http, metadata, back, glewlwyd.CLIENT_SECRET, "w" * 43)
        back = await visit_glewlwyd(url, CALLBACK, http=http)
        answer = (await exchanged(http, metadata, back, glewlwyd.CLIENT_SECRET)).json()
        claims = await verified(http, metadata, answer["id_token"])
        back = await visit_glewlwyd(url, CALLBACK, http=http)
        again = (await exchanged(http, metadata, back, glewlwyd.CLIENT_SECRET)).json()
        later = await verified(http, metadata, again["id_token"])

    assert wrong.json()["error"] == "invalid_code"
    assert (claims["email"], claims["nonce"]) == ("ann@example.com", "the-nonce")
    # The subject is no name, and stays.
    assert claims["sub"] == later["sub"] != "ann"
