"""Forged access tokens against an app that lets no one in without a login: none reaches it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from asgi_auth import Auth, AuthMiddleware
from asgi_auth.crypto.keys import SigningKey
from tests.crypto.test_keys import pem
from tests.sessions.forging import CLAIMS, HEADER, HEADERS, forge
from tests.support import Client, bearer, login, make_auth, register


class Guarded:
    """An app that counts who got through to it."""

    def __init__(self, auth: Auth) -> None:
        self.reached = 0
        self.client = Client(AuthMiddleware(self, auth, mount="/auth", required=True))

    async def __call__(self, _scope: Scope, _receive: Receive, send: Send) -> None:
        self.reached += 1
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"secret"})


@pytest.fixture
async def claims(auth: Auth) -> dict[str, Any]:
    await register(auth)
    return dict((await auth.authenticate(str((await login(auth)).access_token))).claims)


async def test_a_token_that_we_could_have_written_gets_through(auth: Auth, claims: dict[str, Any]) -> None:
    guarded = Guarded(auth)

    answer = await guarded.client.get("/", headers=bearer(forge(HEADER, claims)))

    assert (answer.status, guarded.reached) == (200, 1)


@pytest.mark.parametrize("header", HEADERS.values(), ids=HEADERS.keys())
async def test_no_token_with_another_header_gets_through(auth: Auth, claims: dict[str, Any], header: Any) -> None:
    guarded = Guarded(auth)
    token = forge(header, claims)

    for forged in (token, forge(header, claims, b""), token.rpartition(".")[0] + "."):
        for place in (bearer(forged), {"cookie": f"__Host-auth={forged}"}):
            answer = await guarded.client.get("/", headers=place)
            assert (answer.status, answer.json["code"]) == (401, "invalid_token")
    assert guarded.reached == 0


@pytest.mark.parametrize("change", CLAIMS.values(), ids=CLAIMS.keys())
async def test_no_token_with_claims_of_another_gets_through(
    auth: Auth, claims: dict[str, Any], change: Callable[[dict[str, Any]], Any]
) -> None:
    guarded = Guarded(auth)

    answer = await guarded.client.get("/", headers=bearer(forge(HEADER, change(claims))))

    assert (answer.status, answer.json["code"], guarded.reached) == (401, "invalid_token", 0)


@pytest.mark.parametrize("signing", [False, True], ids=["secret", "signing key"])
@pytest.mark.parametrize("name", ["audience", "issuer"])
async def test_a_token_for_another_service_with_the_same_key_is_refused(
    name: str, tmp_path: Path, *, signing: bool
) -> None:
    """Services of one database: with a secret the key differs by service, with a signing key the claims do."""
    url, other = f"sqlite:///{tmp_path}/auth.db", dict[str, Any]({name: "billing"})
    keys = [SigningKey.from_pem(pem("EdDSA"), "EdDSA", "k1")] if signing else []
    async with make_auth(url, signing_keys=keys) as ours, make_auth(url, signing_keys=keys, **other) as theirs:
        await register(theirs)
        pair = await login(theirs)
        guarded = Guarded(ours)

        answer = await guarded.client.get("/", headers=bearer(pair))

        assert (answer.status, answer.json["code"], guarded.reached) == (401, "invalid_token", 0)
        assert (await theirs.authenticate(str(pair.access_token))).claims[
            {"audience": "aud", "issuer": "iss"}[name]
        ] == "billing"


async def test_a_token_in_a_key_of_its_own_choice_fetches_nothing(
    auth: Auth, claims: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def dial(*_: object) -> None:
        raise AssertionError("something was fetched")

    guarded = Guarded(auth)
    monkeypatch.setattr("socket.socket.connect", dial)
    monkeypatch.setattr("socket.getaddrinfo", dial)

    for name in ("jku", "x5u"):
        header = HEADER | {name: "https://keys.example.com/jwks.json"}
        assert (await guarded.client.get("/", headers=bearer(forge(header, claims)))).status == 401
    assert guarded.reached == 0
