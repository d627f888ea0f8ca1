"""The rules for codes, tokens and sessions of clients, each by what an attacker or a broken client would send."""

import asyncio
import base64
import hashlib
import json
from collections.abc import Awaitable, Callable
from urllib.parse import urlencode

import pytest

from asgi_auth import Resource
from asgi_auth.errors import InvalidTokenError
from tests.oauth.world import FORM, LOCAL, SCOPES, SECRET, World, answered, make
from tests.support import EMAIL, ORIGIN, PASSWORD, Clock, CountingStorage, login

WRONG: dict[str, dict[str, str]] = {
    "verifier": {"code_verifier": "w" * 43},
    "short verifier": {"code_verifier": "v"},
    "redirect": {"redirect_uri": "http://127.0.0.1:33419/callback"},
    "client": {"client_id": "another"},
}


@pytest.mark.parametrize("what", WRONG)
async def test_a_wrong_request_uses_the_code_up(world: World, what: str) -> None:
    client_id, other = await world.register_client(), await world.register_client(LOCAL, name="Other")
    code = await world.code(client_id)

    changes = {"client_id": other} if what == "client" else WRONG[what]
    assert (await world.redeem(**({"client_id": client_id, "code": code} | changes))).json["error"] == "invalid_grant"

    assert (await world.redeem(client_id, code)).json["error"] == "invalid_grant"


async def test_a_code_lives_a_minute_and_ends_its_session_when_it_is_shown_again(world: World, clock: Clock) -> None:
    client_id = await world.register_client()
    code, late = await world.code(client_id), await world.code(client_id)

    answers = await asyncio.gather(*(world.redeem(client_id, code) for _ in range(16)))
    assert sorted(answer.status for answer in answers) == [200] + [400] * 15
    [first] = [answer.json for answer in answers if answer.status == 200]
    again = await world.redeem(client_id, code)

    assert again.json["error"] == "invalid_grant"
    assert (await world.use(first["access_token"])).status == 401
    assert (await world.refresh(client_id, first["refresh_token"])).json["error"] == "invalid_grant"
    clock.move(61)
    assert (await world.redeem(client_id, late)).json["error"] == "invalid_grant"
    for forged in ("x", code[:-1] + ("A" if code[-1] != "A" else "B"), "a.b.c", "ä.ö.ü"):
        assert (await world.redeem(client_id, forged)).json["error"] == "invalid_grant"


async def test_a_consent_that_is_withdrawn_between_code_and_tokens_gives_nothing(world: World) -> None:
    client_id = await world.register_client()
    code = await world.code(client_id)
    [app] = (await world.browser.get("/auth/connected-apps")).json["apps"]
    await world.browser.request("DELETE", f"/auth/connected-apps/{app['id']}")

    assert (await world.redeem(client_id, code)).json["error"] == "invalid_grant"


async def test_a_consent_that_is_given_again_does_not_revive_an_older_code(world: World) -> None:
    client_id = await world.register_client()
    code = await world.code(client_id)
    [app] = (await world.browser.get("/auth/connected-apps")).json["apps"]
    await world.browser.request("DELETE", f"/auth/connected-apps/{app['id']}")
    assert (await world.connect(client_id))["scope"]

    assert (await world.redeem(client_id, code)).json["error"] == "invalid_grant"


async def log_out_everywhere(world: World) -> None:
    assert (await world.browser.post("/auth/logout-all", {})).status == 200


async def by_the_host(world: World) -> None:
    assert await world.auth.end_sessions(str((await world.browser.get("/auth/me")).json["id"]))


@pytest.mark.parametrize("end", [log_out_everywhere, by_the_host])
async def test_a_code_ends_with_all_sessions(world: World, end: Callable[[World], Awaitable[None]]) -> None:
    client_id = await world.register_client()
    code, tokens = await world.code(client_id), await world.connect(client_id)

    await end(world)

    assert (await world.redeem(client_id, code)).json["error"] == "invalid_grant"
    assert (await world.refresh(client_id, tokens["refresh_token"])).json["error"] == "invalid_grant"


