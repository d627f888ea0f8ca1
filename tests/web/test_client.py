"""Client addresses: the peer's, unless a trusted proxy says otherwise."""

from typing import Any

import pytest

from asgi_auth import Settings
from asgi_auth.web.client import client_of
from tests.support import SECRET, http_scope

PROXIES = ["10.0.0.0/8", "2001:db8:ffff::/48"]


def address(peer: Any, *forwarded: str, proxies: list[str] | None = None) -> str:
    scope = http_scope("GET", "/", [("x-forwarded-for", item) for item in forwarded], client=peer)
    return client_of(scope, Settings(secret=SECRET, trusted_proxies=PROXIES if proxies is None else proxies)).address


@pytest.mark.parametrize(
    ("peer", "forwarded", "expected"),
    [
        (("192.0.2.7", 1), [], "192.0.2.7"),
        (("192.0.2.7", 1), ["198.51.100.1"], "192.0.2.7"),
        (("10.0.0.1", 1), ["198.51.100.1"], "198.51.100.1"),
        (("10.0.0.1", 1), ["203.0.113.9, 198.51.100.1"], "198.51.100.1"),
        (("10.0.0.1", 1), ["203.0.113.9", "198.51.100.1, 10.1.1.1"], "198.51.100.1"),
        (("10.0.0.1", 1), ["10.2.2.2, 10.1.1.1"], "10.2.2.2"),
        (("10.0.0.1", 1), ["198.51.100.1, spoofed, 10.1.1.1"], "10.1.1.1"),
        (("10.0.0.1", 1), [], "10.0.0.1"),
        (("10.0.0.1", 1), [""], "10.0.0.1"),
        (("2001:db8:ffff::1", 1), ["2001:DB8::0001"], "2001:db8::1"),
        (("/run/app.sock", 0), ["198.51.100.1"], "/run/app.sock"),
        (None, ["198.51.100.1"], ""),
    ],
)
def test_the_rightmost_address_that_is_no_trusted_proxy_counts(peer: Any, forwarded: list[str], expected: str) -> None:
    assert address(peer, *forwarded) == expected


def test_without_trusted_proxies_nothing_forwarded_is_believed() -> None:
    assert address(("127.0.0.1", 1), "198.51.100.1", proxies=[]) == "127.0.0.1"
    assert address(None, "198.51.100.1", proxies=[]) == ""
