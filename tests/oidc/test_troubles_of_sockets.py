"""A provider in trouble, over real sockets: each login ends with 503 in time, and the next one is not disturbed."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import pytest

from asgi_auth import OIDC, AuthMiddleware, outgoing
from asgi_auth.outgoing import Outgoing
from asgi_auth.testing.provider import FakeProvider
from tests.cluster import free_port
from tests.oidc.world import SECRET, openid
from tests.providers.gateway import TROUBLES, Gateway, gateway, leads_to
from tests.providers.serving import served
from tests.support import EMAIL, ORIGIN, Answer, Client, cheap, make_auth, who
from tests.variants import crossed

PROBLEM = {"accept": "application/json"}
ENDPOINTS = ("metadata", "keys", "token", "userinfo")


@dataclass
class World:
    """An app, and its provider behind a gateway."""

    app: AuthMiddleware
    op: FakeProvider
    gate: Gateway

    def path(self, endpoint: str) -> str:
        return self.op.url(endpoint).removeprefix(self.op.issuer)

    async def login(self) -> Answer:
        """Log in with a new browser, as far as the provider lets it come."""
        browser = Client(self.app, keep_cookies=True, headers=PROBLEM)
        begun = await browser.get("/auth/oidc/op/login")
        if begun.status != 303:
            return begun
        back = (await self.op.visit(begun.header("location") or "")).url
        return await browser.get(back.removeprefix(ORIGIN))


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Answers of providers may take a fraction of a second."""
    monkeypatch.setattr(outgoing, "SECONDS", 0.5)


@asynccontextmanager
async def behind_a_gateway() -> AsyncIterator[World]:
    port = free_port()
    issuer = f"http://127.0.0.1:{port}"
    op = FakeProvider(issuer, client_id="app", client_secret=SECRET, shown_at=("userinfo",))
    op.add_user("7", email=EMAIL, email_verified=True)
    provider = OIDC([openid(issuer=issuer)], outgoing=Outgoing(development=True))
    async with served(op) as backend, gateway(port) as gate, make_auth(features=[*cheap(), provider]) as auth:
        gate.backend = backend
        yield World(AuthMiddleware(who, auth, mount="/auth"), op, gate)


@pytest.mark.parametrize(("name", "endpoint"), crossed(list(TROUBLES), ENDPOINTS))
async def test_a_trouble_of_a_socket_ends_one_login(name: str, endpoint: str) -> None:
    async with behind_a_gateway() as world:
        world.gate.trouble[world.path(endpoint)] = TROUBLES[name]

        async with asyncio.timeout(5):
            refused = await world.login()

        assert (refused.status, refused.json["code"]) == (503, "provider_unavailable")
        world.gate.trouble.clear()
        assert (await world.login()).status == 303


@pytest.mark.parametrize("endpoint", ENDPOINTS)
async def test_no_request_follows_a_redirect(endpoint: str) -> None:
    port = free_port()
    async with behind_a_gateway() as world, gateway(port) as elsewhere:
        world.gate.trouble[world.path(endpoint)] = leads_to(f"http://127.0.0.1:{port}/latest/meta-data")

        assert (await world.login()).json["code"] == "provider_unavailable"
        assert elsewhere.asked == []


async def test_a_provider_goes_away_and_comes_back() -> None:
    async with behind_a_gateway() as world:
        assert (await world.login()).status == 303
        port = int(world.op.issuer.rpartition(":")[2])
        await world.gate.close()
        refused = await world.login()
        assert (refused.status, refused.json["code"]) == (503, "provider_unavailable")

        await world.gate.serve(port)
        assert (await world.login()).status == 303


async def test_a_slow_provider_holds_up_no_other_request() -> None:
    async with behind_a_gateway() as world:
        world.gate.trouble[world.path("token")] = TROUBLES["silent"]
        waiting = [asyncio.create_task(world.login()) for _ in range(20)]
        await asyncio.sleep(0.1)

        async with asyncio.timeout(2):
            assert (await Client(world.app).get("/auth/me")).status == 401
        assert {(await each).status for each in waiting} == {503}


@pytest.mark.parametrize(
    ("name", "cause"),
    [("silent", "TimeoutError()"), ("closes", "RemoteProtocolError"), ("no HTTP", "RemoteProtocolError")],
)
async def test_the_log_names_the_server_and_the_cause(name: str, cause: str, caplog: pytest.LogCaptureFixture) -> None:
    async with behind_a_gateway() as world:
        world.gate.trouble[world.path("token")] = TROUBLES[name]
        await world.login()

    (line,) = [text for text in caplog.messages if "answers 503" in text]
    assert line.startswith("asgi_auth answers 503 provider_unavailable: ProviderUnavailableError: 127.0.0.1: ")
    assert cause in line
