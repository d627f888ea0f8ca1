"""A clock that was ahead for a minute, with all defaults on: once it is right again, nothing binds for days."""

from collections.abc import AsyncIterator, Callable
from datetime import timedelta

import pytest

from asgi_auth import Argon2, Auth, AuthMiddleware, Outbox, Passwords, Settings
from asgi_auth.errors import FreshLoginRequiredError
from asgi_auth.features.defaults import defaults
from tests.support import EMAIL, ORIGIN, PASSWORD, SECRET, Client, Clock, who

DAY = 86400
ACCOUNT = {"email": EMAIL, "password": PASSWORD}
WRONG = ACCOUNT | {"password": "not the password"}
COOKIE = {"auth-transport": "cookie", "sec-fetch-site": "same-origin"}


@pytest.fixture(params=["sqlite", "postgres18"])
async def auth(request: pytest.FixtureRequest, fresh: Callable[[str], str], clock: Clock) -> AsyncIterator[Auth]:
    """The default features, with the cheapest hash."""
    features = [
        Passwords(argon2=Argon2.cheap()) if isinstance(item, Passwords) else item for item in defaults(mail=True)
    ]
    settings = Settings(secret=SECRET, base_url=ORIGIN, enumeration="tell", purge_interval=0)
    url = fresh(request.param)
    async with Auth(url, settings=settings, features=features, mailer=Outbox(), now=clock) as made:
        made.mail.pause = 0
        yield made


@pytest.fixture
async def client(auth: Auth) -> Client:
    made = Client(AuthMiddleware(who, auth, mount="/auth"))
    assert (await made.post("/auth/register", ACCOUNT)).status == 201
    return made


def mails(auth: Auth, purpose: str) -> int:
    assert isinstance(auth.mail.mailer, Outbox)
    return sum(mail.purpose == purpose for mail in auth.mail.mailer.mails)


@pytest.mark.parametrize("ahead", [61, 600, 3 * DAY, 40 * DAY])
async def test_wrong_passwords_of_the_future_lock_no_one_out(client: Client, clock: Clock, ahead: int) -> None:
    clock.move(ahead)
    statuses = [(await client.post("/auth/login", WRONG)).status for _ in range(40)]
    assert 429 in statuses
    clock.move(-ahead)

    assert (await client.post("/auth/login", ACCOUNT)).status == 200


@pytest.mark.parametrize("ahead", [600, 3 * DAY])
async def test_mails_of_the_future_bind_no_mail(auth: Auth, client: Client, clock: Clock, ahead: int) -> None:
    clock.move(ahead)
    for _ in range(30):
        await client.post("/auth/forgot-password", {"email": EMAIL})
        clock.move(61)
    await auth.mail.drain(5)
    before = mails(auth, "reset_password")
    clock.move(-ahead - 30 * 61)

    assert (await client.post("/auth/forgot-password", {"email": EMAIL})).status == 202
    await auth.mail.drain(5)

    assert before > 0
    assert mails(auth, "reset_password") == before + 1


async def test_a_link_of_the_future_is_void(auth: Auth, client: Client, clock: Clock) -> None:
    clock.move(3 * DAY)
    await client.post("/auth/forgot-password", {"email": EMAIL})
    await auth.mail.drain(5)
    assert isinstance(auth.mail.mailer, Outbox)
    token = next(mail.token for mail in reversed(auth.mail.mailer.mails) if mail.purpose == "reset_password")
    clock.move(-3 * DAY)

    answer = await client.post("/auth/reset-password", {"token": token, "new_password": "another good password"})

    assert (answer.status, answer.json["code"]) == (400, "invalid_reset_token")


@pytest.mark.parametrize("ahead", [60, 600, 3 * DAY])
async def test_a_browser_of_the_future_stays_logged_in(client: Client, clock: Clock, ahead: int) -> None:
    browser = Client(client.app, COOKIE, keep_cookies=True)
    await browser.post("/auth/login", ACCOUNT)
    clock.move(ahead)
    there = await browser.get("/")
    clock.move(-ahead)

    assert there.json["id"]
    assert (await browser.get("/")).json["id"] == there.json["id"]


async def test_a_login_of_the_future_is_not_fresh(auth: Auth, client: Client, clock: Clock) -> None:
    clock.move(3 * DAY)
    pair = (await client.post("/auth/login", ACCOUNT)).json
    clock.move(-3 * DAY)
    renewed = await auth.refresh(pair["refresh_token"])
    identity = await auth.authenticate(str(renewed.access_token))

    with pytest.raises(FreshLoginRequiredError):
        identity.require(fresh=timedelta(hours=1))
