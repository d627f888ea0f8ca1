"""Endpoints with a permission: who may call them, as the database has it at that moment."""

from collections.abc import Mapping
from typing import Any

import pytest

from asgi_auth import Argon2, Auth, AuthApp, Passwords, Sessions
from asgi_auth.feature import Feature, Identity, Served, delete, get
from asgi_auth.openapi import Info, document
from tests.feature.demanding import user_of
from tests.support import Client, bearer, login, make_auth, register

ROLES = {"editor": ["posts:read"], "admin": ["*"], "guest": []}


class Posts(Feature):
    """Has endpoints with permissions, and API keys."""

    permissions: tuple[str, ...] = ("posts:delete", "posts:list")
    schemes = {"key": {"type": "http", "scheme": "bearer"}}  # noqa: RUF012 (a class attribute)
    key_permissions: tuple[str, ...] = ("posts:list",)

    async def authenticate(self, scope: Mapping[str, Any]) -> Identity | None:
        if dict(scope["headers"]).get(b"x-api-key") is None:
            return None
        return Identity.of_credential("api_key", await user_of(self.auth), permissions=self.key_permissions)

    @get("/posts", permission="posts:list", keys=True)
    async def posts(self, *, identity: Identity) -> list[str]:
        """Return your roles."""
        return list(identity.roles)

    @delete("/posts", status=204, permission="posts:delete")
    async def delete_posts(self, *, identity: Identity) -> None:
        """Delete all posts."""


def with_posts(storage: Any = "sqlite://", **options: Any) -> Auth:
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), Posts()]
    return make_auth(storage, **{"permissions": ROLES, "features": features, **options})


async def test_an_endpoint_refuses_callers_without_its_permission() -> None:
    async with with_posts() as auth:
        user_id = await register(auth)
        client = Client(AuthApp(auth))
        anonymous = await client.get("/posts")
        headers = bearer(await login(auth))
        none = await client.get("/posts", headers=headers)
        await auth.users.set_roles(user_id, ["editor"])
        other = await client.get("/posts", headers=headers)
        await auth.users.set_roles(user_id, ["admin"])
        allowed = [await client.request(method, "/posts", headers=headers) for method in ("GET", "DELETE")]

    assert (anonymous.status, anonymous.json["code"]) == (401, "unauthorized")
    assert [(answer.status, answer.json["code"]) for answer in (none, other)] == [(403, "forbidden")] * 2
    assert none.all("content-type") == ["application/problem+json"]
    assert [answer.status for answer in allowed] == [200, 204]


async def test_roles_status_and_session_are_those_of_the_database() -> None:
    async with with_posts(max_revocation_lag=60) as auth, with_posts(auth.storage) as other:
        user_id = await register(auth)
        await auth.users.set_roles(user_id, ["admin"])
        client, headers = Client(AuthApp(auth)), bearer(await login(auth))
        assert (await client.get("/posts", headers=headers)).status == 200
        await other.users.set_roles(user_id, ["guest"])
        demoted = await client.get("/posts", headers=headers)
        await other.users.set_roles(user_id, ["admin"])
        promoted = await client.get("/posts", headers=headers)
        await other.end_sessions(user_id)
        ended = await client.get("/posts", headers=headers)
        pair = await login(auth)
        await auth.authenticate(pair.access_token)
        await other.users.set_status(user_id, "disabled")
        disabled = await client.get("/posts", headers=bearer(pair))

    assert (demoted.status, promoted.status) == (403, 200)
    assert [(answer.status, answer.json["code"]) for answer in (ended, disabled)] == [(401, "token_revoked")] * 2


async def test_a_credential_without_a_session_has_no_more_than_its_user() -> None:
    async with with_posts() as auth:
        user_id = await register(auth)
        client = Client(AuthApp(auth), {"x-api-key": "right"})
        without = await client.get("/posts")
        await auth.users.set_roles(user_id, ["admin"])
        allowed = await client.get("/posts")
        auth[Posts].key_permissions = ("posts:read",)
        limited = await client.get("/posts")
        auth[Posts].key_permissions = ("posts:list",)
        await auth.users.set_status(user_id, "disabled")
        disabled = await client.get("/posts")

    assert [answer.status for answer in (without, allowed, limited, disabled)] == [403, 200, 403, 401]


async def test_in_process_the_same_check_runs() -> None:
    async with with_posts() as auth:
        await register(auth)
        identity = await auth.authenticate((await login(auth)).access_token)
        with pytest.raises(Exception, match="You may not do this") as refused:
            await auth[Posts].posts(identity=identity)

    assert refused.value.status == 403  # type: ignore[attr-defined]  # a ForbiddenError


def test_a_permission_that_the_feature_does_not_declare_is_refused() -> None:
    class Careless(Posts):
        permissions = ("posts:list",)

    with pytest.raises(ValueError, match="delete_posts needs posts:delete, which is not in"):
        make_auth(features=[Passwords(), Careless()])


def test_a_permission_needs_a_caller_and_a_name() -> None:
    class Careless(Feature):
        permissions = ("posts:list",)

        @get("/posts", permission="posts:list")
        async def posts(self) -> None:
            """Let all pass."""

    with pytest.raises(ValueError, match="posts has permission, and no parameter `identity`"):
        make_auth(features=[Passwords(), Careless()])
    with pytest.raises(ValueError, match="is not the name of a permission"):
        get("/posts", permission="posts:*")(Careless.posts)


def test_the_document_names_the_permission() -> None:
    app = AuthApp(with_posts())
    found = document(app.auth, Served(app.routes, "/"), Info())
    operation = found["paths"]["/posts"]["get"]
    response = operation["responses"]["403"]
    shared = found["components"]["responses"].get(response.get("$ref", "/").rpartition("/")[2])

    assert operation["description"] == "Needs the permission `posts:list`."
    assert "forbidden" in str(shared or response)
