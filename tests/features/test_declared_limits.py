"""Limits that an endpoint declares itself, and what kind of secret its calls guess."""

import pytest

from asgi_auth import Argon2, AuthApp, Passwords, RateLimits, Sessions
from asgi_auth.feature import Feature, Identity, Line, Served, post
from asgi_auth.model.limits import Rule, parse_rules
from asgi_auth.openapi import Info, document
from tests.support import Client, bearer, login, make_auth, register


class Codes(Feature):
    """Has limits of its own, and two endpoints that guess a second factor."""

    @post("/greet", status=204, limits="2/m/ip")
    async def greet(self, *, name: Line = "") -> None:
        """Greet."""

    @post("/free", status=204, limits="")
    async def free(self, *, identity: Identity) -> None:
        """Call without limits."""

    @post("/first", status=204, guesses="second factor")
    async def first(self, *, code: Line, identity: Identity) -> None:
        """Check a code."""

    @post("/second", status=204, guesses="second factor")
    async def second(self, *, code: Line, identity: Identity) -> None:
        """Check a code elsewhere."""


def app(**rules: str) -> AuthApp:
    return AuthApp(make_auth(features=[Passwords(argon2=Argon2.cheap()), Sessions(), Codes(), RateLimits(rules)]))


async def test_an_endpoint_has_the_limits_that_it_declares() -> None:
    client = Client(app())

    assert [(await client.post("/greet", {})).status for _ in range(3)] == [204, 204, 429]


@pytest.mark.parametrize(("rule", "statuses"), [("1/m/ip", [204, 429, 429]), ("", [204, 204, 204])])
async def test_the_rules_of_the_host_replace_them(rule: str, statuses: list[int]) -> None:
    client = Client(app(greet=rule))

    assert [(await client.post("/greet", {})).status for _ in range(3)] == statuses


def test_a_limit_in_no_valid_notation_is_refused_when_it_is_declared() -> None:
    with pytest.raises(ValueError, match="'often' is no limit"):

        @post("/often", limits="often")
        async def often(self: Feature) -> None:
            """Call often."""


async def test_guesses_of_one_kind_are_counted_together_for_an_account_from_any_address() -> None:
    served = app()
    await register(served.auth)
    client, headers = Client(served), bearer(await login(served.auth))
    statuses = []
    for number in range(11):
        path = ("/first", "/second")[number % 2]
        scope = {"client": (f"192.0.2.{number}", 1)}
        statuses.append((await client.post(path, {"code": "1"}, headers=headers, scope=scope)).status)
    unlimited = [(await client.post("/free", headers=headers)).status for _ in range(12)]

    assert statuses == [204] * 10 + [429]
    assert set(unlimited) == {204}


async def test_guesses_at_a_second_factor_use_up_no_guesses_at_the_password() -> None:
    served = app()
    await register(served.auth)
    client, headers = Client(served), bearer(await login(served.auth))
    for _ in range(11):
        await client.post("/first", {"code": "1"}, headers=headers)

    await login(served.auth)


def test_the_document_names_the_limits_that_hold() -> None:
    served = app(free="7/m/account")
    paths = document(served.auth, Served(served.routes, "/"), Info())["paths"]

    assert paths["/greet"]["post"]["description"] == "Limits: 2/m/ip."
    assert paths["/free"]["post"]["description"] == "Limits: 7/m/account."
    assert paths["/refresh"]["post"]["description"] == "Limits: 600/m/ip."
    assert "10/m/account" in paths["/first"]["post"]["description"]


def test_without_limits_the_document_names_none() -> None:
    bare = AuthApp(make_auth())
    paths = document(bare.auth, Served(bare.routes, "/"), Info())["paths"]

    assert "description" not in paths["/login"]["post"]


@pytest.mark.parametrize("text", ["60/m/ip", "5/15m/account", "1/2h/ip", "7/d/all", "3/30s/ip", "1/90s/ip"])
def test_a_rule_is_written_as_it_is_read(text: str) -> None:
    assert [str(rule) for rule in parse_rules(text)] == [text]
    assert str(Rule("ip", 3600, 60)) == "60/h/ip"
