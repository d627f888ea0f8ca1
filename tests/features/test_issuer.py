"""Introspection (RFC 7662): who may ask, and that everything but a live token for the caller is just inactive."""

import base64
import json
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any
from urllib.parse import quote_plus, urlencode

import pytest

from asgi_auth import (
    Argon2,
    Auth,
    AuthMiddleware,
    IntrospectionClient,
    Issuer,
    Passwords,
    RateLimits,
    Sessions,
    Settings,
)
from asgi_auth.crypto.key_rotation import new_key
from asgi_auth.errors import StorageUnavailableError
from tests.support import ORIGIN, SECRET, Answer, Client, Clock, CountingStorage, login, make_auth, register, who
from tests.web.test_protected_resources import SCOPES, World, a_resource

ISSUER = f"{ORIGIN}/auth"
WORD = "Zq7-tVm2_wR9:xYb4+kN8cPd3%sGf6hJa1eUo5iTwQ0r"
OTHER = "another-Kq7tVm2wR9xYb4kN8cPd3sGf6hJa1eUo5iTwQ0r"
INACTIVE = {"active": False}
FORM = {"content-type": "application/x-www-form-urlencoded"}
KEY = new_key()


def issuer() -> Issuer:
    far = IntrospectionClient(OTHER, audience="https://elsewhere.example")
    return Issuer({"reports": [OTHER, WORD], "a b": WORD, "elsewhere": far})


def make(*more: Any, clock: Clock | None = None, **settings: Any) -> Auth:
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), issuer(), *more]
    settings = {"issuer": ISSUER, "audience": "api", "signing_keys": [KEY]} | settings
    return make_auth(CountingStorage(), features=features, clock=clock or Clock(), **settings)


@pytest.fixture
async def auth() -> AsyncIterator[Auth]:
    async with make() as made:
        await register(made)
        yield made


def basic(name: str, secret: str, *, encoded: bool = True) -> str:
    pair = f"{quote_plus(name)}:{quote_plus(secret)}" if encoded else f"{name}:{secret}"
    return "Basic " + base64.b64encode(pair.encode()).decode()


async def ask(auth: Auth, token: str, authorization: str | None = None, body: str | None = None) -> Answer:
    client = Client(AuthMiddleware(who, auth, mount="/auth"))
    shown = basic("reports", WORD) if authorization is None else authorization
    headers = FORM | ({"authorization": shown} if shown else {})
    text = urlencode({"token": token}) if body is None else body
    return await client.post("/auth/introspect", body=text.encode(), headers=headers)


async def test_a_live_token_is_active_and_tells_its_claims_as_the_database_knows_them(auth: Auth) -> None:
    pair = await login(auth)
    user_id = (await auth.authenticate(pair.access_token)).id
    await auth.users.set_roles(user_id, ["editor"])

    answer = await ask(auth, pair.access_token)
    found = answer.json

    assert (answer.status, answer.header("cache-control")) == (200, "no-store")
    assert (found["active"], found["token_type"], found["sub"]) == (True, "Bearer", user_id)
    assert (found["iss"], found["aud"], found["roles"]) == (ISSUER, "api", ["editor"])
    assert found["exp"] == int(auth.now()) + 900
    assert not {"gen", "ins"} & found.keys()


async def test_all_else_is_exactly_inactive(auth: Auth) -> None:
    assert isinstance(auth.now, Clock)
    expired, ended, refresh = await login(auth), await login(auth), await login(auth)
    auth.now.move(901)
    late = await ask(auth, expired.access_token)
    auth.now.move(-901)
    await auth.end_sessions((await auth.authenticate(ended.access_token)).id)
    head, body, mac = expired.access_token.split(".")
    forged = [f"{head}.{body}.{mac[:-4]}AAAA", "x", "x.y.z", "", "a" * 9000]
    other = make_auth(signing_keys=[KEY], issuer=ISSUER, audience="other", features=auth_features())
    async with other as elsewhere:
        await register(elsewhere)
        forged.append((await login(elsewhere)).access_token)

    texts = [ended.access_token, refresh.refresh_token, *filter(None, forged)]
    answers = [late, *[await ask(auth, text) for text in texts]]

    assert {(answer.status, json.dumps(answer.json)) for answer in answers} == {(200, json.dumps(INACTIVE))}


def auth_features() -> list[Any]:
    return [Passwords(argon2=Argon2.cheap()), Sessions()]


async def test_a_disabled_user_is_inactive_and_the_cache_is_not_asked(auth: Auth) -> None:
    pair = await login(auth)
    identity = await auth.authenticate(pair.access_token)
    storage = auth.storage
    assert isinstance(storage, CountingStorage)
    storage.statements.clear()
    before = await ask(auth, pair.access_token)
    asked = len(storage.statements)
    statement = f"UPDATE auth_sessions SET revoked_at = 1 WHERE id = '{identity.session_id}'"
    await storage.run(statement, {})

    assert (before.json["active"], asked > 0) == (True, True)
    assert (await auth.authenticate(pair.access_token)).id
    assert (await ask(auth, pair.access_token)).json == INACTIVE


async def test_a_caller_sees_only_tokens_of_its_audience(auth: Auth) -> None:
    pair = await login(auth)

    assert (await ask(auth, pair.access_token, basic("elsewhere", OTHER))).json == INACTIVE


