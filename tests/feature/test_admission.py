"""What endpoints demand of their callers: a fresh login and a second factor."""

from typing import Any

import pytest

from asgi_auth import Admin, Argon2, Auth, AuthApp, Outbox, Passwords, Sessions
from asgi_auth.errors import FreshLoginRequiredError, ImpersonatedError, SecondFactorNeededError, UnauthorizedError
from asgi_auth.feature import Client as Caller
from asgi_auth.feature import Feature, Served, post
from asgi_auth.openapi import Info, document
from asgi_auth.sessions.identity import ANONYMOUS
from tests.feature.demanding import Demanding, demanding, user_of
from tests.support import Client, Clock, bearer, cheap, login, make_auth, register


async def test_a_fresh_endpoint_refuses_an_old_login_before_it_looks_at_the_fields() -> None:
    clock = Clock()
    async with demanding(clock, fresh=300, access_ttl=3600) as auth:
        await register(auth)
        client, headers = Client(AuthApp(auth)), bearer(await login(auth))
        anonymous = await client.post("/delicate", {"x": 1})
        at_first = await client.post("/delicate", {"name": "a"}, headers=headers)
        clock.move(300)
        in_time = await client.post("/delicate", {"x": 1}, headers=headers)
        clock.move(1)
        late = await client.post("/delicate", {"x": 1}, headers=headers)
        clock.move(-400)
        back = await client.post("/delicate", {"name": "a"}, headers=headers)

    assert [answer.status for answer in (anonymous, at_first, in_time, late, back)] == [401, 204, 422, 401, 401]
    assert late.json["code"] == "fresh_login_required"
    assert 'error="insufficient_user_authentication"' in str(late.header("www-authenticate"))
    assert back.json["code"] == "fresh_login_required"


def test_the_error_of_acting_for_users_is_possible_where_an_administrator_can() -> None:
    for features in ([], [Admin(second_factor=False)]):
        auth = make_auth(features=[*cheap(mail=True), *features], mailer=Outbox())
        kinds = {
            kind
            for item in auth.features
            for each in item.endpoints
            for kind in auth.pipeline.admission.errors_at(each)
        }
        assert (ImpersonatedError in kinds) is bool(features)


async def test_where_a_login_is_optional_it_must_be_fresh_if_there_is_one() -> None:
    clock = Clock()
    async with demanding(clock, access_ttl=3600) as auth:
        await register(auth)
        pair = await login(auth)
        identity = await auth.authenticate(pair.access_token)
        clock.move(601)

        await auth[Demanding].setup()
        with pytest.raises(FreshLoginRequiredError):
            await auth[Demanding].setup(identity=identity)


async def test_a_second_factor_is_demanded_of_users_that_have_one() -> None:
    async with demanding() as auth:
        await register(auth)
        client, pair = Client(AuthApp(auth)), await login(auth)
        without = await client.post("/guarded", {}, headers=bearer(pair))
        auth[Demanding].with_factor = True
        needed = await client.post("/guarded", {}, headers=bearer(pair))
        shown = await by_factor(auth)
        asked = len(auth[Demanding].asked)
        done = await client.post("/guarded", {}, headers=bearer(shown))

    assert [answer.status for answer in (without, needed, done)] == [204, 403, 204]
    assert needed.json["code"] == "second_factor_needed"
    assert len(auth[Demanding].asked) == asked


async def by_factor(auth: Auth) -> Any:
    user = await user_of(auth)
    credential = await auth.storage.credential(user.id, "password")
    assert credential is not None
    return await auth.login(user, credential, amr=("pwd", "otp", "mfa"), client=Caller())


async def test_require_demands_a_second_factor_of_every_identity() -> None:
    async with demanding() as auth:
        await register(auth)
        plain = await auth.authenticate((await login(auth)).access_token)
        shown = await auth.authenticate((await by_factor(auth)).access_token)

    assert shown.require(second_factor=True) is shown
    with pytest.raises(SecondFactorNeededError):
        plain.require(second_factor=True)
    with pytest.raises(UnauthorizedError):
        ANONYMOUS.require(second_factor=True)


async def test_roles_and_sessions_of_delicate_endpoints_come_from_the_database() -> None:
    async with demanding(max_revocation_lag=60) as auth, make_other(auth) as other:
        await register(auth)
        user = await user_of(auth)
        await auth.users.set_roles(user.id, ["editor"])
        client, headers = Client(AuthApp(auth)), bearer(await login(auth))
        assert (await client.get("/roles", headers=headers)).json == ["editor"]
        await other.users.set_roles(user.id, ["reader"])
        cached, current = await client.get("/roles", headers=headers), await client.post("/roles", headers=headers)
        await other.end_sessions(user.id)
        still, ended = await client.get("/roles", headers=headers), await client.post("/roles", headers=headers)

    assert (cached.json, current.json) == (["editor"], ["reader"])
    assert (still.status, ended.status, ended.json["code"]) == (200, 401, "token_revoked")


def make_other(auth: Auth) -> Auth:
    """Another process with the same storage."""
    return Auth(auth.storage, settings=auth.settings, features=[Passwords(argon2=Argon2.cheap()), Sessions()])


def test_an_endpoint_that_knows_no_caller_demands_nothing_of_it() -> None:
    class Careless(Feature):
        @post("/careless", fresh=True, status=204)
        async def careless(self) -> None:
            """Let all pass."""

    with pytest.raises(ValueError, match="careless has fresh, and no parameter `identity`"):
        make_auth(features=[Passwords(), Careless()])


def test_the_document_names_all_demands() -> None:
    app = AuthApp(demanding())
    found = document(app.auth, Served(app.routes, "/"), Info())
    paths = found["paths"]

    def codes(operation: Any, status: str) -> str:
        response = operation["responses"][status]
        shared = found["components"]["responses"].get(response.get("$ref", "/").rpartition("/")[2])
        return str(shared or response)

    assert "Needs a login within the last 600 seconds." in paths["/delicate"]["post"]["description"]
    assert "Needs a login with a second factor" in paths["/guarded"]["post"]["description"]
    assert "fresh_login_required" in codes(paths["/delicate"]["post"], "401")
    assert "second_factor_needed" in codes(paths["/guarded"]["post"], "403")
    assert "session_needed" in codes(paths["/roles"]["get"], "403")
    assert "403" not in paths["/machine"]["get"]["responses"]
    assert {"key": []} in paths["/machine"]["get"]["security"]
    assert {"key": []} not in paths["/roles"]["get"]["security"]
    assert found["components"]["securitySchemes"]["key"] == {"type": "http", "scheme": "bearer"}
