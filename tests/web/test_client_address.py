"""The address of a client behind proxies: every form of every header, and no forged one."""

from typing import Any

import pytest

from asgi_auth import Settings
from asgi_auth.limits.counter_keys import network_of, networks_of
from asgi_auth.web.client import client_of
from tests.support import SECRET, http_scope

PROXIES = ("10.0.0.0/8", "2001:db8:ffff::/48")
PEER = ("10.0.0.1", 4711)
XFF, FORWARDED, REAL = "x-forwarded-for", "forwarded", "x-real-ip"


def address(*pairs: tuple[str, str], peer: Any = PEER, proxies: tuple[str, ...] = PROXIES, **scope: Any) -> str:
    made = http_scope("GET", "/", pairs, client=peer, **scope)
    return client_of(made, Settings(secret=SECRET, trusted_proxies=proxies)).address


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("198.51.100.1", "198.51.100.1"),
        (" 198.51.100.1 ", "198.51.100.1"),
        ("198.51.100.1:443", "198.51.100.1"),
        ("198.51.100.1:_hidden", "198.51.100.1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:DB8::1]:4711", "2001:db8::1"),
        ("2001:db8::0:1", "2001:db8::1"),
        ("fe80::1%eth0", "fe80::1"),
        ("::ffff:198.51.100.1", "198.51.100.1"),
        ("[::ffff:198.51.100.1]:80", "198.51.100.1"),
        ("198.51.100.1:443:9", "10.0.0.1"),
        ("198.51.100.1:999999", "10.0.0.1"),
        ("[198.51.100.1]:80", "198.51.100.1"),
        ("198.051.100.1", "10.0.0.1"),
        ("unknown", "10.0.0.1"),
        ("_hidden", "10.0.0.1"),
        ("", "10.0.0.1"),
    ],
)
def test_an_address_is_read_with_port_brackets_and_zone_in_every_header(text: str, expected: str) -> None:
    assert address((XFF, text)) == expected
    assert address((XFF, f"203.0.113.9, {text}, 10.1.1.1:80")) == (expected if expected != "10.0.0.1" else "10.1.1.1")
    assert address((REAL, text)) == expected
    assert address((FORWARDED, f'for="{text.strip()}";proto=https')) == expected


@pytest.mark.parametrize(
    ("values", "expected"),
    [
        (["for=198.51.100.1"], "198.51.100.1"),
        (["For=198.51.100.1;Proto=https;by=203.0.113.43"], "198.51.100.1"),
        (["proto=https;for=198.51.100.1 , for=10.1.1.1"], "198.51.100.1"),
        (["for=203.0.113.9, for=198.51.100.1"], "198.51.100.1"),
        (["for=203.0.113.9", "for=198.51.100.1"], "198.51.100.1"),
        (['for="[2001:db8::1]:4711"'], "2001:db8::1"),
        (['for=203.0.113.9;x="a,for=192.0.2.1;", for=198.51.100.1'], "198.51.100.1"),
        (["for=203.0.113.9, for=10.2.2.2, for=10.1.1.1"], "203.0.113.9"),
        (["for=203.0.113.9, for=unknown, for=10.1.1.1"], "10.1.1.1"),
        (["for=203.0.113.9, proto=https"], "10.0.0.1"),
        (["for=203.0.113.9;for=198.51.100.1"], "10.0.0.1"),
        (['for="198.51.100.1'], "10.0.0.1"),
        (["198.51.100.1"], "10.0.0.1"),
        (["for=203.0.113.9" + ",for=203.0.113.9" * 2000], "10.0.0.1"),
    ],
)
def test_forwarded_is_read_as_rfc_7239_says(values: list[str], expected: str) -> None:
    assert address(*((FORWARDED, value) for value in values)) == expected


