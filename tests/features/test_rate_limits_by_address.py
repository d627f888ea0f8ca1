"""Rate limits by client address: networks, proxies, and none where no address is known."""

from collections.abc import Callable, Iterable

import pytest

from asgi_auth.limits.counter_keys import network_of
from tests.features.flows import Flows
from tests.features.limited import WRONG, limited, login
from tests.storage.conftest import FILES_AND_SERVERS
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


async def judged(app: Flows, addresses: Iterable[str]) -> int:
    """Guess from each address in turn, each time at another account; return how many guesses were judged."""
    answers = [await login(app, f"u{number}@example.com", ip=ip) for number, ip in enumerate(addresses)]
    assert {answer.status for answer in answers} <= {401, 429}
    return [answer.status for answer in answers].count(401)


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_who_rotates_in_a_network_of_ipv6_has_a_bound_at_each_level(
    driver: str, fresh: Callable[[str], str]
) -> None:
    """A /56 has as much as an IPv4 address, a /64 the half, and a /48 four times as much."""
    async with limited(fresh(driver), rules={"login": "10/m/ip"}) as app:
        assert await judged(app, ["198.51.100.7"] * 12) == 10
        # Within a /64; then over the other /64 of its /56; then over the other /56 of its /48.
        assert await judged(app, [f"2001:db8:5:100::{host:x}" for host in range(1, 12)]) == 5
        assert await judged(app, [f"2001:db8:5:1{number:02x}::1" for number in range(1, 20)]) == 5
        assert await judged(app, [f"2001:db8:5:{number:02x}01::1" for number in range(2, 60)]) == 30
        assert await judged(app, [f"2001:db8:5:{number:x}::1" for number in (0x100, 0x1FF, 0x200, 0xFFFF)]) == 0

        assert await judged(app, [f"2001:db8:6:100::{host:x}" for host in range(1, 12)]) == 5
        app.clock.move(60)
        assert await judged(app, ["2001:db8:5:100::1"] * 12) == 5


@pytest.mark.parametrize(("ip", "most"), [("2001:db8::1", 5), ("192.0.2.7", 10), ("", 100)])
async def test_a_refusal_tells_the_bound_of_its_network(ip: str, most: int) -> None:
    async with limited(rules={"login": "10/m/ip"}) as app:
        assert await judged(app, [ip] * most) == most
        answer = await login(app, ip=ip)

    assert answer.header("ratelimit-policy") == f'"ip";q={most};w=60'
    assert answer.header("retry-after") == "60"


@pytest.mark.parametrize("driver", FILES_AND_SERVERS)
async def test_all_clients_without_an_address_share_ten_times_the_limit(
    driver: str, fresh: Callable[[str], str]
) -> None:
    async with limited(fresh(driver), rules={"login": "3/m/ip"}) as app:
        unknown = ["", "testclient", "unix:"] * 12

        assert await judged(app, unknown) == 30
        assert await judged(app, ["192.0.2.7"] * 4) == 3
        app.clock.move(60)
        assert await judged(app, unknown) == 30


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
