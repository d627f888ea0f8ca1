"""A provider that is away, slow or out of bounds ends the login with 503, and costs nothing else."""

import pytest

from asgi_auth import outgoing
from asgi_auth.testing.provider import TROUBLES
from tests.oidc.world import ISSUER, World, world
from tests.support import Answer

PROBLEM = {"accept": "application/json"}


async def a_login(app: World) -> Answer:
    """Log in as far as the provider lets the browser come."""
    answer = await app.browser.get("/auth/oidc/op/login", headers=PROBLEM)
    location = answer.header("location")
    return answer if location is None else await app.browser.get(await app.back(location), headers=PROBLEM)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers of providers may take a fraction of a second."""
    monkeypatch.setattr(outgoing, "SECONDS", 0.3)


@pytest.mark.parametrize("endpoint", ["metadata", "keys", "token", "userinfo"])
@pytest.mark.parametrize("name", TROUBLES)
async def test_a_provider_in_trouble_is_unavailable(endpoint: str, name: str, request: pytest.FixtureRequest) -> None:
    if name == "slow":
        request.getfixturevalue("impatient")
    async with world(provider={"shown_at": ("userinfo",)}) as app:
        app.browser.headers.clear()
        app.op.trouble[endpoint] = TROUBLES[name]
        answer = await a_login(app)

        refused = (name, endpoint) == ("404", "token")
        wanted = (400, "provider_refused") if refused else (503, "provider_unavailable")
        assert (answer.status, answer.json["code"]) == wanted
        assert (await app.me()).status == 401
        assert await app.auth.storage.users(limit=10) == []
        assert [url for url in app.network.asked if not url.startswith(ISSUER)] == []
        app.op.tells_the_truth()
        app.clock.move(61)
        assert (await a_login(app)).status == 303


async def test_a_provider_that_is_away_keeps_no_password_out() -> None:
    async with world() as app:
        app.op.trouble |= dict.fromkeys(app.op.paths, TROUBLES["gone"])
        account = {"email": "eve@example.com", "password": "correct horse battery"}
        made = await app.browser.post("/auth/register", account)

        assert (await app.browser.get("/auth/oidc/op/login")).status == 503
        assert made.status == 201
        assert (await app.browser.post("/auth/login", account)).status == 200


@pytest.mark.parametrize("name", ["gone", "500", "no JSON", "five megabytes", "a redirect to this machine"])
@pytest.mark.parametrize("endpoint", ["keys", "metadata"])
async def test_what_cannot_be_fetched_anew_stays_in_use(endpoint: str, name: str) -> None:
    async with world() as app:
        await app.login()
        app.clock.move(2 * 3600)
        app.op.trouble[endpoint] = TROUBLES[name]

        for _ in range(3):
            assert (await app.login(browser=app.another_browser())).status == 303
        assert len(app.op.asked(endpoint)) == 2


async def test_keys_of_a_provider_that_has_none_are_refused() -> None:
    async with world() as app:
        app.op.shown_keys = []
        assert (await app.login()).status == 400


async def test_a_key_that_the_provider_has_taken_back_opens_nothing() -> None:
    async with world() as app:
        await app.login()
        old = app.op.key
        app.op.rotate("b", keep=False)
        app.clock.move(2 * 3600)
        assert (await app.login(browser=app.another_browser())).status == 303
        app.op.key = old
        late = app.another_browser()

        assert (await app.login(browser=late)).status == 400
        assert (await app.me(late)).status == 401
