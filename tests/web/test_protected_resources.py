"""Protected resources: the path of a request decides whose tokens count there, and what a refusal tells the client."""

import json
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from starlette.responses import JSONResponse
from starlette.types import Receive, Scope, Send

from asgi_auth import Auth, AuthMiddleware, Sessions, current_user, require
from asgi_auth.errors import ForbiddenError, InsufficientScopeError, InvalidTokenError, SessionNeededError
from asgi_auth.model.answers import TokenPair
from asgi_auth.model.records import Client as Caller
from asgi_auth.model.records import Credential, Session
from asgi_auth.sessions.new_session import new_session
from asgi_auth.sessions.resources import ProtectedResource, ProtectedResources
from asgi_auth.web.cookies import Cookies
from tests.support import EMAIL, ORIGIN, Answer, Client, Clock, CountingStorage, login, make_auth, register

ISSUER = f"{ORIGIN}/auth"
METADATA = f"{ORIGIN}/.well-known/oauth-protected-resource/mcp"
SCOPES = "notes:read notes:write"


def a_resource(path: str = "/mcp", **changes: Any) -> ProtectedResource:
    values: dict[str, Any] = {"path": path, "url": ORIGIN + path, "issuer": ISSUER, "metadata_url": METADATA}
    return ProtectedResource(**{**values, "scopes": ("notes:read", "notes:write"), **changes})


