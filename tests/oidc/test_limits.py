"""Logins at providers are limited by network."""

import pytest

from asgi_auth import RateLimits
from tests.oidc.world import world


@pytest.mark.parametrize("path", ["login", "callback"])
async def test_a_network_has_so_many_calls(path: str) -> None:
    async with world("sqlite://", RateLimits()) as app:
        calls = [(await app.browser.get(f"/auth/oidc/op/{path}")).status for _ in range(31)]

        assert calls == [303 if path == "login" else 400] * 30 + [429]