async def test_nothing_is_read_after_a_code_was_used_up(clock: Clock) -> None:
    storage = CountingStorage()
    async with make(clock, storage=storage) as auth:
        world = World(auth, clock)
        await world.log_in()
        client_id = await world.register_client()
        code = await world.code(client_id)
        storage.statements.clear()

        assert (await world.redeem(client_id, code)).status == 200

        begun = next(n for n, each in enumerate(storage.statements) if "INSERT INTO {sessions}" in each)
        assert not [each for each in storage.statements[begun + 1 :] if each.lstrip().startswith("SELECT")]


async def test_a_verifier_is_long_enough(world: World) -> None:
    client_id = await world.register_client()
    for verifier, error in (("v" * 42, "invalid_grant"), ("v" * 42 + "é", "invalid_grant"), ("w" * 128, None)):
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).decode().rstrip("=")
        code = await world.code(client_id, code_challenge=challenge)
        assert (await world.redeem(client_id, code, code_verifier=verifier)).json.get("error") == error


async def test_a_forged_code_ends_no_session(world: World) -> None:
    client_id = await world.register_client()
    code = await world.code(client_id)
    tokens = (await world.redeem(client_id, code)).json
    session_id, secret, mac = code.split(".")

    for forged in (f"{session_id}.x.{mac}", f"{session_id}.{secret}.x", f"{session_id}.{secret}.{mac}x"):
        assert (await world.redeem(client_id, forged)).json["error"] == "invalid_grant"

    assert (await world.use(tokens["access_token"])).status == 200


async def test_a_token_tells_when_and_how_the_user_logged_in(world: World, clock: Clock) -> None:
    client_id = await world.register_client()
    before = int(clock())
    clock.move(100)

    body = (await world.connect(client_id))["access_token"].split(".")[1]

    claims = json.loads(base64.urlsafe_b64decode(body + "=="))
    assert (claims["auth_time"], claims["amr"], claims["aud"]) == (before, ["pwd"], f"{ORIGIN}/mcp")
    assert (claims["client_id"], claims["scope"], claims.get("roles", [])) == (client_id, "notes:read notes:write", [])


async def test_a_refresh_is_of_its_client_resource_and_kind(world: World) -> None:
    client_id, other = await world.register_client(), await world.register_client(LOCAL, name="Other")
    tokens = await world.connect(client_id)
    token = tokens["refresh_token"]

    assert (await world.refresh(other, token)).json["error"] == "invalid_grant"
    assert (await world.refresh("reports", token, client_secret=SECRET)).json["error"] == "invalid_grant"
    assert (await world.refresh(client_id, token, resource="https://evil.example")).json["error"] == "invalid_target"
    assert (await world.token(grant_type="refresh_token", refresh_token=token)).json["error"] == "invalid_request"
    own = await login(world.auth)
    assert (await world.refresh(client_id, own.refresh_token)).json["error"] == "invalid_grant"
    owns = {"grant_type": "refresh_token", "refresh_token": token, "client_id": client_id}
    answer = await world.program.request("POST", "/auth/token", body=urlencode(owns).encode(), headers=FORM)
    assert (answer.status, answer.json["error"]) == (400, "invalid_grant")
    assert (await world.program.post("/auth/refresh", {"refresh_token": token})).status == 401
    narrow = await world.refresh(client_id, token, scope="notes:read", resource=f"{ORIGIN}/mcp")
    assert narrow.json["scope"] == "notes:read"
    wide = await world.refresh(client_id, narrow.json["refresh_token"])
    assert wide.json["scope"] == "notes:read notes:write"
    assert wide.cookies == {}


