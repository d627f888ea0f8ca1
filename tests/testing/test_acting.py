"""`as_user`: what a guard sees of it, and that no request can be it."""

import asyncio
import subprocess
import sys
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any

import httpx2
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

import asgi_auth
from asgi_auth import Auth, AuthMiddleware, Field, Identity, current_user
from asgi_auth.errors import UnknownRoleError, ValidationError
from asgi_auth.hosts import starlette
from asgi_auth.hosts.fastapi import CurrentUser, install, require
from asgi_auth.testing import as_user, cheap_auth, make_user
from tests.support import Client, Clock, call, http_scope, who
from tests.test_architecture import FILES, ROOT, imports_of, name_of

HOUR = timedelta(hours=1)
#: A server that does not exist: a connection to it would fail.
AWAY = "postgresql://nobody@127.0.0.1:1/none"
GRANTS = {"admin": ["posts:write"], "reader": ["posts:read"]}
EVERYTHING: dict[str, Any] = {"roles": "admin", "mfa": True}


def an_app(auth: Auth) -> AuthMiddleware:
    """An app whose route demands everything that a guard can, as a dependency and in a sync view."""
    api = FastAPI()
    install(api)
    demands: dict[str, Any] = {
        "roles": "admin", "permissions": "posts:write", "verified": True, "second_factor": True, "fresh": HOUR,
    }  # fmt: skip

    @api.get("/vault")
    async def vault(user: Annotated[Identity, require(**demands)]) -> str:
        return user.id

    @api.get("/mail")
    async def mail(user: CurrentUser) -> str:
        return (await user.load()).email

    @starlette.require(**demands)
    def safe(_: Request) -> Response:
        return PlainTextResponse(current_user().id)

    inner = Starlette(routes=[Route("/vault", safe)])
    starlette.install(inner)
    api.mount("/sync", inner)
    return AuthMiddleware(api, auth, mount="/auth", required=True)


@pytest.mark.parametrize("given", ["ada@example.com", 42, object()])
def test_a_user_in_the_place_of_the_app_is_refused(given: Any) -> None:
    with pytest.raises(TypeError, match=r"as_user\(user=\.\.\.\)"):
        as_user(given)


def client(app: Any) -> httpx2.AsyncClient:
    return httpx2.AsyncClient(transport=httpx2.ASGITransport(app), base_url="http://test")


CASES: list[tuple[dict[str, Any], int]] = [
    (EVERYTHING, 200),
    (EVERYTHING | {"roles": ["reader", "admin"]}, 200),
    (EVERYTHING | {"roles": "reader"}, 403),
    (EVERYTHING | {"roles": "reader", "permissions": "posts:write"}, 403),
    (EVERYTHING | {"verified": False}, 403),
    (EVERYTHING | {"mfa": False}, 403),
    (EVERYTHING | {"age": 3601}, 401),
]


@pytest.mark.parametrize("path", ["/vault", "/sync/vault"])
@pytest.mark.parametrize(("options", "expected"), CASES)
async def test_a_guard_sees_what_the_user_has_and_no_database_is_asked(
    path: str, options: Mapping[str, Any], expected: int
) -> None:
    app = an_app(cheap_auth(AWAY, permissions=GRANTS))

    async with client(app) as opened:
        with as_user(**options) as user:
            inside = await opened.get(path)
    async with client(as_user(app, **options)) as wrapped:
        by_the_app = await wrapped.get(path)

    assert (inside.status_code, by_the_app.status_code) == (expected, expected), inside.text
    assert expected != 200 or user.id in inside.text


async def test_the_user_is_a_stored_one_an_id_or_an_address() -> None:
    async with cheap_auth() as auth, client(an_app(auth)) as opened:
        stored = await make_user(auth, "ada@example.com", roles="admin")
        for given, email, roles in ((stored, "ada@example.com", ("admin",)), ("b@x.de", "b@x.de", ()), ("7", None, ())):
            with as_user(user=given) as user:
                assert current_user().id == user.id
                assert user.roles == roles
                answer = await opened.get("/mail")
                assert answer.json() == (email or "user@example.com")
        assert as_user(user="7").user.id == "7"
        assert as_user(user=stored, roles=()).user.roles == ()


async def test_two_users_at_once_stay_apart() -> None:
    auth = cheap_auth(AWAY)
    app = an_app(auth)

    async def mail(name: str) -> list[str]:
        with as_user(app, name):
            async with client(app) as opened:
                return [(await opened.get("/mail")).json() for _ in range(5)]

    names = [f"user{number}@example.com" for number in range(4)]
    assert await asyncio.gather(*map(mail, names)) == [[name] * 5 for name in names]


async def test_blocks_can_be_nested_and_only_the_auth_that_is_named_is_told() -> None:
    one, other = cheap_auth(AWAY), cheap_auth()
    async with other, client(an_app(one)) as of_one, client(an_app(other)) as of_other:
        with as_user(one, "a@example.com"):
            with as_user(one, "b@example.com"):
                assert (await of_one.get("/mail")).json() == "b@example.com"
                assert (await of_other.get("/mail")).status_code == 401
            assert (await of_one.get("/mail")).json() == "a@example.com"


