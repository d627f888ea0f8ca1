"""The dependencies of FastAPI: what they demand, how tests replace them, and what the docs say of them."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import pytest
from fastapi import FastAPI, WebSocket
from openapi_spec_validator import validate

from asgi_auth import Auth, AuthMiddleware, Identity
from asgi_auth.feature import User
from asgi_auth.hosts.fastapi import (
    CurrentUser,
    OptionalUser,
    StoredUser,
    VerifiedUser,
    get_stored_user,
    get_user,
    install,
    merge_openapi,
    require,
)
from asgi_auth.testing import as_user
from tests.hosts.inprocess import LocalConnect
from tests.support import EMAIL, Client, bearer, login, make_auth, register

api = FastAPI()
install(api)


@api.get("/me")
async def me(user: CurrentUser) -> str:
    return user.id


@api.get("/maybe")
async def maybe(user: OptionalUser) -> str:
    return user.id if user is not None else "nobody"


@api.get("/verified")
async def verified(user: VerifiedUser) -> str:
    return user.id


@api.get("/address")
def address(user: StoredUser) -> str:
    return user.email


@api.get("/admin", dependencies=[require(roles="admin")])
async def admin() -> str:
    return "admin"


@api.get("/staff")
async def staff(user: Annotated[Identity | None, require(optional=True, roles="staff")]) -> str:
    return user.id if user is not None else "nobody"


@api.get("/write")
async def write(user: Annotated[Identity, require(permissions="posts:write")]) -> str:
    return user.id


@api.websocket("/socket")
async def socket(websocket: WebSocket, user: CurrentUser) -> None:
    await websocket.accept()
    await websocket.send_text(user.id)


@pytest.fixture
async def auth() -> AsyncIterator[Auth]:
    async with make_auth(permissions={"staff": {"posts:write"}}) as made:
        yield made


@pytest.fixture
def overrides() -> Any:
    """The overrides of the app; none are left after a test."""
    yield api.dependency_overrides
    api.dependency_overrides.clear()


async def answers(client: Client, *paths: str) -> dict[str, Any]:
    found = {path: await client.get(path) for path in paths}
    return {path: answer.json if answer.status == 200 else answer.json["code"] for path, answer in found.items()}


async def test_each_dependency_demands_what_it_says(auth: Auth) -> None:
    user_id = await register(auth)
    app = AuthMiddleware(api, auth)
    paths = ("/me", "/maybe", "/verified", "/address", "/admin", "/staff", "/write")

    stranger = await answers(Client(app), *paths)
    forged = await answers(Client(app, bearer("x.y.z")), "/maybe", "/me")
    logged_in = await answers(Client(app, bearer(await login(auth))), *paths)
    await auth.users.set_roles(user_id, ["staff"])
    colleague = await answers(Client(app, bearer(await login(auth))), "/staff", "/write")

    assert stranger == dict.fromkeys(paths, "unauthorized") | {"/maybe": "nobody", "/staff": "nobody"}
    assert forged == {"/maybe": "nobody", "/me": "invalid_token"}
    refused = {"/verified": "email_not_verified", "/admin": "forbidden", "/staff": "forbidden", "/write": "forbidden"}
    assert logged_in == {"/me": user_id, "/maybe": user_id, "/address": EMAIL} | refused
    assert colleague == {"/staff": user_id, "/write": user_id}


def made_up(*roles: str) -> Identity:
    """A user who does not exist anywhere."""
    return Identity.of_credential("test", stored("u1", roles))


def a_user() -> Identity:
    """A user without roles."""
    return made_up()


def stored(name: str, roles: tuple[str, ...] = ()) -> User:
    """An account with a verified address."""
    email = f"{name}@example.com"
    known: dict[str, Any] = {"email": email, "email_canonical": email, "email_verified": True}
    return User(id=name, roles=roles, created_at=0, updated_at=0, **known)


async def test_one_override_replaces_the_user_of_every_guard(overrides: dict[Any, Any]) -> None:
    overrides[get_user] = lambda: made_up("staff")

    found = await answers(Client(api), "/me", "/maybe", "/verified", "/address", "/admin", "/staff")
    async with LocalConnect(api)("/socket", []) as opened:
        heard = await opened.recv()

    assert found == {
        "/me": "u1", "/maybe": "u1", "/verified": "u1", "/address": "u1@example.com", "/admin": "forbidden",
        "/staff": "u1",
    }  # fmt: skip
    assert heard == "u1"


async def test_overrides_and_users_of_the_kit_work_together(auth: Auth, overrides: dict[Any, Any]) -> None:
    """An override switches a guard off, and the kit says who asks; an override of the user counts in dependencies."""
    client = Client(AuthMiddleware(api, auth, mount="/auth"))
    paths = ("/me", "/admin", "/staff", "/write")

    with as_user(roles="staff") as ada:
        before = await answers(client, *paths)
        overrides[require(roles="admin").dependency] = lambda: None
        switched_off = await answers(client, *paths)
        overrides[get_user] = a_user
        both = await answers(client, *paths)
    overrides.clear()
    after = await answers(client, *paths)

    known = {"/me": ada.id, "/staff": ada.id, "/write": ada.id}
    assert before == known | {"/admin": "forbidden"}
    assert switched_off == known | {"/admin": "admin"}
    assert both == {"/me": "u1", "/admin": "admin", "/staff": "forbidden", "/write": "forbidden"}
    assert after == dict.fromkeys(paths, "unauthorized") | {"/staff": "nobody"}


async def test_a_guard_is_replaced_by_its_demands(overrides: dict[Any, Any]) -> None:
    overrides[require(roles="admin").dependency] = lambda: None
    overrides[get_stored_user] = lambda: stored("u2")

    found = await answers(Client(api), "/admin", "/staff", "/me", "/address")

    assert found == {"/admin": "admin", "/staff": "nobody", "/me": "unauthorized", "/address": "u2@example.com"}
    assert len({require(roles="admin").dependency, require(roles=["admin"]).dependency}) == 1
    assert len({require().dependency, require(optional=True).dependency, require(verified=True).dependency}) == 3


async def test_the_docs_ask_for_a_login_once_and_say_where_it_is_optional(auth: Auth) -> None:
    app = FastAPI(routes=api.routes)
    install(app)
    merge_openapi(app, auth, mount="/auth")
    app.openapi()
    document = app.openapi()
    paths = document["paths"]

    validate(document)
    (name,) = document["components"]["securitySchemes"]
    assert paths["/me"]["get"]["security"] == paths["/auth/me"]["get"]["security"] == [{name: []}]
    assert paths["/maybe"]["get"]["security"] == paths["/staff"]["get"]["security"] == [{}, {name: []}]
    own = api.openapi()
    assert own["components"]["securitySchemes"].keys() == {"asgi_auth"}
    assert own["paths"]["/maybe"]["get"]["security"] == [{}, {"asgi_auth": []}]
