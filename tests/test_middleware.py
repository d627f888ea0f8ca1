"""The middleware: who is asking, on every request, without a query; and what makes it refuse."""

from datetime import timedelta
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from asgi_auth import Auth, AuthApp, AuthMiddleware, Identity, current_user, problem, require
from asgi_auth.errors import (
    AuthError,
    ForbiddenError,
    FreshLoginRequiredError,
    TokenExpiredError,
    TokenRevokedError,
    UnauthorizedError,
)
from asgi_auth.model.answers import TokenPair
from tests.support import Client, Clock, CountingStorage, bearer, call, http_scope, login, make_auth, register, who

ACCESS = "__Host-auth"


@pytest.fixture
async def pair(auth: Auth) -> TokenPair:
    await register(auth)
    return await login(auth)


async def test_the_identity_stands_in_the_scope_by_every_name(auth: Auth, pair: TokenPair) -> None:
    seen: list[Scope] = []

    async def host(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        assert current_user() is scope["user"]
        await who(scope, receive, send)

    scope = http_scope("GET", "/", list(bearer(pair).items()))
    await call(AuthMiddleware(host, auth), scope)
    identity = seen[0]["user"]

    assert seen[0]["auth"] is identity
    assert "user" not in scope
    assert identity.is_authenticated
    assert identity.id == identity.identity == identity.display_name == identity.claims["sub"]
    assert identity.scopes == ["authenticated"]
    assert (identity.amr, identity.auth_time, identity.expires_at) == (("pwd",), 1_800_000_000, 1_800_000_900)
    assert identity.session_id == identity.claims["sid"]
    assert repr(identity) == f"<Identity {identity.id}>"
    with pytest.raises(TypeError):
        identity.claims["roles"] = ["admin"]


async def test_no_one_is_an_identity_too() -> None:
    anonymous = current_user()

    assert (anonymous.is_authenticated, anonymous.id, anonymous.scopes, anonymous.roles) == (False, "", [], ())
    assert repr(anonymous) == "<Identity anonymous>"
    with pytest.raises(UnauthorizedError):
        await anonymous.load()


async def test_outside_a_request_no_one_is_the_current_user(client: Client, pair: TokenPair) -> None:
    await client.get("/", headers=bearer(pair))

    assert not current_user().is_authenticated


@pytest.mark.parametrize("value", ["Basic YTpi", "Digest x", "Token x", "", "x", "Bearerx", "Bearer\tx", "Négotiate x"])
async def test_other_schemes_than_bearer_are_no_one_without_error(client: Client, value: str) -> None:
    answer = await client.get("/", headers={"authorization": value})

    assert (answer.json["id"], answer.json["error"]) == ("", None)


@pytest.mark.parametrize(
    "value",
    ["bearer", "Bearer ", "Bearer x", "BEARER  x", "Bearer é", "Bearer x y", "Bearer \t", "Bearer a.b.c, Basic x"],
)
async def test_a_bearer_token_that_is_none_is_no_one_with_an_error(client: Client, value: str) -> None:
    answer = await client.get("/", headers={"authorization": value})

    assert (answer.status, answer.json["id"], answer.json["error"]) == (200, "", "invalid_token")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER", "bEaReR "])
async def test_the_scheme_is_compared_without_case(client: Client, pair: TokenPair, scheme: str) -> None:
    answer = await client.get("/", headers={"authorization": f"{scheme} {pair.access_token}"})

    assert answer.json["transport"] == "bearer"


@pytest.mark.parametrize(
    "headers",
    [
        [("authorization", "Bearer x"), ("authorization", "Bearer x")],
        [("authorization", "Basic x"), ("authorization", "Bearer x")],
    ],
)
async def test_a_doubled_authorization_header_is_a_400(client: Client, headers: list[tuple[str, str]]) -> None:
    answer = await client.get("/", headers=headers)

    assert (answer.status, answer.json["code"]) == (400, "bad_request")


async def test_a_cookie_in_the_second_line_counts_and_similar_names_do_not(client: Client, pair: TokenPair) -> None:
    headers = [("cookie", "a=b; auth=x; __host-auth=x;;="), ("cookie", f'c="d"; {ACCESS}={pair.access_token}')]

    answer = await client.get("/", headers=headers)

    assert answer.json["transport"] == "cookie"


async def test_a_token_and_a_cookie_of_two_users_are_a_400(auth: Auth, client: Client, pair: TokenPair) -> None:
    await register(auth, "eve@example.com")
    eve = await login(auth, "eve@example.com")
    again = await login(auth)

    two = await client.get("/", headers={**bearer(pair), "cookie": f"{ACCESS}={eve.access_token}"})
    same = await client.get("/", headers={**bearer(pair), "cookie": f"{ACCESS}={again.access_token}"})
    broken = await client.get("/", headers={**bearer(pair), "cookie": f"{ACCESS}=x"})

    assert two.status == 400
    assert same.json["transport"] == broken.json["transport"] == "bearer"


async def test_a_token_elsewhere_is_not_looked_at(client: Client, pair: TokenPair) -> None:
    token = str(pair.access_token)
    query = f"access_token={token}&token={token}".encode()
    form = b"access_token=" + token.encode()
    headers = {"x-access-token": token, "x-authorization": f"Bearer {token}", "proxy-authorization": f"Bearer {token}"}

    answer = await client.post("/", body=form, headers=headers, scope={"query_string": query})

    assert answer.json == {"id": "", "roles": [], "transport": "", "error": None}


async def test_required_refuses_no_one_but_lets_options_and_our_routes_through(auth: Auth, pair: TokenPair) -> None:
    client = Client(AuthMiddleware(who, AuthApp(auth, exclude=["register"]), mount="/auth", required=True))

    anonymous, bad = await client.get("/"), await client.get("/", headers=bearer("x.y.z"))

    assert (anonymous.status, anonymous.json["code"], anonymous.header("www-authenticate")) == (
        401,
        "unauthorized",
        "Bearer",
    )
    assert (bad.status, bad.json["code"]) == (401, "invalid_token")
    assert (await client.get("/", headers=bearer(pair))).status == 200
    assert (await client.request("OPTIONS", "/")).status == 200
    assert (await client.post("/auth/login", {})).status == 422
    assert (await client.post("/auth/register", {})).status == 404
    assert (await client.get("/authentic")).status == 401


async def test_what_is_neither_http_nor_websocket_passes_untouched(auth: Auth) -> None:
    seen: list[Scope] = []

    async def host(scope: Scope, _receive: Receive, _send: Send) -> None:
        seen.append(scope)

    await AuthMiddleware(host, auth)({"type": "other"}, None, None)  # type: ignore[arg-type]  # never called

    assert seen == [{"type": "other"}]


async def refusal(scope: Scope, **wanted: Any) -> type[AuthError] | None:
    try:
        assert require(scope, **wanted) is scope["user"]
    except AuthError as error:
        return type(error)
    return None


async def test_require_wants_a_login_all_roles_and_a_fresh_one(auth: Auth, clock: Clock) -> None:
    user_id = await register(auth)
    await auth.users.set_roles(user_id, ["admin", "staff"])
    identity = await auth.authenticate(str((await login(auth)).access_token))
    scope: Scope = {"user": identity, "asgi_auth": identity}
    clock.move(100)

    assert await refusal(scope) is None
    assert await refusal(scope, roles="admin") is None
    assert await refusal(scope, roles=("admin", "staff"), fresh=timedelta(seconds=100)) is None
    assert await refusal(scope, roles=("admin", "root")) is ForbiddenError
    assert await refusal(scope, roles="adm") is ForbiddenError
    assert await refusal(scope, fresh=timedelta(seconds=99)) is FreshLoginRequiredError
    assert identity.scopes == ["authenticated", "admin", "staff"]


async def test_require_fails_closed_where_the_middleware_is_missing(auth: Auth, pair: TokenPair) -> None:
    identity = await auth.authenticate(str(pair.access_token))

    for scope in ({}, {"user": identity}, {"asgi_auth": "admin"}, {"asgi_auth": Identity(error=TokenExpiredError())}):
        with pytest.raises(UnauthorizedError):
            require(scope)


async def test_an_error_of_require_is_answered_by_problem(auth: Auth) -> None:
    async def host(scope: Scope, receive: Receive, send: Send) -> None:
        try:
            require(scope, roles="admin")
        except AuthError as error:
            await problem(error)(scope, receive, send)

    await register(auth)
    client = Client(AuthMiddleware(host, auth))

    assert (await client.get("/")).status == 401
    assert (await client.get("/", headers=bearer(await login(auth)))).status == 403


async def test_a_request_costs_no_statement_and_loading_the_user_costs_one() -> None:
    storage = CountingStorage()
    async with make_auth(storage, max_revocation_lag=60) as auth:
        user_id = await register(auth)
        pair = await login(auth)

        async def host(scope: Scope, receive: Receive, send: Send) -> None:
            assert await scope["user"].load() is await current_user().load()
            await who(scope, receive, send)

        storage.statements.clear()
        for _ in range(3):
            await Client(AuthMiddleware(who, auth)).get("/", headers=bearer(pair))
        assert storage.statements == []

        answer = await Client(AuthMiddleware(host, auth)).get("/", headers=bearer(pair))
        assert answer.json["id"] == user_id
        assert len(storage.statements) == 1


async def test_the_number_of_remembered_tokens_is_bounded() -> None:
    async with make_auth(token_cache=16) as auth:
        await register(auth)
        first = str((await login(auth)).access_token)
        tokens = [str((await login(auth)).access_token) for _ in range(40)]

        for token in (first, *tokens):
            await auth.authenticate(token)
            assert len(auth.verifier._cache) <= 16

        assert (await auth.authenticate(first)).is_authenticated
        with pytest.raises(AuthError):
            await auth.authenticate("x.y.z")
        assert "x.y.z" not in auth.verifier._cache


async def test_a_remembered_token_is_still_judged_by_time_and_revocation(
    auth: Auth, client: Client, clock: Clock, pair: TokenPair
) -> None:
    other = await login(auth)
    for token in (pair, other):
        assert (await client.get("/", headers=bearer(token))).json["error"] is None

    await auth.end_sessions((await auth.authenticate(str(other.access_token))).id, only=(
        await auth.authenticate(str(other.access_token))).session_id)  # fmt: skip
    assert (await client.get("/", headers=bearer(other))).json["error"] == TokenRevokedError.code
    clock.move(929)
    assert (await client.get("/", headers=bearer(pair))).json["error"] is None
    clock.move(1)
    assert (await client.get("/", headers=bearer(pair))).json["error"] == TokenExpiredError.code


@pytest.mark.parametrize("revocation", ["cached", "strict"])
async def test_changed_roles_and_a_disabled_user_show_at_once_in_old_tokens(revocation: str) -> None:
    async with make_auth(revocation=revocation) as auth:
        client = Client(AuthMiddleware(who, auth))
        user_id = await register(auth)
        headers = bearer(await login(auth))
        assert (await client.get("/", headers=headers)).json["roles"] == []

        await auth.users.set_roles(user_id, ["admin"])
        assert (await client.get("/", headers=headers)).json["roles"] == ["admin"]
        await auth.users.set_roles(user_id, [])
        assert (await client.get("/", headers=headers)).json["roles"] == []
        await auth.users.set_status(user_id, "disabled")
        assert (await client.get("/", headers=headers)).json["error"] == "token_revoked"


async def test_what_breaks_while_identifying_is_a_500_of_ours(
    auth: Auth, pair: TokenPair, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    middleware = AuthMiddleware(who, auth)
    monkeypatch.setattr(middleware._authenticator, "from_cache", None)

    answer = await Client(middleware).get("/", headers=bearer(pair))

    assert (answer.status, answer.json["code"]) == (500, "internal_error")
    assert "failed to authenticate" in caplog.text