async def test_what_a_login_has_is_there_and_what_none_can_have_is_refused() -> None:
    clock = Clock()
    auth = cheap_auth(AWAY, permissions=GRANTS, now=clock)
    found: list[Identity] = []

    async def note(scope: Any, receive: Any, send: Any) -> None:
        found.append(scope["user"])
        await who(scope, receive, send)

    app = AuthMiddleware(note, auth)
    with as_user(app, roles="reader", permissions="posts:write", claims={"tenant": "acme", "act": {"sub": "boss"}}):
        await call(app, http_scope("GET", "/"))

    (identity,) = found
    assert identity.permissions == {"posts:read", "posts:write"}
    assert identity.scopes == ["authenticated", "reader", "posts:read", "posts:write"]
    assert (identity.kind, identity.transport, identity.amr) == ("session", "bearer", ("pwd",))
    assert (identity.claims["tenant"], identity.actor) == ("acme", "boss")
    assert (identity.auth_time, identity.expires_at) == (int(clock()), int(clock()) + auth.settings.access_ttl)
    for error, options in (
        (UnknownRoleError, {"roles": "editor"}),
        (ValueError, {"permissions": "posts:wriet"}),
        (ValueError, {"permissions": "no name"}),
        (ValueError, {"claims": {"sub": "7"}}),
    ):
        with pytest.raises(error):
            as_user(app, **options)
    with pytest.raises(TypeError, match="needs the app"):
        await as_user(auth)(http_scope("GET", "/"), None, None)  # type: ignore[arg-type]  # never called


async def test_no_request_is_a_user_of_the_kit() -> None:
    """Neither headers, nor cookies, nor keys of the scope say who asks; and a block ends."""
    async with cheap_auth() as auth:
        app = AuthMiddleware(who, auth, mount="/auth")
        with as_user(app, roles="admin"):
            assert (await Client(app).get("/")).json["roles"] == ["admin"]
        headers = [("as-user", "admin"), ("x-user", "admin"), ("cookie", "asgi_auth_testing=admin; user=admin")]
        scope = {"user": as_user().identity(auth), "asgi_auth": as_user().identity(auth), "asgi_auth_testing": "admin"}

        answer = await Client(app).get("/?asgi_auth_testing=admin", headers=headers, scope=scope)

        assert (answer.status, answer.json["id"]) == (200, "")


def test_nothing_of_the_library_imports_the_kit() -> None:
    others = [file for file in FILES if not name_of(file).startswith("testing")]

    assert len(others) > 200
    assert [name_of(file) for file in others if any("asgi_auth.testing" in name for name in imports_of(file))] == []
    assert [name for name, module in asgi_auth.LATER.items() if "testing" in module] == []


def test_the_middleware_is_as_it_was_until_a_test_calls_as_user() -> None:
    script = (
        "from asgi_auth import AuthMiddleware; before = AuthMiddleware.__call__\n"
        "from asgi_auth.testing import as_user, cheap_auth, plugin; cheap_auth()\n"
        "print(AuthMiddleware.__call__ is before, as_user() and AuthMiddleware.__call__ is before)"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], check=True, stdout=subprocess.PIPE, text=True, cwd=ROOT.parent
    )

    assert done.stdout == "True False\n"


FIELDS = [Field("team", required=True), Field("plan", choices=["free", "pro"], default="free"), Field("age", int)]


async def test_a_made_up_user_has_the_defaults_of_extra_fields_and_those_that_are_given() -> None:
    auth = cheap_auth(fields=FIELDS)

    async def fields(request: Request) -> Response:
        return JSONResponse((await request.user.load()).data)

    app = AuthMiddleware(Starlette(routes=[Route("/", fields)]), auth, mount="/auth")
    async with auth:
        stored = await make_user(auth, team="red", age=36)
        expected = {"team": "blue", "plan": "free", "age": None}
        with as_user(auth, data={"team": "blue"}) as made_up:
            assert made_up.data == expected
        with as_user(data={"team": "blue"}) as of_no_auth:
            assert of_no_auth.data == {"team": "blue"}
            assert (await call(app, http_scope("GET", "/"))).json == expected
        with as_user(app, stored, data={"plan": "pro"}):
            assert (await call(app, http_scope("GET", "/"))).json == {"team": "red", "plan": "pro", "age": 36}
        with as_user():
            assert (await call(app, http_scope("GET", "/"))).json == expected | {"team": None}
        for wrong in ({"plan": "gold"}, {"nick": "ada"}):
            with pytest.raises(ValidationError):
                as_user(auth, data=wrong)


def test_a_test_client_without_an_address_says_nothing_about_proxies(caplog: pytest.LogCaptureFixture) -> None:
    auth = cheap_auth()
    app = AuthMiddleware(who, auth, mount="/auth")
    with TestClient(app, base_url="https://app.example.com") as client:
        assert client.get("/auth/me").status_code == 401
    assert "trusted_proxies" not in caplog.text
    by_socket = {**http_scope("GET", "/auth/me"), "client": None}
    asyncio.run(call(app, by_socket))
    assert "requests had no client address, as by a unix socket" in caplog.text
