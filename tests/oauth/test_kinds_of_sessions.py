"""A session of a user is none of a client: every endpoint of the library with the tokens of both, found by the test."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import pytest

from asgi_auth.app import AuthApp
from asgi_auth.model.answers import TokenPair
from tests.oauth.world import FORM, World
from tests.openapi.everything import everything
from tests.support import EMAIL, ORIGIN, PASSWORD, Client, Clock, login

#: Endpoints that read a refresh token, each with the kind of session whose token gives new tokens, or is logged out.
READERS = {
    "refresh": "own",
    "logout": "own",
    "token": "own",
    "client_token": "client",
    "impersonate": "",
}
COOKIE = {"sec-fetch-site": "same-origin", "origin": ORIGIN}


@dataclass
class Kinds:
    """A user, the tokens of a client, the cookies of a browser, and all endpoints."""

    world: World
    client_id: str
    tokens: dict[str, Any]
    cookies: dict[str, str]
    routes: list[tuple[str, Any]]

    async def call(self, path: str, route: Any, headers: dict[str, str]) -> tuple[int, str]:
        """Call an endpoint with made-up fields; return status and code."""
        app = Client(self.world.browser.app)
        fields = dict.fromkeys(route.endpoint.fields, "x") if route.endpoint.method != "GET" else None
        target = f"/auth{path}".replace("{id}", "x").replace("{sid}", "x")
        answer = await app.request(route.endpoint.method, target, json_body=fields, headers=headers)
        is_json = "json" in str(answer.header("content-type")) and answer.status >= 400
        return answer.status, str(answer.json.get("code") or answer.json.get("error")) if is_json else ""

    async def own(self) -> TokenPair:
        """Begin a session of the user: an endpoint may have ended the one before."""
        return await login(self.world.auth)


@pytest.fixture
async def kinds(clock: Clock) -> AsyncIterator[Kinds]:
    async with everything(clock, limits=False, fields=()) as auth:
        world = World(auth, clock)
        await auth.users.create(EMAIL, password=PASSWORD, verified=True)
        await world.form("/auth/login", email=EMAIL, password=PASSWORD)
        client_id = await world.register_client()
        tokens = await world.connect(client_id)
        # The cookies of a browser, with the tokens of the client in their places.
        kept = {
            name: tokens["refresh_token" if name.endswith("-refresh") else "access_token"]
            for name in world.browser.cookies
            if not name.endswith("-device")
        }
        assert len(kept) == 2
        yield Kinds(world, client_id, tokens, kept, [*AuthApp(auth).routes])


async def test_a_token_of_a_client_is_a_login_at_no_endpoint(kinds: Kinds) -> None:
    shown = {"authorization": f"Bearer {kinds.tokens['access_token']}"}
    cookies = COOKIE | {"cookie": "; ".join(f"{name}={value}" for name, value in kinds.cookies.items())}
    guarded = {}

    for path, route in kinds.routes:
        name = route.endpoint.name
        anonymous = await kinds.call(path, route, {})
        by_token, by_cookie = await kinds.call(path, route, shown), await kinds.call(path, route, cookies)
        # A public endpoint answers as it does without a login, or refuses the token.
        assert by_token in {anonymous, (401, "invalid_token")}, name
        assert by_cookie[0] in {anonymous[0], 401}, name
        if anonymous == (401, "unauthorized"):
            guarded[name] = (path, route)
            assert (by_token[0], by_cookie[0]) == (401, 401), name
    assert (await kinds.world.use(kinds.tokens["access_token"])).status == 200

    assert guarded.keys() >= {"me", "sessions", "connected_apps", "answer_client", "users"}
    for name, (path, route) in guarded.items():
        own = await kinds.call(path, route, {"authorization": f"Bearer {(await kinds.own()).access_token}"})
        assert own[1] not in {"unauthorized", "invalid_token"}, name


async def test_a_refresh_token_is_of_its_kind_at_every_endpoint_that_reads_one(kinds: Kinds) -> None:
    readers = {
        item.endpoint.name: (path, item) for path, item in kinds.routes if "refresh_token" in item.endpoint.fields
    }
    assert readers.keys() == READERS.keys()
    for name, (path, route) in readers.items():
        accepted = ""
        for kind in ("own", "client"):
            pair = await kinds.own()
            tokens = await kinds.world.connect(kinds.client_id)
            token = str(pair.refresh_token) if kind == "own" else tokens["refresh_token"]
            fields = {"refresh_token": token}
            if route.endpoint.oauth2:
                fields |= {"grant_type": "refresh_token", "client_id": kinds.client_id}
                body = urlencode(fields).encode()
                answer = await kinds.world.program.request("POST", f"/auth{path}", body=body, headers=FORM)
            else:
                answer = await kinds.world.program.post(f"/auth{path}".replace("{id}", "x"), fields)
            gives = answer.status == 200 and "access_token" in answer.json
            lives = {
                "own": (await kinds.world.use(str(pair.access_token), "/auth/me")).status == 200,
                "client": (await kinds.world.use(tokens["access_token"])).status == 200,
            }
            accepted += kind if gives or not lives[kind] else ""
            assert lives["client" if kind == "own" else "own"], name
        assert accepted == READERS[name], name


async def test_clients_take_no_session_of_the_user(kinds: Kinds) -> None:
    own = await kinds.own()
    for _ in range(60):
        await kinds.world.connect(kinds.client_id)
    listed = (await kinds.world.browser.get("/auth/sessions")).json

    assert (await kinds.world.use(str(own.access_token), "/auth/me")).status == 200
    assert len(listed["sessions"] if isinstance(listed, dict) else listed) == 2
