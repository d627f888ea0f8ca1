"""Known clients: devices by their cookie, and networks of clients without cookies."""

import pytest

from asgi_auth import Auth, AuthApp
from asgi_auth.errors import StorageUnavailableError
from asgi_auth.model.records import Client as Caller
from asgi_auth.web.cookies import Cookies
from asgi_auth.web.credentials import CredentialReader
from tests.browsers import ACCOUNT, DEVICE, browser_of
from tests.support import EMAIL, Client, Clock, CountingStorage, make_auth, register

OTHER = "eve@example.com"
HOME = ("198.51.100.7", 1)
DAY = 86400


def here(address: str = HOME[0], device: str | None = None) -> Caller:
    return Caller(address=address, device=device)


async def log_in(auth: Auth, address: str = HOME[0], email: str = EMAIL) -> None:
    """Log in as a client that takes no cookies."""
    body = ACCOUNT | {"email": email}
    assert (await Client(AuthApp(auth)).post("/login", body, scope={"client": (address, 1)})).status == 200


async def test_a_network_is_known_after_a_login_for_this_account_alone(auth: Auth) -> None:
    await register(auth)
    await register(auth, OTHER)
    assert not await auth.known_clients.knows(EMAIL, here())

    await log_in(auth)

    assert await auth.known_clients.knows(EMAIL, here())
    assert not await auth.known_clients.knows(EMAIL, here("203.0.113.66"))
    assert not await auth.known_clients.knows(OTHER, here())
    assert not await auth.known_clients.knows("nobody@example.com", here())


async def test_without_an_address_no_network_is_known(auth: Auth) -> None:
    await register(auth)
    await log_in(auth, "")

    assert not await auth.known_clients.knows(EMAIL, here(""))


async def test_a_network_is_forgotten_ninety_days_after_the_last_login(auth: Auth, clock: Clock) -> None:
    await register(auth)
    await log_in(auth)
    clock.move(89 * DAY)
    assert await auth.known_clients.knows(EMAIL, here())
    await log_in(auth)
    clock.move(89 * DAY)
    assert await auth.known_clients.knows(EMAIL, here())
    clock.move(DAY)
    assert not await auth.known_clients.knows(EMAIL, here())


async def test_a_network_is_written_once_a_day() -> None:
    storage = CountingStorage()
    async with make_auth(storage) as auth:
        await register(auth)
        await log_in(auth)
        storage.statements.clear()

        await log_in(auth)

    assert not [statement for statement in storage.statements if "INSERT INTO {networks}" in statement]


async def test_an_account_has_twenty_networks_at_most(auth: Auth, clock: Clock) -> None:
    await register(auth)
    for number in range(21):
        await log_in(auth, f"192.0.2.{number}")
        clock.move(1)

    known = [await auth.known_clients.knows(EMAIL, here(f"192.0.2.{number}")) for number in range(21)]
    assert known == [False] + [True] * 20


async def test_a_login_by_cookie_makes_the_device_known_and_not_its_network(auth: Auth) -> None:
    await register(auth)
    browser = browser_of(auth)

    answer = await browser.post("/auth/login", ACCOUNT, scope={"client": HOME})

    device = browser.cookies[DEVICE]
    assert f"{DEVICE}={device}; Max-Age=34560000; Path=/; HttpOnly; SameSite=Lax; Secure" in answer.all("set-cookie")
    assert await auth.known_clients.knows(EMAIL, here("203.0.113.66", device))
    assert not await auth.known_clients.knows(OTHER, here(device=device))
    assert not await auth.known_clients.knows(EMAIL, here())


async def test_a_logout_does_not_make_the_device_unknown(auth: Auth) -> None:
    await register(auth)
    browser = browser_of(auth)
    await browser.post("/auth/login", ACCOUNT)

    await browser.post("/auth/logout")

    assert await auth.known_clients.knows(EMAIL, here(device=browser.cookies[DEVICE]))


async def test_several_accounts_in_one_browser_are_known_and_the_number_is_bounded(auth: Auth) -> None:
    browser, emails = browser_of(auth), [f"user{number}@example.com" for number in range(9)]
    for email in emails:
        await register(auth, email)
    for email in [*emails, emails[3]]:
        assert (await browser.post("/auth/login", ACCOUNT | {"email": email})).status == 200

    device = browser.cookies[DEVICE]
    known = [await auth.known_clients.knows(email, here(device=device)) for email in emails]
    assert known == [False] + [True] * 8
    assert len(device) < 400


