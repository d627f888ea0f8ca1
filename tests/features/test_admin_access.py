"""Who may call what: every endpoint of administration with callers of every kind, found by the test itself."""

from typing import Any

import pytest

from asgi_auth import Admin
from asgi_auth.feature import Endpoint
from tests.features.administration import PERMISSIONS, World, administered
from tests.support import PASSWORD, bearer

ENDPOINTS = {endpoint.name: endpoint for endpoint in Admin(second_factor=False).endpoints}
#: The fields that each endpoint needs.
BODIES: dict[str, dict[str, Any]] = {
    "create_user": {"email": "new@example.com"},
    "set_user_roles": {"roles": ["editor"]},
}
READS = {"users", "user", "user_events", "users_overview", "export_audit"}
#: An endpoint for all users, impersonated ones included.
STOP = "stop_impersonating"
GUARDED = sorted(ENDPOINTS.keys() - {STOP})


async def called(world: World, endpoint: Endpoint, headers: dict[str, str]) -> tuple[int, str]:
    """Call an endpoint about the user; return status and code."""
    path = endpoint.path.replace("{id}", "{user}").replace("{sid}", "x")
    answer = await world.call(headers, endpoint.method, path, **BODIES.get(endpoint.name, {}))
    return answer.status, answer.json["code"] if answer.status >= 400 else ""


def test_all_endpoints_are_known() -> None:
    """A new endpoint has to be in this table: it is found, but its needs are for a person to decide."""
    assert len(ENDPOINTS) == 19
    assert {name for name, item in ENDPOINTS.items() if not (item.fresh and item.second_factor)} == READS | {STOP}
    assert {name for name, item in ENDPOINTS.items() if item.permission is None} == {STOP}
    assert {name for name, item in ENDPOINTS.items() if item.keys} == set()


@pytest.mark.parametrize("name", GUARDED)
async def test_callers_of_every_kind(name: str) -> None:
    endpoint = ENDPOINTS[name]
    async with administered() as world:
        old = await world.headers("owner")
        world.clock.move(601)
        impersonated = await world.call("owner", "POST", "/users/{user}/impersonate")
        by_user = bearer(impersonated.json["access_token"])
        await world.auth.users.set_roles(world.users["user"].id, ["helper"])
        found = {
            "nobody": await called(world, endpoint, {}),
            "a wrong token": await called(world, endpoint, bearer("x.y.z")),
            "editor": await called(world, endpoint, await world.headers("editor")),
            "an impersonated helper": await called(world, endpoint, by_user),
            "an old session": await called(world, endpoint, old),
            "one factor": await called(world, endpoint, await world.headers("owner", mfa=False)),
            "reader": await called(world, endpoint, await world.headers("reader")),
        }
        await world.auth.users.set_roles(world.users["user"].id, [])
        found["owner"] = await called(world, endpoint, await world.headers("owner"))

    if name == "invite_user":
        # The user has a password.
        assert found.pop("owner") == (409, "user_exists")
        found["owner"] = (200, "")
    ok = {"create_user": 201, "delete_user": 204, "reset_user_password": 204}.get(name, 200)
    allowed = (404, "session_not_found") if name == "end_user_session" else (ok, "")
    reads = name in READS
    assert found == {
        "nobody": (401, "unauthorized"),
        "a wrong token": (401, "invalid_token"),
        "editor": (403, "forbidden"),
        "an impersonated helper": (403, "impersonated"),
        "an old session": allowed if reads else (401, "fresh_login_required"),
        "one factor": allowed if reads else (403, "second_factor_needed"),
        "reader": allowed if reads else (403, "forbidden"),
        "owner": allowed,
    }


@pytest.mark.parametrize("name", GUARDED)
async def test_a_role_alone_gives_all_without_the_setting(name: str) -> None:
    endpoint = ENDPOINTS[name]
    async with administered(permissions={}) as world:
        await world.add("admin", "admin")

        assert await called(world, endpoint, await world.headers("owner")) == (403, "forbidden")
        status, code = await called(world, endpoint, await world.headers("admin"))
        assert (status < 300, code) in {(True, ""), (False, "session_not_found"), (False, "user_exists")}


#: What needs a permission beyond that of the endpoint, or a user that is not above the caller.
ESCALATIONS: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "roles that give more": ("helper", "POST", "/users/{user}/roles", {"roles": ["owner"]}),
    "one role more": ("helper", "POST", "/users/{user}/roles", {"roles": ["helper", "billing"]}),
    "roles of an owner": ("helper", "POST", "/users/{owner}/roles", {"roles": []}),
    "their own roles": ("helper", "POST", "/users/{helper}/roles", {"roles": ["helper", "editor"]}),
    "their own roles, less": ("owner", "POST", "/users/{owner}/roles", {"roles": ["helper"]}),
    "a new owner": ("helper", "POST", "/users", {"email": "new@example.com", "roles": ["owner"]}),
    "a new owner without a mail": (
        "helper", "POST", "/users", {"email": "new@example.com", "roles": ["owner"], "invite": False},
    ),
    "an address of an owner": ("helper", "PATCH", "/users/{owner}", {"email": "mine@example.com"}),
    "their own address": ("helper", "PATCH", "/users/{helper}", {"email": "mine@example.com"}),
    "an owner proven": ("helper", "PATCH", "/users/{owner}", {"email_verified": True}),
    "data of an owner": ("helper", "PATCH", "/users/{owner}", {}),
    "an owner disabled": ("helper", "POST", "/users/{owner}/disable", {}),
    "themselves disabled": ("owner", "POST", "/users/{owner}/disable", {}),
    "an owner enabled": ("helper", "POST", "/users/{owner}/enable", {}),
    "an owner deleted": ("helper", "DELETE", "/users/{owner}", {}),
    "themselves deleted": ("owner", "DELETE", "/users/{owner}", {}),
    "sessions of an owner": ("helper", "GET", "/users/{owner}/sessions", {}),
    "sessions of an owner ended": ("helper", "DELETE", "/users/{owner}/sessions", {}),
    "the password of an owner": ("helper", "POST", "/users/{owner}/reset-password", {}),
    "an owner invited": ("helper", "POST", "/users/{owner}/invite", {}),
    "themselves invited": ("owner", "POST", "/users/{owner}/invite", {}),
    "the factors of an owner": ("helper", "DELETE", "/users/{owner}/factors", {}),
    "their own factors": ("helper", "DELETE", "/users/{helper}/factors", {}),
    "acting for an owner": ("helper", "POST", "/users/{owner}/impersonate", {}),
    "acting for themselves": ("owner", "POST", "/users/{owner}/impersonate", {}),
    "a role of another kind": ("helper", "POST", "/users/{editor}/roles", {"roles": []}),
}  # fmt: skip