async def test_a_service_behind_a_resource_asks_about_the_tokens_of_clients_for_it() -> None:
    service = Issuer({"reports": WORD, "mcp": IntrospectionClient(OTHER, audience=f"{ORIGIN}/mcp")})
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), service]
    clock, shown = Clock(), basic("mcp", OTHER)
    permissions = {"writer": ["notes:write"], "reader": []}
    async with make_auth(
        clock=clock, features=features, issuer=ISSUER, signing_keys=[KEY], permissions=permissions
    ) as auth:
        auth.resources.add(a_resource())
        auth.resources.add(a_resource("/other"))
        user_id = await register(auth)
        await auth.users.set_roles(user_id, ["writer"])
        world = World(auth, clock, await login(auth))
        other, token = await world.let_in(path="/other"), await world.let_in()
        found = (await ask(auth, token, shown)).json
        of_others = [(await ask(auth, *each)).json for each in ((token,), (other, shown), (world.own, shown))]
        own = (await ask(auth, world.own)).json
        forged = (await ask(auth, world.token(issuer="https://elsewhere.example"), shown)).json
        await auth.users.set_roles(user_id, ["reader"])
        lowered = (await ask(auth, token, shown)).json
        await auth.end_sessions(user_id, only=world.session.id)
        ended = (await ask(auth, token, shown)).json

    assert (found["active"], found["aud"], found["client_id"]) == (True, f"{ORIGIN}/mcp", "client-1")
    assert (found["sub"], found["scope"], found["roles"]) == (user_id, SCOPES, [])
    assert (own["active"], "scope" in own) == (True, False)
    assert [*of_others, forged, ended] == [INACTIVE] * 5
    assert (lowered["active"], lowered["scope"]) == (True, "notes:read")


@pytest.mark.parametrize(
    "authorization",
    [basic("reports", WORD), basic("reports", WORD, encoded=False), basic("reports", OTHER), basic("a b", WORD),
     basic("reports", OTHER).replace("Basic", "bAsIc")],
)  # fmt: skip
async def test_secrets_are_encoded_like_forms_or_not_and_rotate(auth: Auth, authorization: str) -> None:
    assert (await ask(auth, (await login(auth)).access_token, authorization)).json["active"]


@pytest.mark.parametrize(
    "authorization",
    ["", basic("reports", WORD + "x"), basic("reports", ""), basic("nobody", WORD), basic("", WORD),
     basic("a b", OTHER), "Basic !", "Basic " + base64.b64encode(b"reports").decode(),
     "Basic " + base64.b64encode(b"\xff:\xff").decode(),
     f"Basic {'A' * 4000}", "Digest x"],
)  # fmt: skip
async def test_a_caller_that_is_not_known_is_refused_whatever_it_asks(auth: Auth, authorization: str) -> None:
    answers = [await ask(auth, text, authorization) for text in ((await login(auth)).access_token, "x")]

    assert {(answer.status, answer.json["error"]) for answer in answers} == {(401, "invalid_client")}
    assert answers[0].header("www-authenticate") == 'Basic realm="programs", charset="UTF-8"'


async def test_the_token_of_a_user_does_not_make_a_caller(auth: Auth) -> None:
    pair = await login(auth)

    assert (await ask(auth, pair.access_token, f"Bearer {pair.access_token}")).status == 401


@pytest.mark.parametrize("body", ["", "token=", "token=a&token=b", "token=%ff"])
async def test_a_request_that_cannot_be_read_is_refused(auth: Auth, body: str) -> None:
    answer = await ask(auth, "", body=body)

    assert (answer.status, answer.json["error"]) == (400, "invalid_request")


async def test_what_cannot_be_known_now_is_not_called_inactive(auth: Auth) -> None:
    pair = await login(auth)
    storage = auth.storage
    assert isinstance(storage, CountingStorage)

    async def away(_: str) -> None:
        raise StorageUnavailableError

    storage.before = away
    answer = await ask(auth, pair.access_token)
    storage.before = None

    assert (answer.status, answer.json["error"]) == (503, "temporarily_unavailable")


async def test_callers_are_limited_before_their_secret_is_judged() -> None:
    async with make(RateLimits({"introspect": "2/m/ip"})) as limited:
        statuses = [(await ask(limited, "x", shown)).status for shown in (None, basic("reports", "wrong"), None)]

    assert statuses == [200, 401, 429]


async def test_the_metadata_names_the_endpoint(auth: Auth) -> None:
    client = Client(AuthMiddleware(who, auth, mount="/auth"))

    found = (await client.get("/.well-known/oauth-authorization-server/auth")).json

    assert found["introspection_endpoint"] == f"{ISSUER}/introspect"
    assert found["introspection_endpoint_auth_methods_supported"] == ["client_secret_basic"]
    assert found["jwks_uri"] == f"{ISSUER}/.well-known/jwks.json"


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"signing_keys": []}, "needs signing_keys"),
        ({"issuer": "asgi-auth"}, "needs issuer='https://app.example.com/auth'"),
        ({"issuer": f"{ISSUER}/"}, "needs issuer="),
        ({"base_url": None}, "needs issuer='base_url and mount'"),
    ],
)
def test_what_others_could_not_verify_is_refused(settings: dict[str, Any], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        make(**settings)


@pytest.mark.parametrize("clients", [{"a": "short"}, {"a": []}, {"": WORD}, {"a": [WORD, "secret"]}])
def test_a_weak_secret_is_refused(clients: Any) -> None:
    with pytest.raises(ValueError, match=r"secret"):
        Issuer(clients)


def test_secrets_are_in_no_text() -> None:
    made = Settings(secret=SECRET, issuer=ISSUER)

    assert WORD not in repr(issuer()) + repr(vars(issuer())) + repr(replace(made, audience="x"))
