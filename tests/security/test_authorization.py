"""Who may call what: endpoints without a login, every spelling of a guarded path, and headers that claim a name."""

from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from asgi_auth import Admin, Auth, AuthApp, AuthMiddleware, MagicLink, PasswordReset
from asgi_auth.feature import Feature
from asgi_auth.features.defaults import defaults
from tests.features.flows import flows
from tests.support import EMAIL, PASSWORD, Client, bearer, call, http_scope, login, make_auth, register, who

#: Anonymous clients may call these, and nothing else.
OPEN = {
    "register", "login", "token", "refresh", "logout", "verify_email", "resend_verification", "forgot_password",
    "reset_password", "confirm_email_change", "magic_link", "magic_link_login", "request_unlock", "unlock",
    "openapi", "accept_invitation", "health",
}  # fmt: skip


def every_feature() -> list[Feature]:
    return [*defaults(mail=True), MagicLink(), Admin(second_factor=False)]


def name_of(item: Any) -> str:
    return item if isinstance(item, str) else str(item.endpoint.name)


@pytest.mark.parametrize(("path", "route"), list(AuthApp(make_auth(features=every_feature())).routes), ids=name_of)
async def test_what_is_not_public_wants_a_login(path: str, route: Any) -> None:
    async with flows(features=every_feature()) as app:
        await app.verified()
        body = dict.fromkeys(route.endpoint.fields, "x") if route.endpoint.method != "GET" else None

        answer = await app.client.request(route.endpoint.method, f"/auth{path}".replace("{id}", "x"), json_body=body)

        assert route.endpoint.name in OPEN or (answer.status, answer.json["code"]) == (401, "unauthorized")


@pytest.mark.parametrize(
    "path",
    [
        "/secret", "/secret/", "//secret", "/./secret", "/auth/../secret", "/auth/..;/secret", "/auth//../secret",
        "/auth/%2e%2e/secret", "/AUTH/login/../../secret", "/auth\\..\\secret", "/secret\0", "/auth/login/../secret",
        "secret", "", "/authx/secret", "/%61uth/secret",
    ],
)  # fmt: skip
@pytest.mark.parametrize("root_path", ["", "/auth", "/app", "/secret"])
async def test_no_spelling_of_a_path_gets_around_the_middleware(auth: Auth, path: str, root_path: str) -> None:
    reached: list[str] = []

    async def host(scope: Scope, receive: Receive, send: Send) -> None:
        reached.append(scope["path"])
        await who(scope, receive, send)

    app = AuthMiddleware(host, auth, mount="/auth", required=True)

    for method in ("GET", "POST", "HEAD", "X"):
        answer = await call(app, http_scope(method, path, root_path=root_path))
        assert answer.status in {401, 404, 405}
    assert reached == []


CLAIMED = ("x-user-id", "x-user", "x-forwarded-user", "remote-user", "x-remote-user", "x-auth-request-user", "x-roles")


async def test_no_header_says_who_asks_but_the_token(auth: Auth, client: Client) -> None:
    admin = await register(auth)
    await auth.users.set_roles(admin, ["admin"])
    eve = await register(auth, "eve@example.com")
    claimed = dict.fromkeys(CLAIMED, admin) | {"x-roles": "admin"}

    anonymous = await client.get("/", headers=claimed)
    user = await client.get("/", headers=claimed | bearer(await login(auth, "eve@example.com")))

    assert (anonymous.json["id"], anonymous.json["roles"]) == ("", [])
    assert (user.json["id"], user.json["roles"]) == (eve, [])


async def test_forwarded_headers_change_neither_address_nor_link(auth: Auth, client: Client) -> None:
    await register(auth)
    forged = {
        "x-forwarded-for": "203.0.113.9", "forwarded": "for=203.0.113.9;host=evil.example", "x-real-ip": "203.0.113.9",
        "x-client-ip": "203.0.113.9", "cf-connecting-ip": "203.0.113.9", "true-client-ip": "203.0.113.9",
    }  # fmt: skip

    pair = (await client.post("/auth/login", {"email": EMAIL, "password": PASSWORD}, headers=forged)).json

    listed = await client.get("/auth/sessions", headers=bearer(pair["access_token"]))
    assert [item["address"] for item in listed.json["sessions"]] == ["192.0.2.7"]


async def test_a_fresh_database_has_no_users_and_no_questions(auth: Auth) -> None:
    def rows(statement: str) -> Any:
        return auth.storage.run(statement, {}, read=True)  # type: ignore[attr-defined]  # SQLite has it

    tables = [row["sql"].lower() for row in await rows("SELECT sql FROM sqlite_master WHERE sql IS NOT NULL")]

    assert [row["n"] for row in await rows("SELECT COUNT(*) AS n FROM {users}")] == [0]
    assert len(tables) > 4
    assert [table for table in tables if "hint" in table or "question" in table or "answer" in table] == []


async def test_an_administrator_can_mail_a_reset_but_set_no_password() -> None:
    """Only code of the host sets the passwords of others, such as a script for the first administrator."""
    async with flows(features=every_feature()) as app:
        await app.verified()

        await app.auth[PasswordReset].forgot_password(email=EMAIL)

        assert (await app.mail("reset_password", EMAIL)).token
        routes = AuthApp(app.auth).routes
        secret = [path for path, route in routes if any("password" in name for name in route.endpoint.fields)]
        assert len(secret) > 5
        assert [path for path in secret if "{" in path] == []


async def test_the_id_of_a_deleted_user_is_not_given_again(auth: Auth) -> None:
    ids = set()
    for _ in range(5):
        user_id = await register(auth)
        token = str((await login(auth)).access_token)
        await auth.users.delete(user_id)
        ids.add(user_id)

        await register(auth)
        refused = await Client(AuthMiddleware(who, auth)).get("/", headers=bearer(token))
        assert refused.json["id"] == ""
        await auth.users.delete((await auth.users.by_email(EMAIL)).id)

    assert len(ids) == 5