async def test_a_refresh_token_of_a_client_is_not_genuine_among_those_of_users(world: World) -> None:
    reader = world.auth.refresh_tokens
    theirs, own = str((await world.connect(await world.register_client()))["refresh_token"]), await login(world.auth)

    for token, grant in ((theirs, True), (str(own.refresh_token), False)):
        assert reader.read(token, grant=grant)[1] == 0
        with pytest.raises(InvalidTokenError):
            reader.read(token, grant=not grant)


async def test_tokens_are_of_the_resource_that_the_user_was_shown(clock: Clock) -> None:
    parts = {path: Resource(path, scopes=SCOPES) for path in ("/mcp", "/files")}
    async with make(clock, resources=parts) as auth:
        world = World(auth, clock)
        await world.log_in()
        client_id, files = await world.register_client(), f"{ORIGIN}/files"
        assert answered(await world.page(client_id, resource=None))["error"] == "invalid_target"
        refused = await world.redeem(client_id, await world.code(client_id), resource=files)
        tokens = await world.connect(client_id)

        assert refused.json["error"] == "invalid_target"
        again = await world.refresh(client_id, tokens["refresh_token"], resource=files)
        assert again.json["error"] == "invalid_target"
        assert (await world.use(tokens["access_token"], "/files")).status == 401
        assert (await world.use(tokens["access_token"])).status == 200


async def test_clients_have_no_other_grants(world: World) -> None:
    client_id = await world.register_client()
    given = {"username": EMAIL, "password": PASSWORD, "client_id": client_id}
    for grant_type in ("password", "client_credentials", "urn:ietf:params:oauth:grant-type:device_code", "", "code"):
        answer = await world.token(grant_type=grant_type, **given)
        assert (answer.status, answer.json["error"]) == (400, "unsupported_grant_type"), grant_type
        assert "authorization_code or refresh_token" in answer.json["error_description"]


async def test_parallel_refreshes_get_the_same_successor_and_a_late_one_ends_the_session(
    world: World, clock: Clock
) -> None:
    client_id = await world.register_client()
    tokens = await world.connect(client_id)

    answers = await asyncio.gather(*(world.refresh(client_id, tokens["refresh_token"]) for _ in range(12)))
    successors = {answer.json["refresh_token"] for answer in answers}
    clock.move(59)
    late = await world.refresh(client_id, tokens["refresh_token"])

    assert len(successors) == 1
    assert late.json["refresh_token"] in successors
    newer = await world.refresh(client_id, late.json["refresh_token"])
    clock.move(61)
    await world.use(newer.json["access_token"])
    assert (await world.refresh(client_id, late.json["refresh_token"])).json["error"] == "invalid_grant"
    assert (await world.use(newer.json["access_token"])).status == 401
    assert (await world.browser.get("/auth/connected-apps")).status == 200


async def test_two_consents_at_once_make_one_grant_and_more_sessions_end_the_oldest(world: World) -> None:
    client_id = await world.register_client()
    pages = [await world.page(client_id, scope=scope) for scope in ("notes:read", "notes:write", "notes:read")]
    await asyncio.gather(*(world.decide(page) for page in pages))

    tokens = []
    for _ in range(12):
        world.clock.move(1)
        tokens.append(await world.connect(client_id))

    [app] = (await world.browser.get("/auth/connected-apps")).json["apps"]
    assert app["scopes"] == {"/mcp": ["notes:read", "notes:write"]}
    alive = [(await world.use(each["access_token"])).status for each in tokens]
    assert alive == [401, 401] + [200] * 10
    assert (await world.browser.get("/auth/me")).status == 200


async def test_each_holder_of_a_token_of_a_client_may_revoke_it(world: World) -> None:
    client_id = await world.register_client()
    for kind in ("access_token", "refresh_token"):
        tokens = await world.connect(client_id)
        body = urlencode({"token": tokens[kind]}).encode()
        headers = {"content-type": "application/x-www-form-urlencoded"}
        assert (await world.program.request("POST", "/auth/revoke", body=body, headers=headers)).status == 200
        assert (await world.use(tokens["access_token"])).status == 401