@pytest.mark.parametrize("what", ESCALATIONS)
async def test_no_one_gets_or_gives_more_than_they_have(what: str) -> None:
    async with administered() as world:
        by, method, path, body = ESCALATIONS[what]
        headers = await world.headers(by)
        before = {name: await world.auth.users.get(user.id) for name, user in world.users.items()}

        answer = await world.call(headers, method, path, **body)

        assert (answer.status, answer.json["code"]) == (403, "forbidden"), answer.body
        assert {name: await world.auth.users.get(user.id) for name, user in world.users.items()} == before
        assert await world.auth.users.count() == len(before)
        await world.auth.mail.idle()
        assert world.outbox.mails == []


@pytest.mark.parametrize(
    ("given", "method", "path", "body"),
    [
        (["users:write"], "PATCH", "/users/{user}", {"email": "mine@example.com"}),
        (["users:write"], "PATCH", "/users/{user}", {"email_verified": True}),
        (["users:write"], "POST", "/users", {"email": "new@example.com", "roles": ["none"]}),
        (["users:write", "users:impersonate"], "POST", "/users/{user}/roles", {"roles": []}),
        (["users:roles"], "DELETE", "/users/{user}", {}),
        (["users:write", "users:roles"], "POST", "/users/{user}/impersonate", {}),
        (["users:read"], "GET", "/users/{user}/sessions", {}),
        (["users:write"], "GET", "/users", {}),
    ],
)
async def test_each_permission_is_asked_for(given: list[str], method: str, path: str, body: dict[str, Any]) -> None:
    permissions = {"some": given, "none": [], "owner": ["*"], "helper": [], "reader": [], "editor": []}
    async with administered(permissions=permissions) as world:
        await world.add("some", "some")

        assert (await world.call("some", method, path, **body)).status == 403
        assert (await world.call("owner", method, path, **body)).status < 300


#: What a user has beyond the fields of the endpoints, and what others have asked for.
FOREIGN: dict[str, Any] = {
    "id": "x", "status": "active", "email_canonical": "x@example.com", "created_at": 1, "updated_at": 1, "data": {},
    "_ban": None, "password": PASSWORD, "password_hash": "x", "new_password": PASSWORD, "permissions": ["*"],
    "actor": "x", "verified": True, "is_admin": True, "role": "owner", "user_id": "x", "identity": "x", "client": "x",
}  # fmt: skip


@pytest.mark.parametrize("field", [*FOREIGN, "roles", "invite"])
async def test_no_endpoint_takes_a_field_of_another_one(field: str) -> None:
    """Mass assignment: what an endpoint does not declare is refused, and nothing of the call is done."""
    async with administered() as world:
        headers, before = await world.headers("owner"), await world.auth.users.get(world.users["user"].id)
        value = FOREIGN.get(field, ["owner"])
        for endpoint in ENDPOINTS.values():
            if endpoint.method not in {"POST", "PATCH"} or field in endpoint.fields or endpoint.name == STOP:
                continue
            path = endpoint.path.replace("{id}", "{user}")
            body = BODIES.get(endpoint.name, {}) | {field: value}
            answer = await world.call(headers, endpoint.method, path, **body)
            assert (answer.status, [*answer.json["errors"]]) == (422, [field]), endpoint.name
        assert await world.auth.users.get(world.users["user"].id) == before
        assert await world.auth.users.count() == len(world.users)


@pytest.mark.parametrize(
    "roles", [["\0"], ["a\nb"], ["\ud800"], [""], ["x" * 101], [f"{n:099}" for n in range(40)], "owner", [1], None]
)
@pytest.mark.parametrize("permissions", [PERMISSIONS, {}])
async def test_roles_that_cannot_be_stored_are_refused(roles: Any, permissions: dict[str, list[str]]) -> None:
    async with administered(permissions=permissions) as world:
        await world.add("admin", *(["owner"] if permissions else ["admin"]))
        headers = await world.headers("admin")

        for path in ("/users/{user}/roles", "/users"):
            more = {"email": "new@example.com"} if path == "/users" else {}
            answer = await world.call(headers, "POST", path, roles=roles, **more)
            assert answer.status in {400, 422} or (roles is None and path == "/users"), answer.body
        assert await world.roles("user") == ()
