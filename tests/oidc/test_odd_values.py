"""Odd values at every place of a provider's answers: each login ends with a session or a refusal."""

import math
from typing import Any

import pytest

from asgi_auth.testing.provider import Lie
from tests.oidc.world import World, world
from tests.support import Answer, Client

PROBLEM = {"accept": "application/json"}
CLAIMS = ("iss", "sub", "aud", "azp", "exp", "iat", "nonce", "at_hash", "email", "email_verified", "name", "auth_time")
PLACES = {
    "claims": CLAIMS,
    "header": ("alg", "kid", "typ", "crit", "jwk", "jku", "b64"),
    "tokens": ("access_token", "id_token", "token_type", "expires_in", "refresh_token", "scope", "error"),
    "user": ("sub", "email", "email_verified", "name"),
    "metadata": (
        "issuer",
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "userinfo_endpoint",
        "token_endpoint_auth_methods_supported",
        "authorization_response_iss_parameter_supported",
    ),
}
VALUES: list[Any] = [None, True, -1, math.nan, "", "\ud800", "\x00", [], {"a": 1}, "http://[::1"]


async def login(app: World, browser: Client) -> Answer:
    """Log in as far as the provider lets the browser come."""
    begun = await browser.get("/auth/oidc/op/login", headers=PROBLEM)
    if begun.status != 303:
        return begun
    return await browser.get(await app.back(begun.header("location") or ""), headers=PROBLEM)


@pytest.mark.parametrize("place", PLACES)
async def test_no_odd_value_is_an_error_of_the_server(place: str) -> None:
    shown: dict[str, Any] = {"shown_at": ("userinfo",)} if place == "user" else {}
    async with world(provider=shown, keep_tokens=True) as app:
        assert (await login(app, app.another_browser())).status == 303
        for name in PLACES[place]:
            for value in VALUES:
                # What was fetched before is fetched anew.
                app.clock.move(3601)
                changes: dict[str, Any] = {place: {name: value}}
                app.op.lies(Lie(**changes))

                answer = await login(app, app.another_browser())

                assert answer.status in {202, 303, 400, 422, 503}, (name, value, answer.body)
        app.op.tells_the_truth()
        app.clock.move(3601)
        assert (await login(app, app.another_browser())).status == 303
