"""A session in which an administrator acts makes no session, token, credential or approval, at any endpoint.

Which endpoints these are comes from the calls of the storage that each of them reaches in the source, and from no list.
"""

import re
from collections.abc import AsyncIterator
from typing import Any

import pytest

from asgi_auth import Admin, Auth, AuthApp, MagicLink, SecondFactors, TrustedDevices
from asgi_auth.accounts.authority import Administrator
from asgi_auth.errors import ImpersonatedError
from asgi_auth.feature import Client as Caller
from asgi_auth.feature import Endpoint, Feature, Identity, Served, get, post
from asgi_auth.openapi import Info, document
from asgi_auth.sessions.acting import IMPERSONATE
from asgi_auth.sessions.identity import MFA
from tests.documentation import every_feature
from tests.features.impersonating import World, impersonating
from tests.security.reach import reached
from tests.support import PASSWORD, bearer, cheap, make_auth

#: The calls of the storage that give, or change, what opens an account.
WRITES = frozenset(
    {
        "add_session",
        "add_acting_session",
        "renew_session",
        "rotate_session",
        "touch_session",
        "add_token",
        "change_token",
        "add_credential",
        "change_credential",
        "use_credential",
        "delete_credential",
        "delete_credentials",
    }
)
#: Claims of unique values open nothing.
HARMLESS = {("UniqueValues.claim", "add_credential"), ("UniqueValues.claim", "delete_credential")}
#: It ends the session in which the administrator acts, and gives back the administrator's own one.
WAY_OUT = "stop_impersonating"


class Approvals(Feature):
    """Another feature, whose author thought of no administrator who acts."""

    @post("/approve", status=204)
    async def approve(self, *, identity: Identity) -> None:
        """Approve the login of another device."""

    @get("/secret", fresh=True)
    async def secret(self, *, identity: Identity) -> None:
        """Show a secret to a fresh login."""

    @post("/ring", status=204, acting=True)
    async def ring(self, *, identity: Identity) -> None:
        """Ring a bell."""


@pytest.fixture
async def world() -> AsyncIterator[World]:
    more = [MagicLink(), SecondFactors(), TrustedDevices(), Approvals()]
    async with impersonating(more=more) as made:
        yield made


def test_endpoints_that_write_what_opens_an_account_are_for_the_user_alone() -> None:
    writers = {
        endpoint.name: endpoint
        for feature in (*every_feature(), Admin())
        for endpoint in feature.endpoints
        if reached(endpoint.function, type(feature), WRITES) - HARMLESS
    }
    # All others take a password, a mailed token or a pending login, and no session.
    of_callers = {name: endpoint for name, endpoint in writers.items() if "identity" in endpoint.injected}

    open_ones = {name for name, endpoint in of_callers.items() if not endpoint.is_for_user_alone}

    # A mailed link takes the password, too, where another user acts.
    # The end of a login at a provider logs that user in. A link needs the very session that began it, and a session of
    # an impersonation begins none.
    assert open_ones == {WAY_OUT, "verify_email", "oidc_callback"}
    assert {"impersonate", "totp_turn_on", "change_email", "set_password", "recovery_codes"} <= of_callers.keys()


def test_what_changes_something_is_for_the_user_alone_unless_it_says_otherwise() -> None:
    endpoints = [item for feature in (*every_feature(), Admin()) for item in feature.endpoints]
    changing = [item for item in endpoints if item.method != "GET" and "identity" in item.injected]

    assert {item.name for item in changing if not item.is_for_user_alone} == {
        "update_me",
        "verify_email",
        "logout",
        "logout_all",
        "end_session",
        WAY_OUT,
    }
    assert {item.name for item in endpoints if item.fresh and not item.is_for_user_alone} == set()
    alone = {item.name for item in endpoints if item.is_for_user_alone}
    assert {"refresh", "export", "close_account", "reauthenticate"} <= alone


async def test_each_of_them_is_refused_by_one_clear_error(world: World) -> None:
    token = await world.acting(await world.pair("helper"))
    endpoints: list[Endpoint] = [item for feature in world.auth.features for item in feature.endpoints]
    alone = [endpoint for endpoint in endpoints if endpoint.is_for_user_alone]

    found = set()
    for endpoint in alone:
        path = "/auth" + re.sub(r"\{\w+\}", "x", endpoint.path)
        body: dict[str, str] | None = None if endpoint.method == "GET" else {}
        answer = await world.client.request(endpoint.method, path, json_body=body, headers=bearer(token))
        found.add((answer.status, answer.json["code"]))

    assert found == {(403, "impersonated")}
    assert {"approve", "secret", "change_password", "refresh"} <= {endpoint.name for endpoint in alone}
    assert (await world.client.post("/auth/ring", {}, headers=bearer(token))).status == 204
    for path in ("/auth/me", "/auth/sessions", "/auth/totp", "/auth/trusted-devices"):
        assert (await world.client.get(path, headers=bearer(token))).status == 200


async def test_the_core_refuses_too(world: World) -> None:
    own = await world.pair("owner")
    acting = await world.identity(await world.acting(own, "helper"))
    auth = world.auth
    judge = Administrator(acting.id, (IMPERSONATE,), auth.permissions, acting)

    with pytest.raises(ImpersonatedError):
        await auth.renew(acting, amr=(MFA,), client=Caller())
    with pytest.raises(ImpersonatedError):
        await auth.pipeline.admission.prove(acting)
    with pytest.raises(ImpersonatedError):
        await auth.users.set_roles(world.users["user"].id, ["customer"], by=judge)
    assert (await auth.users.get(world.users["user"].id)).roles == ()


async def test_a_login_in_the_same_browser_is_one_of_its_own(world: World) -> None:
    token = await world.acting(await world.pair("helper"))
    body = {"email": "editor@example.com", "password": PASSWORD}

    answer = await world.client.post("/auth/login", body, headers=bearer(token))

    assert answer.status == 200
    identity = await world.identity(str(answer.json["access_token"]))
    assert (identity.id, identity.actor) == (world.users["editor"].id, None)


async def test_the_document_names_the_error_where_an_administrator_may_act(world: World) -> None:
    def shown(auth: Auth) -> dict[str, Any]:
        return document(auth, Served(AuthApp(auth).routes, "/"), Info())

    assert "ImpersonatedError" not in str(shown(make_auth(features=cheap())))
    found = shown(world.auth)
    assert "impersonated" in str(found["paths"]["/approve"]["post"]["responses"]["403"])
