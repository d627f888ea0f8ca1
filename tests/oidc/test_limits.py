"""Logins at providers are limited by network."""

import pytest

from asgi_auth import RateLimits
from tests.oidc.test_linking import SAME, logged_in
from tests.oidc.world import World, world
from tests.support import Answer

HANDOFF = {"token": "unknown", "verifier": "x" * 43}


async def called(app: World, path: str) -> Answer:
    """Call an endpoint, with GET or with its body."""
    bodies = {"handoff": HANDOFF, "oidc/op/link": {}, "reauthenticate/op": {}, "oidc/sign-up": {"sign_up": "unknown"}}
    if path in bodies:
        return await app.browser.post(f"/auth/{path}", bodies[path], headers=SAME)
    return await app.browser.get(f"/auth/{path}")


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("oidc/op/login", 303),
        ("oidc/op/callback", 400),
        ("oidc/op/link", 200),
        ("oidc/op/reauthenticate", 404),
        ("reauthenticate/op", 404),
        ("handoff", 401),
        ("oidc/sign-up", 400),
        ("oidc/pending-sign-up", 400),
    ],
)
async def test_a_network_has_so_many_calls(path: str, status: int) -> None:
    async with world("sqlite://", RateLimits()) as app:
        app.browser = await logged_in(app)

        calls = [(await called(app, path)).status for _ in range(31)]

        assert calls == [status] * 30 + [429]
