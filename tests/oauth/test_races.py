"""What is given once is given once among four processes, and what ends a client ends it in all of them."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from http.cookiejar import CookieJar, DefaultCookiePolicy
from urllib.parse import urlsplit

import httpx2
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from tests.cluster import cluster
from tests.oauth.world import World, answered, make
from tests.support import EMAIL, ORIGIN, PASSWORD, Answer, Clock

PROCESSES = 4
REDEEMERS, REFRESHERS = 32, 12
#: Seconds that an end may take to reach another process of a machine under load; `max_revocation_lag` is 2.
PATIENCE = 10


class Remote:
    """Sends requests to the processes in turn, or to `only` one."""

    def __init__(self, urls: list[str], http: httpx2.AsyncClient) -> None:
        self._turns = itertools.cycle(urls)
        self._http = http
        self.urls = urls
        self.only = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        body = (await receive()).get("body", b"")
        url = (self.only or next(self._turns)) + scope["path"]
        query = scope["query_string"].decode()
        pairs = [(name.decode(), value.decode()) for name, value in scope["headers"] if name != b"host"]
        headers = [*pairs, ("host", urlsplit(ORIGIN).netloc)]
        answer = await self._http.request(
            scope["method"], f"{url}?{query}" if query else url, content=body, headers=headers
        )
        response = Response(answer.content, answer.status_code)
        response.raw_headers = [(name.lower(), value) for name, value in answer.headers.raw]
        await response(scope, receive, send)


@asynccontextmanager
async def running(database_url: str) -> AsyncIterator[tuple[World, Remote]]:
    """Run the processes, with a user who is logged in."""
    cookies = CookieJar(DefaultCookiePolicy(allowed_domains=[]))
    async with httpx2.AsyncClient(timeout=60, cookies=cookies) as http:
        with cluster(database_url, PROCESSES, "tests.oauth.worker") as urls:
            remote = Remote(urls, http)
            world = World(make(None), Clock(), remote)
            assert (await world.program.post("/auth/register", {"email": EMAIL, "password": PASSWORD})).status == 201
            assert (await world.form("/auth/login", email=EMAIL, password=PASSWORD)).status == 303
            yield world, remote


@pytest.mark.parametrize("driver", ["sqlite", "postgres18"])
async def test_codes_tokens_and_ends_are_raced_for(fresh: Callable[[str], str], driver: str) -> None:
    async with running(fresh(driver)) as (world, remote):
        client_id = await world.register_client()
        await one_consent(world, client_id)
        await one_pair(world, remote, client_id)
        await one_successor(world, client_id)
        await no_refresh_outlives_the_end(world, client_id)
        await every_end_reaches_every_process(world, remote, client_id)


async def one_consent(world: World, client_id: str) -> None:
    """A page is answered once; pages that are answered at once make one grant with the scopes of all."""
    page = await world.page(client_id, scope="notes:read")
    statuses = [answer.status for answer in await asyncio.gather(*(world.decide(page) for _ in range(8)))]
    assert sorted(statuses) == [303] + [400] * 7

    pages = [await world.page(client_id, scope=scope) for scope in ("notes:read", "notes:write") * 2]
    told = [answered(answer) for answer in await asyncio.gather(*(world.decide(page) for page in pages))]
    assert all("code" in each for each in told), told
    [app] = (await world.browser.get("/auth/connected-apps")).json["apps"]
    assert app["scopes"] == {"/mcp": ["notes:read", "notes:write"]}
    assert sorted([(await world.redeem(client_id, each["code"])).status for each in told]) == [200] * 4


async def one_pair(world: World, remote: Remote, client_id: str) -> None:
    """Of calls with one code, one gets tokens; their session ends, since the others show a used code."""
    code = await world.code(client_id)
    answers = await asyncio.gather(*(world.redeem(client_id, code) for _ in range(REDEEMERS)))
    assert sorted(answer.status for answer in answers) == [200] + [400] * (REDEEMERS - 1)
    assert {answer.json["error"] for answer in answers if answer.status == 400} == {"invalid_grant"}
    [pair] = [answer.json for answer in answers if answer.status == 200]

    assert (await world.redeem(client_id, code)).json["error"] == "invalid_grant"
    assert (await world.refresh(client_id, pair["refresh_token"])).json["error"] == "invalid_grant"
    await ends_everywhere(world, remote, pair["access_token"])


async def one_successor(world: World, client_id: str) -> None:
    """Refreshes with one token get one successor, and access tokens that all work."""
    first = await world.connect(client_id)
    calls = [world.refresh(client_id, first["refresh_token"]) for _ in range(REFRESHERS)]
    pairs = [answer.json for answer in await asyncio.gather(*calls)]
    assert len({pair["refresh_token"] for pair in pairs}) == 1
    assert {(await world.use(pair["access_token"])).status for pair in pairs} == {200}


async def no_refresh_outlives_the_end(world: World, client_id: str) -> None:
    """A refresh at the same time as the end gives nothing that lives on."""
    pair = await world.connect(client_id)
    refreshes = [world.refresh(client_id, pair["refresh_token"]) for _ in range(8)]
    *answers, _ = await asyncio.gather(*refreshes, disconnect(world))

    assert {answer.status for answer in answers} <= {200, 400}
    for token in {answer.json.get("refresh_token", pair["refresh_token"]) for answer in answers}:
        assert (await world.refresh(client_id, token)).json["error"] == "invalid_grant"


async def every_end_reaches_every_process(world: World, remote: Remote, client_id: str) -> None:
    """A disconnected client, a new password and a ban end what other processes have seen alive."""
    user_id = (await world.browser.get("/auth/me")).json["id"]
    for end in (disconnect(world), new_password(world), world.program.get(f"/disable?id={user_id}")):
        pair = await world.connect(client_id)
        for url in remote.urls:
            remote.only = url
            assert (await world.use(pair["access_token"])).status == 200
        remote.only = remote.urls[0]
        assert (await end).status == 204
        await ends_everywhere(world, remote, pair["access_token"])
        assert (await world.refresh(client_id, pair["refresh_token"])).json["error"] == "invalid_grant"


async def disconnect(world: World) -> Answer:
    [app] = (await world.browser.get("/auth/connected-apps")).json["apps"]
    return await world.browser.request("DELETE", f"/auth/connected-apps/{app['id']}")


async def new_password(world: World) -> Answer:
    changed = {"current_password": PASSWORD, "new_password": "another battery staple"}
    return await world.browser.post("/auth/change-password", changed)


async def ends_everywhere(world: World, remote: Remote, token: str) -> None:
    """Wait until every process refuses a token."""
    for url in remote.urls:
        remote.only = url
        async with asyncio.timeout(PATIENCE):
            while (await world.use(token)).status != 401:
                pass
    remote.only = ""
