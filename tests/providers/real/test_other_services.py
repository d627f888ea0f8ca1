"""Our tokens in services of other hands: jose, openid-client, PyJWT and joserfc."""

import asyncio
import json
import subprocess
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from joserfc.jwk import KeySet
from joserfc.jwt import decode

from asgi_auth import Argon2, Auth, AuthMiddleware, Issuer, Passwords, Sessions
from asgi_auth.crypto.jwk import public_set
from asgi_auth.crypto.key_rotation import MAX_AGE, create, rotate
from tests.providers.real.oidc_provider import node
from tests.providers.serving import served
from tests.support import Client, login, make_auth, register, who

FOLDER = Path(__file__).parent
#: Letters that a form encodes: a secret is sent encoded, and compared as it is.
SECRET = "Zq7-tVm2_wR9:xYb4+kN8cPd3%sGf6hJa1eUo5iTwQ0r"
ALGORITHMS = ["EdDSA", "ES256"]


class World:
    """An issuer at a URL, with a token of its newest key and one of the key before."""

    def __init__(self, auth: Auth, url: str, tokens: list[str], user_id: str) -> None:
        self.auth, self.url, self.tokens, self.user_id = auth, url, tokens, user_id


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    path = str(tmp_path / "keys.json")
    made: list[Auth] = []
    create(path, "EdDSA", 0)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await AuthMiddleware(who, made[0], mount="/auth")(scope, receive, send)

    async with served(app) as base:
        features = [Passwords(argon2=Argon2.cheap()), Sessions(), Issuer({"reports & co": SECRET})]
        settings: dict[str, Any] = {"base_url": base, "issuer": f"{base}/auth", "audience": "api", "development": True}
        async with make_auth(features=features, signing_keys_file=path, **settings) as auth:
            made.append(auth)
            user_id = await register(auth)
            old = (await login(auth)).access_token
            rotate(path, 0, 930, "ES256")
            rotate(path, 9 * MAX_AGE, 930)
            auth.keys.reload()
            yield World(auth, f"{base}/auth", [(await login(auth)).access_token, old], user_id)


async def test_jose_and_openid_client_verify_introspect_and_revoke(world: World) -> None:
    async with make_auth(signing_keys=[*world.auth.keys.configured], issuer="https://other.example") as other:
        await register(other)
        foreign = (await login(other)).access_token

    command = [str(node()), "other_service.mjs", world.url, SECRET, *world.tokens, foreign]
    done = await asyncio.to_thread(subprocess.run, command, cwd=FOLDER, capture_output=True, text=True, check=False)

    assert done.returncode == 0, done.stderr
    told = json.loads(done.stdout)
    assert told["verified"] == [["ES256", world.user_id], ["EdDSA", world.user_id]]
    assert told["refused"] == ["ERR_JWT_CLAIM_VALIDATION_FAILED"] * 2 + ["ERR_JOSE_ALG_NOT_ALLOWED"]
    assert [item["active"] for item in told["introspected"]] == [True, True, False, False]
    assert {item["sub"] for item in told["introspected"][:2]} == {world.user_id}
    assert told["introspected"][2:] == [{"active": False}] * 2
    assert told["revoked"] == [{"active": False}] * 3


def by_pyjwt(keys: dict[str, Any], token: str, issuer: str) -> dict[str, Any]:
    key = jwt.PyJWKSet.from_dict(keys)[jwt.get_unverified_header(token)["kid"]]
    return jwt.decode(token, key, ALGORITHMS, audience="api", issuer=issuer)


def by_joserfc(keys: dict[str, Any], token: str, _: str) -> dict[str, Any]:
    return decode(token, KeySet.import_key_set(keys), algorithms=ALGORITHMS).claims  # type: ignore[arg-type]


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # joserfc tells of RFC 9864
@pytest.mark.parametrize("verify", [by_pyjwt, by_joserfc])
async def test_libraries_of_python_verify_tokens_of_both_keys(
    world: World, verify: Callable[[dict[str, Any], str, str], dict[str, Any]]
) -> None:
    client = Client(AuthMiddleware(who, world.auth, mount="/auth"))
    keys = (await client.get("/auth/.well-known/jwks.json")).json

    assert keys == public_set(world.auth.keys.configured)
    for token in world.tokens:
        assert verify(keys, token, world.url)["sub"] == world.user_id
        head, body, mac = token.split(".")
        with pytest.raises(Exception, match=r"(?i)signature"):
            verify(keys, f"{head}.{body}.{'A' * len(mac)}", world.url)