async def host(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer who asks; `/mcp/write` needs a scope, and the body comes back."""
    assert scope["type"] == "http"
    user = current_user()
    if scope["path"].endswith("/write"):
        require(scope, scopes="notes:write")
    body = (await receive())["body"] if scope["method"] == "POST" else b""
    content = {"id": user.id, "client": user.client, "scopes": user.scopes, "roles": user.roles, "body": body.decode()}
    await JSONResponse(content)(scope, receive, send)


class World:
    """A service with resources, a user, and what lets a client in."""

    def __init__(self, auth: Auth, clock: Clock, own: TokenPair) -> None:
        self.auth = auth
        self.clock = clock
        self.own = str(own.access_token)
        self.client = Client(AuthMiddleware(host, auth, mount="/auth"))

    async def let_in(self, scope: str = SCOPES, path: str = "/mcp", roles: tuple[str, ...] = ()) -> str:
        """Let a client in; return its access token. Its sessions have the user's roles in no claim."""
        user, now = await self.auth.users.by_email(EMAIL), int(self.clock())
        grant = Credential(
            id=f"grant {path} {scope}",
            user_id=user.id,
            kind="oauth_grant",
            identifier=f"{path} {scope}",
            secret="",
            created_at=now,
            updated_at=now,
        )
        await self.auth.storage.add_credential(grant)
        made = new_session(user, ("pwd", "mfa"), Caller(), self.clock(), 3600)
        self.session = Session(
            **{name: getattr(made, name) for name in made.__struct_fields__} | {"grant_id": grant.id}
        )
        assert await self.auth.storage.add_session(self.session, grant, 9) is not None
        return self.token(scope, path, roles)

    def token(self, scope: str = SCOPES, path: str = "/mcp", roles: tuple[str, ...] = (), issuer: str = ISSUER) -> str:
        claims = {"client_id": "client-1", "scope": scope}
        made = self.auth.access_tokens.make
        return made(self.session, roles, {}, issuer=issuer, audience=ORIGIN + path, ttl=3600, client=claims)[0]

    async def get(self, path: str, token: str) -> Answer:
        return await self.client.get(path, headers={"authorization": f"Bearer {token}"})

    async def call(self, body: bytes, token: str, **headers: str) -> Answer:
        sent = {"authorization": f"Bearer {token}", "content-type": "application/json", **headers}
        return await self.client.request("POST", "/mcp", body=body, headers=sent)


@pytest.fixture
async def world(clock: Clock) -> AsyncIterator[World]:
    permissions = {"writer": ["notes:write", "billing:pay"], "reader": []}
    async with make_auth(clock=clock, permissions=permissions) as auth:
        auth.resources.add(a_resource(calls={"write": ("notes:write",), "pay": ("notes:write", "billing:pay")}))
        auth.resources.add(a_resource("/mcp/admin"))
        auth.resources.add(a_resource("/open", own=True))
        auth.revocation.keep(3600)
        user_id = await register(auth)
        await auth.users.set_roles(user_id, ["writer"])
        yield World(auth, clock, await login(auth))


async def test_a_token_counts_at_its_resource_and_nowhere_else(world: World) -> None:
    tokens = {"own": world.own}
    for path in ("/mcp", "/mcp/admin", "/open"):
        tokens[path] = await world.let_in(path=path)
    paths = ["/", "/notes", "/mcpx", "/auth/me", "/mcp", "/mcp/", "/mcp/x/y", "/mcp/administer"]
    paths += ["/mcp/admin", "/mcp/admin/", "/mcp/admin/x", "/open", "/open/x"]
    accepted = set()

    for name, token in tokens.items():
        for path in paths * 2:
            answer = await world.get(path, token)
            is_in = answer.status == 200 and answer.json.get("id")
            accepted |= {(name, path)} if is_in else set()
            assert is_in or answer.status in {200, 401}, path

    own = {("own", path) for path in ("/", "/notes", "/mcpx", "/auth/me", "/open", "/open/x")}
    mcp = {("/mcp", path) for path in ("/mcp", "/mcp/", "/mcp/x/y", "/mcp/administer")}
    admin = {("/mcp/admin", path) for path in ("/mcp/admin", "/mcp/admin/", "/mcp/admin/x")}
    assert accepted == own | mcp | admin | {("/open", "/open"), ("/open", "/open/x")}


async def test_a_token_of_another_issuer_with_our_key_is_refused(world: World) -> None:
    await world.let_in()

    for token in (world.token(issuer="asgi_auth"), world.token(issuer=f"{ISSUER}/"), world.token(path="/mcp/")):
        assert (await world.get("/mcp", token)).status == 401


async def test_a_client_has_its_scopes_and_nothing_else_of_its_user(world: World) -> None:
    token = await world.let_in("notes:read notes:write", roles=("writer",))
    found = (await world.get("/mcp", token)).json

    assert (found["client"], found["roles"], found["scopes"]) == (
        "client-1",
        [],
        ["authenticated", "notes:read", "notes:write"],
    )
    identity = await world.auth.verifier.verify_client(token, a_resource())
    assert (identity.kind, identity.permissions) == ("client", frozenset())
    assert identity.require(scopes=("notes:read", "notes:write")) is identity
    demands: list[dict[str, Any]] = [
        {"roles": "writer"},
        {"fresh": timedelta(days=1)},
        {"second_factor": True},
        {"permissions": "notes:write"},
        {"scopes": "billing:pay"},
    ]
    for demand in demands:
        with pytest.raises(ForbiddenError):
            identity.require(**demand)
    with pytest.raises(SessionNeededError):
        await world.auth[Sessions].sessions(identity=identity)


async def test_the_user_meets_scopes_but_those_that_are_permissions_of_others(world: World) -> None:
    own = await world.auth.authenticate(world.own)

    assert own.client is None
    assert own.require(scopes=("notes:read", "notes:write")) is own
    await world.auth.users.set_roles(own.id, ["reader"])
    now = await world.auth.authenticate(world.own)
    assert now.require(scopes="notes:read") is now
    with pytest.raises(InsufficientScopeError):
        now.require(scopes="notes:write")


@pytest.mark.parametrize("seen", ["seen", ""])
async def test_a_scope_that_is_a_permission_goes_with_the_role_of_the_user(world: World, seen: str) -> None:
    token = await world.let_in()
    assert not seen or (await world.get("/mcp/write", token)).status == 200

    await world.auth.users.set_roles((await world.auth.users.by_email(EMAIL)).id, ["reader"])

    assert (await world.get("/mcp", token)).json["scopes"] == ["authenticated", "notes:read"]
    assert (await world.get("/mcp/write", token)).status == 403
    confirmed = await world.auth.verifier.confirm(await world.auth.verifier.verify_client(token, a_resource()))
    assert (confirmed.roles, confirmed.scopes) == ((), ["authenticated", "notes:read"])


async def test_a_refusal_says_where_a_token_comes_from_and_for_which_scopes(world: World) -> None:
    token = await world.let_in("notes:read")
    named = f'scope="notes:read notes:write", resource_metadata="{METADATA}"'

    for answer in (await world.client.get("/mcp"), await world.client.post("/mcp/x", {})):
        assert (answer.status, answer.header("www-authenticate")) == (401, f"Bearer {named}")
    for bad in ("x", world.own):
        wrong = await world.get("/mcp", bad)
        assert wrong.status == 401
        assert str(wrong.header("www-authenticate")).startswith('Bearer error="invalid_token"')
        assert str(wrong.header("www-authenticate")).endswith(named)
    lacking = await world.get("/mcp/write", token)
    challenge = f'Bearer error="insufficient_scope", scope="notes:write", resource_metadata="{METADATA}"'
    assert (lacking.status, lacking.header("www-authenticate")) == (403, challenge)
    for answer in (lacking, wrong):
        assert answer.header("access-control-allow-origin") == "*"
        assert answer.header("access-control-expose-headers") == "www-authenticate"
    assert (await world.client.request("OPTIONS", "/mcp", headers={"origin": "https://x.example"})).status == 200
    beside = await world.client.get("/notes", headers={"authorization": "Bearer x"})
    assert "resource_metadata" not in str(beside.headers)


async def test_cookies_count_only_where_a_resource_takes_sessions_of_users(world: World) -> None:
    world.client.cookies = {Cookies(world.auth.settings).access: world.own}

    assert (await world.client.get("/mcp")).status == 401
    assert (await world.client.get("/open")).json["client"] is None
    assert (await world.client.post("/open", {}, headers={"origin": "https://evil.example"})).status == 403
    assert (await world.client.post("/open", {}, headers={"origin": ORIGIN})).status == 200


async def test_an_ended_session_and_an_expired_token_end_at_once(world: World) -> None:
    token = await world.let_in()
    other = await world.let_in("notes:read")
    assert [(await world.get("/mcp", each)).status for each in (token, other)] == [200, 200]

    await world.auth.revocation.sync()
    await world.auth.end_sessions(world.session.user_id, only=world.session.id)
    answers = [(await world.get("/mcp", each)).status for each in (token, other)]
    world.clock.move(3700)

    assert answers == [200, 401]
    assert (await world.get("/mcp", token)).status == 401
    with pytest.raises(InvalidTokenError):
        world.auth.access_tokens.read(token)


async def test_a_seen_token_is_not_trusted_on_old_knowledge(world: World) -> None:
    token = await world.let_in()
    assert (await world.get("/mcp", token)).status == 200

    # Another process ends the session, and this one has no news.
    await world.auth.storage.end_sessions(world.session.user_id, int(world.clock()), only=world.session.id)
    world.auth.revocation.fresh_until = float("-inf")

    assert (await world.get("/mcp", token)).status == 401


async def test_an_end_is_known_as_long_as_the_tokens_of_clients_live(world: World) -> None:
    token = await world.let_in()
    await world.auth.end_sessions(world.session.user_id, only=world.session.id)

    # Longer than a token of the user lives.
    world.clock.move(world.auth.settings.access_ttl + 300)
    await world.auth.revocation.sync()

    assert (await world.get("/mcp", token)).status == 401


async def test_a_seen_token_needs_no_query_at_a_resource_as_at_the_host(clock: Clock) -> None:
    storage = CountingStorage()
    async with make_auth(storage, clock=clock) as auth:
        auth.resources.add(a_resource(calls={"write": ("notes:write",)}))
        await register(auth)
        world = World(auth, clock, await login(auth))
        token = await world.let_in()
        for number in range(3):
            answers = [await world.get("/notes", world.own), await world.get("/mcp", token)]
            answers.append(await world.call(called("write"), token))
            assert [answer.status for answer in answers] == [200, 200, 200]
            # The first use of a token is stored.
            assert bool(storage.statements) == (number == 0)
            storage.statements.clear()


def called(*names: str) -> bytes:
    calls = [{"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": name}} for name in names]
    return json.dumps(calls if len(calls) > 1 else calls[0]).encode()