async def test_a_forged_or_broken_device_cookie_is_a_strangers(auth: Auth) -> None:
    await register(auth)
    browser = browser_of(auth)
    await browser.post("/auth/login", ACCOUNT)
    device = browser.cookies[DEVICE]
    nonce, day, mac = device.split(".")

    forged = ["x", "~", ".".join((mac[:16], day, mac)), f"{nonce}.ffff.{mac}", device + "x", device[:-2], "ä" * 9000]

    assert not any([await auth.known_clients.knows(EMAIL, here(device=value)) for value in forged])
    assert await auth.known_clients.knows(EMAIL, here(device=f"stale {device}"))


@pytest.mark.parametrize("fakes", [3, 9, 60])
async def test_cookies_of_a_sibling_domain_do_not_crowd_out_the_genuine_one(auth: Auth, fakes: int) -> None:
    """Browsers send a cookie with a longer path first, whichever domain has set it."""
    await register(auth)
    await register(auth, OTHER)
    browser = browser_of(auth)
    for email in (OTHER, EMAIL):
        assert (await browser.post("/auth/login", ACCOUNT | {"email": email})).status == 200
    genuine = browser.cookies[DEVICE]
    fake = [f"{DEVICE}={number:016}.4e20.{'x' * 22}" for number in range(fakes)] + [f"{DEVICE}={'x' * 9000}"]

    for cookies in ([*fake, f"{DEVICE}={genuine}"], [f"{DEVICE}={genuine}", *fake]):
        line = (b"cookie", "; ".join(cookies).encode())
        device = CredentialReader(Cookies(auth.settings)).read({"type": "http", "headers": [line]}).device
        assert await auth.known_clients.knows(EMAIL, here("203.0.113.66", device))
        # The accounts of the genuine cookie stay known after the next login.
        renewed = auth.known_clients.device_cookie(EMAIL, here(device=device))
        assert await auth.known_clients.knows(OTHER, here("203.0.113.66", renewed))


async def test_a_device_cookie_expires(auth: Auth, clock: Clock) -> None:
    await register(auth)
    browser = browser_of(auth)
    await browser.post("/auth/login", ACCOUNT)
    clock.move(399 * DAY)
    assert await auth.known_clients.knows(EMAIL, here(device=browser.cookies[DEVICE]))
    clock.move(DAY)
    assert not await auth.known_clients.knows(EMAIL, here(device=browser.cookies[DEVICE]))


async def test_another_installation_does_not_know_the_device(auth: Auth) -> None:
    await register(auth)
    browser = browser_of(auth)
    await browser.post("/auth/login", ACCOUNT)

    other = Auth("sqlite://", secret="another secret of at least 32 bytes, for a test")
    async with other:
        assert not await other.known_clients.knows(EMAIL, here(device=browser.cookies[DEVICE]))


async def test_two_device_cookies_are_no_error(auth: Auth) -> None:
    await register(auth)
    browser = browser_of(auth)
    await browser.post("/auth/login", ACCOUNT)
    value = "; ".join(f"{name}={text}" for name, text in {**browser.cookies, DEVICE: "stale"}.items())
    headers = {"cookie": f"{value}; {DEVICE}={browser.cookies[DEVICE]}", "sec-fetch-site": "same-origin"}

    answer = await Client(AuthApp(auth), headers | {"auth-transport": "cookie"}).post("/login", ACCOUNT)

    assert answer.status == 200
    assert await auth.known_clients.knows(EMAIL, here(device=answer.cookies[DEVICE]))


async def test_a_known_and_an_unknown_account_cost_the_same_statements() -> None:
    storage, seen = CountingStorage(), []
    async with make_auth(storage) as auth:
        await register(auth)
        await log_in(auth)
        for account in (EMAIL, "nobody@example.com"):
            storage.statements.clear()
            await auth.known_clients.knows(account, here())
            seen.append([*storage.statements])

    assert seen[0] == seen[1]
    assert len(seen[0]) == 1


async def test_the_device_is_in_no_text_of_a_client() -> None:
    client = Caller(address="192.0.2.7", device="secret-device")

    assert "secret" not in f"{client!r} {client} {[client]} {client.__rich_repr__()}"
    assert "192.0.2.7" in repr(client)


async def test_a_login_stands_when_the_network_cannot_be_stored(auth: Auth, monkeypatch: pytest.MonkeyPatch) -> None:
    await register(auth)

    async def away(*_: object) -> None:
        raise StorageUnavailableError

    monkeypatch.setattr(type(auth.storage), "add_network", away)

    await log_in(auth)