@pytest.mark.parametrize("sent", [XFF, FORWARDED, REAL])
@pytest.mark.parametrize("forged", [XFF, FORWARDED, REAL])
@pytest.mark.parametrize("text", ["203.0.113.66", "unknown", "10.9.9.9", "203.0.113.66, 203.0.113.67"])
def test_a_header_that_the_client_adds_gets_it_no_other_address(sent: str, forged: str, text: str) -> None:
    """The proxy sets one header, and passes on the others."""

    def value(name: str, item: str) -> str:
        return ", ".join(f"for={part.strip()}" for part in item.split(",")) if name == FORWARDED else item

    pairs = {forged: value(forged, text)} | {sent: value(sent, "198.51.100.1")}
    if sent == forged and sent != REAL:
        pairs[sent] = f"{value(sent, text)}, {value(sent, '198.51.100.1')}"

    found = address(*pairs.items())

    assert found in {"198.51.100.1", "10.0.0.1"}


def test_headers_that_agree_count() -> None:
    both = [(XFF, "203.0.113.9, 198.51.100.1"), (FORWARDED, "for=198.51.100.1"), (REAL, "198.51.100.1")]

    assert address(*both) == "198.51.100.1"
    assert address((XFF, "198.51.100.1, 10.1.1.1"), (REAL, "10.1.1.1")) == "198.51.100.1"
    assert address((XFF, "198.51.100.1"), (REAL, "198.51.100.2")) == "10.0.0.1"
    assert address((REAL, "198.51.100.1"), (REAL, "198.51.100.1")) == "10.0.0.1"


def test_a_long_header_does_not_hide_what_the_proxy_has_added() -> None:
    assert address((XFF, "203.0.113.9, " * 5000 + "198.51.100.1")) == "198.51.100.1"


@pytest.mark.parametrize("peer", [None, ("", 0), ("/run/app.sock", 0), ("unix:", 0)])
def test_a_peer_with_a_unix_socket_is_trusted_when_it_is_listed(peer: Any) -> None:
    pairs = [(XFF, "198.51.100.1")]

    assert address(*pairs, peer=peer, proxies=("unix",)) == "198.51.100.1"
    assert address(*pairs, peer=peer, proxies=("unix", *PROXIES)) == "198.51.100.1"
    assert not network_of(address(*pairs, peer=peer))
    assert not network_of(address(peer=peer, proxies=("unix",)))
    assert address((XFF, "198.51.100.1, unix:"), proxies=("unix", *PROXIES)) == "198.51.100.1"
    assert not network_of(address((XFF, "198.51.100.1, unix:")))
    assert address(*pairs, peer=("192.0.2.7", 1), proxies=("unix",)) == "192.0.2.7"


@pytest.mark.parametrize(("server", "believed"), [(None, True), (("/s", None), True), (("10.0.0.2", 80), False)])
def test_a_server_at_a_unix_socket_trusts_its_own_machine_as_at_loopback(server: Any, believed: bool) -> None:  # noqa: FBT001
    found = address((XFF, "198.51.100.1"), peer=None, proxies=("127.0.0.0/8",), server=server)

    assert found == ("198.51.100.1" if believed else "")
    assert address((XFF, "198.51.100.1"), peer=None, server=server) == ""


def test_unix_is_a_valid_proxy_and_other_words_are_not() -> None:
    assert Settings(secret=SECRET, trusted_proxies=["unix", "10.0.0.0/8"])
    with pytest.raises(ValueError, match="socket"):
        Settings(secret=SECRET, trusted_proxies=["socket"])


@pytest.mark.parametrize(
    "embedded",
    [
        "::ffff:203.0.113.5",
        "::ffff:0:203.0.113.5",
        "64:ff9b::203.0.113.5",
        "64:ff9b:1:7::203.0.113.5",
        "2002:cb00:7105::1",
        "2002:cb00:7105:ffff:1:2:3:4",
        "2001:0:4136:e378:8000:63bf:34ff:8efa",
    ],
)
def test_an_embedded_ipv4_address_counts_as_itself(embedded: str) -> None:
    assert networks_of(embedded) == ("203.0.113.5",)


def test_an_ipv6_address_counts_in_three_networks() -> None:
    assert networks_of("2001:db8:1:234::5") == ("2001:db8:1:234::/64", "2001:db8:1:200::/56", "2001:db8:1::/48")
    assert networks_of("64:ff9b:1::") == ("64:ff9b:1::/64", "64:ff9b:1::/56", "64:ff9b:1::/48")
    assert networks_of("unknown") == ()
