"""A real provider changes its keys while the app runs."""

import time
from typing import Any

import httpx2
from joserfc.jwk import ECKey

from asgi_auth import OIDC, AuthMiddleware, OpenIDProvider
from asgi_auth.outgoing import Outgoing
from tests.cluster import free_port
from tests.providers.real import oidc_provider
from tests.providers.real.visiting import visit_oidc_provider
from tests.support import ORIGIN, Client, Clock, cheap, make_auth, who

CALLBACK = f"{ORIGIN}/auth/oidc/real/callback"
CLIENT = oidc_provider.client([CALLBACK], id_token_signed_response_alg="ES256")


def key(kid: str) -> dict[str, Any]:
    """Return a private JWK."""
    return dict(ECKey.generate_key("P-256", {"kid": kid}).as_dict(private=True))


async def login(app: AuthMiddleware) -> tuple[int, int]:
    """Log in with a new browser; return the statuses of the callback, and of `/me` after it."""
    browser = Client(app, keep_cookies=True, headers={"accept": "text/html"})
    url = (await browser.get("/auth/oidc/real/login")).header("location") or ""
    async with httpx2.AsyncClient(timeout=30) as http:
        back = await visit_oidc_provider(url, "ann", CALLBACK, http=http)
    answer = await browser.get(back.removeprefix(ORIGIN))
    return answer.status, (await browser.get("/auth/me")).status


async def test_a_new_key_logs_in_at_once_and_a_withdrawn_one_no_longer() -> None:
    port, clock = free_port(), Clock(time.time())
    old, new = key("old"), key("new")
    provider = OpenIDProvider("real", "app", oidc_provider.CLIENT_SECRET, issuer=f"http://localhost:{port}")
    features = [*cheap(), OIDC([provider], outgoing=Outgoing(development=True))]
    async with make_auth(clock=clock, features=features) as auth:
        app = AuthMiddleware(who, auth, mount="/auth")
        with oidc_provider.oidc_provider(CLIENT, port=port, keys=[old]):
            assert await login(app) == (303, 200)
        # It starts anew with other keys; the app goes on, and so does the clock of the app, which stands still.
        with oidc_provider.oidc_provider(CLIENT, port=port, keys=[new]):
            assert await login(app) == (303, 200)
        with oidc_provider.oidc_provider(CLIENT, port=port, keys=[old | {"withdrawn": True}, new]):
            assert await login(app) == (400, 401)
            # The keys are fetched anew, and still lack it.
            clock.move(61)
            assert await login(app) == (400, 401)
