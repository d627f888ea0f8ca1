"""Rate limits by client address: networks, proxies, and none for whom no address is known."""

import pytest

from asgi_auth.limits.counter_keys import network_of
from tests.features.limited import WRONG, limited, login
from tests.support import EMAIL


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2::", "2001:db8:1:2::/64"),
        ("2001:db8:1:3::1", "2001:db8:1:3::/64"),
        ("::1", "::/64"),
        ("", ""),
        ("testclient", ""),
    ],
)
def test_ipv6_is_counted_by_64_bits(address: str, network: str) -> None:
    assert network_of(address) == network


async def test_addresses_of_one_ipv6_network_share_a_counter() -> None:
    async with limited(rules={"login": "2/m/ip"}) as app:
        answers = [await login(app, ip=f"2001:db8::{number}") for number in range(1, 4)]

        assert [answer.status for answer in answers] == [401, 401, 429]
        assert (await login(app, ip="2001:db8:0:1::1")).status == 401


async def test_without_an_address_nothing_is_counted_by_it() -> None:
    async with limited(rules={"login": "1/m/ip"}) as app:
        for client in (None, ("", 0), ("testclient", 50000)):
            body = {"email": EMAIL, "password": WRONG}
            answers = [await app.client.post("/auth/login", body, scope={"client": client}) for _ in range(3)]
            assert [answer.status for answer in answers] == [401] * 3


@pytest.mark.parametrize(("proxies", "last"), [((), 429), (("10.0.0.0/8",), 429), (("192.0.2.0/24",), 401)])
async def test_a_forged_header_changes_nothing_unless_a_trusted_proxy_sends_it(
    proxies: tuple[str, ...], last: int
) -> None:
    async with limited(rules={"login": "2/m/ip"}, trusted_proxies=proxies) as app:
        answers = [await login(app, **{"x-forwarded-for": f"198.51.100.{number}"}) for number in range(3)]

        assert [answer.status for answer in answers] == [401, 401, last]