async def test_a_call_of_a_tool_is_judged_before_the_host_sees_it(world: World) -> None:
    reader, writer = await world.let_in("notes:read"), await world.let_in()

    assert (await world.call(called("read"), reader)).json["body"] == called("read").decode()
    assert (await world.call(called("write"), writer)).json["body"] == called("write").decode()
    for body in (called("write"), called("read", "write")):
        refused = await world.call(body, reader)
        assert refused.status == 403
        assert 'scope="notes:write"' in str(refused.header("www-authenticate"))
    assert 'scope="billing:pay notes:write"' in str((await world.call(called("pay"), writer)).headers)
    for body in (called("write").decode().encode("utf-16"), b"{", b""):
        assert (await world.call(body, reader)).status == 400
    assert (await world.call(called("write"), writer, **{"mcp-name": "read"})).status == 400
    assert (await world.call(called("write"), writer, **{"mcp-name": "write"})).status == 200
    assert (await world.call(b"[" + b" " * world.auth.settings.max_body + b"]", writer)).status == 413


def test_the_longest_path_comes_first_whatever_the_order() -> None:
    resources = ProtectedResources()
    assert resources.found == []
    for path in ("/a", "/a/b/c", "/a/b"):
        resources.add(a_resource(path))

    found = {path: resources.at(path) for path in ("/a", "/a/b", "/a/b/c/d", "/a/bc", "/ab", "/")}

    assert {path: each and each.path for path, each in found.items()} == {
        "/a": "/a",
        "/a/b": "/a/b",
        "/a/b/c/d": "/a/b/c",
        "/a/bc": "/a",
        "/ab": None,
        "/": None,
    }
    assert resources.at("/a//b", "/a/b") is resources.at("/a/b")
