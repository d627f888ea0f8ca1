"""New device: a user whose account is entered from elsewhere hears of it."""

from typing import Any

import pytest

from asgi_auth import Argon2, NewDevice, Passwords, Sessions
from asgi_auth.model.answers import TokenPair
from asgi_auth.model.records import Client as Caller
from asgi_auth.model.records import Event
from tests.features.flows import Flows, flows
from tests.support import EMAIL, PASSWORD, make_auth, register

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:130.0) Gecko/20100101 Firefox/130.0"
NEWER = FIREFOX.replace("130", "131")
CHROME = "Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/129.0 Safari/537.36"
HOME, ABROAD = "192.0.2.7", "198.51.100.9"


async def enter(app: Flows, agent: str = FIREFOX, address: str = HOME, language: str = "") -> TokenPair:
    client = Caller(user_agent=agent, address=address, accept_language=language)
    return await app.auth[Passwords].login(email=EMAIL, password=PASSWORD, client=client)


async def test_the_first_login_and_those_from_the_same_device_are_nothing_new() -> None:
    async with flows() as app:
        await app.verified()

        for agent, address in ((FIREFOX, HOME), (FIREFOX, HOME), (NEWER, HOME), (FIREFOX, "192.0.77.1")):
            await enter(app, agent, address)

        await app.no_more_mail()


ELSEWHERE = [(CHROME, HOME, "Chrome on Windows"), (FIREFOX, ABROAD, "Firefox on Linux")]


@pytest.mark.parametrize(("agent", "address", "named"), ELSEWHERE)
async def test_another_program_or_network_is_told_once_by_event_and_mail(agent: str, address: str, named: str) -> None:
    async with flows() as app:
        await app.verified()
        await enter(app)
        kept: list[Event] = []
        app.auth.on("new_device", kept.append)

        for _ in range(2):
            await enter(app, agent, address)

        mail = await app.mail("new_device", EMAIL)
        await app.no_more_mail()
    (event,) = kept
    assert (event.client.address, event.code) == (address, "authn_login_new_device")
    assert f"{named}, address {address}, at 2027-01-15 08:00 UTC." in mail.text
    assert (mail.token, mail.code, mail.link) == ("", "", "")


async def test_the_mail_speaks_the_language_of_the_browser() -> None:
    async with flows() as app:
        await app.verified()
        await enter(app)

        await enter(app, CHROME, language="de")

        assert "Chrome auf Windows, Adresse 192.0.2.7" in (await app.mail("new_device")).text


@pytest.mark.parametrize("agent", ["evil.example/login", "<b>call us</b>", "", "Evil on (X11; Linux)"])
async def test_nothing_that_a_stranger_wrote_stands_in_the_mail(agent: str) -> None:
    async with flows() as app:
        await app.verified()
        await enter(app)

        await enter(app, agent)

        mail = await app.mail("new_device")
    assert "evil" not in mail.text.lower()
    assert "call us" not in mail.text
    assert "unknown device" in mail.text or "before: Linux," in mail.text


async def test_devices_are_known_after_the_sessions_are_gone_and_for_each_user_apart() -> None:
    async with flows() as app:
        await app.verified()
        await enter(app)
        await enter(app, CHROME)
        await app.mail("new_device")
        await app.auth.users.by_email(EMAIL)
        app.clock.move(400 * 86400)
        await app.auth.storage.purge(int(app.clock()), 1000)

        await enter(app, CHROME)

        await app.no_more_mail()


async def test_a_failed_login_makes_no_device_known() -> None:
    async with flows() as app:
        await app.verified()
        await enter(app)
        await app.login("wrong")

        await app.login()

        assert (await app.mail("new_device")).to == EMAIL


async def test_the_network_can_be_left_out() -> None:
    async with flows(features=[Passwords(argon2=Argon2.cheap()), Sessions(), NewDevice(network=False)]) as app:
        await app.register()
        await enter(app)

        await enter(app, FIREFOX, ABROAD)

        await app.no_more_mail()


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8:1::1", "2001:db8:2::1", True),
        ("2001:db8::1", "2001:db9::1", False),
        ("192.0.2.7", "192.1.2.7", False),
        ("unix", "unix", True),
        ("unix", "other", False),
    ],
)
async def test_networks_are_about_as_wide_as_a_provider(one: str, other: str, same: bool) -> None:  # noqa: FBT001
    async with flows() as app:
        await app.verified()
        kept: list[Event] = []
        app.auth.on("new_device", kept.append)

        await enter(app, FIREFOX, one)
        await enter(app, FIREFOX, other)

        assert (kept == []) is same


async def test_without_mails_it_is_an_event_only() -> None:
    features: list[Any] = [Passwords(argon2=Argon2.cheap()), NewDevice()]
    async with make_auth(features=features) as auth:
        kept: list[Event] = []
        auth.on("*", kept.append)
        await register(auth)
        for agent in (FIREFOX, CHROME):
            await auth[Passwords].login(email=EMAIL, password=PASSWORD, client=Caller(user_agent=agent))

    assert [event.name for event in kept].count("new_device") == 1
    assert [event.name for event in kept].count("mail") == 0


def test_at_least_one_device_is_remembered() -> None:
    with pytest.raises(ValueError, match="positive"):
        NewDevice(most=0)
