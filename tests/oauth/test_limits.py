"""The default limits of the authorization server: the number of calls of a network, and the window."""

import pytest

from asgi_auth import AuthMiddleware, AuthorizationServer, Pages, RateLimits, Resource
from tests.oauth.world import SCOPES, host
from tests.support import Answer, Client, Clock, bearer, cheap, login, make_auth, register

MINUTE, HOUR = 60, 3600
#: Method, path, and the calls of one network in a minute or an hour.
LIMITED = [
    ("POST", "/oauth/register", ((20, HOUR),)),
    ("POST", "/oauth/token", ((600, MINUTE),)),
    ("GET", "/oauth/request", ((30, MINUTE), (300, HOUR))),
    ("POST", "/authorize", ((30, MINUTE), (300, HOUR))),
]


@pytest.mark.parametrize(("method", "path", "rules"), LIMITED)
async def test_a_network_has_so_many_calls(
    clock: Clock, method: str, path: str, rules: tuple[tuple[int, int], ...]
) -> None:
    server = AuthorizationServer({"/mcp": Resource("Notes", scopes=SCOPES)})
    features = [*cheap(), Pages(), server, RateLimits()]
    async with make_auth(features=features, clock=clock, access_ttl=2 * HOUR) as auth:
        await register(auth)
        client, calls = Client(AuthMiddleware(host, auth, mount="/auth"), bearer(await login(auth))), 0

        async def call(address: str = "192.0.2.1") -> Answer:
            return await client.request(method, f"/auth{path}", json_body={}, scope={"client": (address, 1)})

        for most, window in rules:
            while calls < most:
                if calls and calls % rules[0][0] == 0:
                    clock.move(MINUTE)
                assert (await call()).status != 429, calls
                calls += 1
            if window == HOUR and len(rules) > 1:
                clock.move(MINUTE)
            refused = await call()
            assert (refused.status, refused.header("ratelimit-policy")) == (429, f'"ip";q={most};w={window}')
            assert (await call("203.0.113.9")).status != 429
