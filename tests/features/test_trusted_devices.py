"""Trusted devices: a browser that has shown a second factor needs none, until anything about the user changes."""

import base64
from typing import Any

import msgspec
import pytest

from asgi_auth import AuthApp, Passwords, RecoveryCodes, SecondFactors, Sessions, Totp, TrustedDevices
from asgi_auth.errors import AuthError, SecondFactorRequiredError
from asgi_auth.features.totp.codes import code_at
from asgi_auth.sessions.identity import ANONYMOUS
from tests.support import EMAIL, ORIGIN, PASSWORD, Answer, Client, Clock, bearer, cheap, login, make_auth, register

ACCOUNT = {"email": EMAIL, "password": PASSWORD}
BROWSER = {"auth-transport": "cookie", "origin": ORIGIN, "sec-fetch-site": "same-origin"}
DAYS = 30 * 86400
COOKIE = "__Host-auth-trusted"


class Browser:
    """A browser of a user with an app."""

    def __init__(self) -> None:
        self.clock = Clock()
        features = [*cheap(), SecondFactors(), Totp(), RecoveryCodes(), TrustedDevices()]
        self.auth = make_auth(features=features, clock=self.clock, session_ttl=86400 * 99, session_idle=86400 * 99)
        self.client = Client(AuthApp(self.auth), keep_cookies=True)
        self.key = b""
        #: What logs in, and a session of the user at another place.
        self.account = ACCOUNT
        self.inside = ANONYMOUS

    async def set_up(self) -> None:
        await register(self.auth)
        headers = bearer(await login(self.auth))
        setup = (await self.client.post("/totp/setup", {}, headers=headers)).json
        self.key = base64.b32decode(setup["secret"])
        body = {"request": setup["request"], "code": self.code()}
        assert (await self.client.post("/totp", body, headers=headers)).status == 200
        self.client.cookies.clear()

    def code(self) -> str:
        self.clock.move(30)
        return code_at(self.key, int(self.clock() // 30))

    async def log_in(self) -> Answer:
        return await self.client.post("/login", ACCOUNT, headers=BROWSER)

    async def by_code(self, **more: bool) -> Answer:
        assert (await self.log_in()).status == 401
        return await self.client.post("/login/totp", {"code": self.code(), **more}, headers=BROWSER)

    def forget_sessions(self) -> None:
        """Close the browser: what is left is the cookie of the trusted device."""
        kept = {name: value for name, value in self.client.cookies.items() if name == COOKIE}
        self.client.cookies.clear()
        self.client.cookies.update(kept)

    async def user_id(self) -> str:
        return (await self.auth.users.by_email(EMAIL)).id


@pytest.fixture
async def browser() -> Browser:
    made = Browser()
    await made.set_up()
    return made


async def trusted(browser: Browser) -> str:
    """Log in with a code, trust the browser, and close it; return the session's refresh token."""
    done = await browser.by_code(trust_device=True)
    assert done.status == 200
    refresh = browser.client.cookies["__Host-auth-refresh"]
    browser.forget_sessions()
    return refresh


async def test_a_trusted_browser_needs_the_password_alone_for_its_days(browser: Browser) -> None:
    untrusted = await browser.by_code()
    assert COOKIE not in untrusted.cookies
    browser.forget_sessions()
    await trusted(browser)

    done = await browser.log_in()

    assert done.status == 200
    identity = await browser.auth.authenticate(browser.client.cookies["__Host-auth"])
    assert identity.amr == ("pwd",)
    browser.forget_sessions()
    browser.clock.move(DAYS)
    assert (await browser.log_in()).json["code"] == "second_factor_required"


async def test_the_cookie_is_for_no_script_and_its_secret_is_not_stored(browser: Browser) -> None:
    done = await browser.by_code(trust_device=True)

    (line,) = [line for line in done.all("set-cookie") if line.startswith(COOKIE)]
    assert all(part in line for part in (f"Max-Age={DAYS}", "HttpOnly", "SameSite=Lax", "Secure"))
    (token,) = await browser.auth.storage.tokens(await browser.user_id(), "trusted_device", int(browser.clock()))
    assert done.cookies[COOKIE] not in repr(token)


async def new_password(browser: Browser) -> None:
    service, user_id = browser.auth[Passwords].passwords, await browser.user_id()
    secret = await service.hasher.hash(PASSWORD)
    async with browser.auth.storage.transaction() as storage:
        await service.replace(storage, user_id, secret)


async def new_codes(browser: Browser) -> None:
    pair = await login_by_code(browser)
    identity = await browser.auth.authenticate(pair)
    await browser.auth[RecoveryCodes].recovery_codes(identity=identity)


async def login_by_code(browser: Browser) -> str:
    with pytest.raises(SecondFactorRequiredError) as refused:
        await login(browser.auth)
    pair = await browser.auth[Totp].totp_login(pending=refused.value.pending, code=browser.code())
    return pair.access_token


async def all_sessions_end(browser: Browser) -> None:
    identity = await browser.auth.authenticate(await login_by_code(browser))
    await browser.auth[Sessions].logout_all(identity=identity)


async def an_administrator_ends_all_sessions(browser: Browser) -> None:
    await browser.auth.users.end_sessions(await browser.user_id())


async def ban(browser: Browser) -> None:
    await browser.auth.users.set_status(await browser.user_id(), "disabled")
    await browser.auth.users.set_status(await browser.user_id(), "active")


async def distrust(browser: Browser) -> None:
    identity = await browser.auth.authenticate(await login_by_code(browser))
    (device,) = (await browser.auth[TrustedDevices].trusted_devices(identity=identity)).devices
    assert device.expires_at - device.created_at == DAYS
    await browser.auth[TrustedDevices].distrust_device(id=device.id, identity=identity)
    with pytest.raises(AuthError):
        await browser.auth[TrustedDevices].distrust_device(id=device.id, identity=identity)


@pytest.mark.parametrize(
    "change", [new_password, new_codes, all_sessions_end, an_administrator_ends_all_sessions, ban, distrust]
)
async def test_the_trust_ends_with_what_it_was_given_to(browser: Browser, change: object) -> None:
    await trusted(browser)

    await change(browser)  # type: ignore[operator]  # pytest gives objects

    assert (await browser.log_in()).json["code"] == "second_factor_required"
    identity = await browser.auth.authenticate(await login_by_code(browser))
    assert (await browser.auth[TrustedDevices].trusted_devices(identity=identity)).devices == []


async def test_the_cookie_of_another_user_a_forged_and_a_doubled_one_are_no_trust(browser: Browser) -> None:
    await trusted(browser)
    secret = browser.client.cookies[COOKIE]
    await register(browser.auth, "other@example.com")
    assert (
        await browser.client.post("/login", ACCOUNT | {"email": "other@example.com"}, headers=BROWSER)
    ).status == 200
    browser.client.cookies.clear()
    for cookie in (f"{COOKIE}=x", f"{COOKIE}={secret}x", f"{COOKIE}={secret}; {COOKIE}=other"):
        refused = await browser.client.post("/login", ACCOUNT, headers=BROWSER | {"cookie": cookie})
        assert (refused.status, refused.json["code"]) == (401, "second_factor_required"), cookie
    assert (
        await browser.client.post("/login", ACCOUNT, headers=BROWSER | {"cookie": f"{COOKIE}={secret}"})
    ).status == 200


async def test_no_trust_comes_from_a_wrong_code(browser: Browser) -> None:
    await browser.log_in()

    refused = await browser.client.post("/login/totp", {"code": "000000", "trust_device": True}, headers=BROWSER)

    assert (refused.status, COOKIE in refused.cookies) == (401, False)
    assert await browser.auth.storage.tokens(await browser.user_id(), "trusted_device", int(browser.clock())) == []


def test_the_highest_policy_trusts_no_device() -> None:
    with pytest.raises(ValueError, match="TrustedDevices"):
        make_auth(
            features=[*cheap(), SecondFactors.aal2(), Totp(), TrustedDevices()], session_ttl=86400, session_idle=3600
        )
    for days in (0, 401):
        with pytest.raises(ValueError, match="days"):
            TrustedDevices(days=days)


async def logout_all(browser: Browser) -> None:
    await browser.auth[Sessions].logout_all(identity=browser.inside)


async def set_password(browser: Browser) -> None:
    browser.account = ACCOUNT | {"password": "another horse battery"}
    await browser.auth[Passwords].change_password(
        current_password=PASSWORD, new_password=browser.account["password"], identity=browser.inside
    )


async def remove(browser: Browser) -> None:
    auth = browser.auth
    async with auth.storage.transaction() as storage:
        user = await storage.update_user(await browser.user_id(), {}, int(browser.clock()))
        assert user is not None
        await auth.factors.remove(storage, user, ["totp"])


@pytest.mark.parametrize("when", ["before the session", "after the session"])
@pytest.mark.parametrize("change", [ban, logout_all, set_password, remove])
async def test_no_trust_is_left_by_a_login_during_such_a_change(
    browser: Browser, change: Any, when: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser.inside = await browser.auth.authenticate(await login_by_code(browser))
    code, add = browser.code(), browser.auth.storage.add_session
    await browser.log_in()

    async def meanwhile(*args: Any, **values: Any) -> Any:
        monkeypatch.setattr(browser.auth.storage, "add_session", add)
        if when == "before the session":
            await change(browser)
        result = await add(*args, **values)
        if when == "after the session":
            await change(browser)
        return result

    monkeypatch.setattr(browser.auth.storage, "add_session", meanwhile)
    await browser.client.post("/login/totp", {"code": code, "trust_device": True}, headers=BROWSER)
    browser.forget_sessions()

    # Again with a factor, and so with another one after its removal.
    await again(browser)
    refused = await browser.client.post("/login", browser.account, headers=BROWSER)
    assert (refused.status, refused.json["code"]) == (401, "second_factor_required")


async def again(browser: Browser) -> None:
    """Add a factor, if there is none."""
    user_id = await browser.user_id()
    password = await browser.auth.storage.credential(user_id, "password")
    assert password is not None
    await browser.auth.storage.add_credential(msgspec.structs.replace(password, id="another", kind="totp"))


@pytest.mark.parametrize("change", [distrust, logout_all])
async def test_a_trusted_login_during_the_end_of_the_trust_gets_no_session(
    browser: Browser, change: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    await trusted(browser)
    browser.inside = await browser.auth.authenticate(await login_by_code(browser))
    add = browser.auth.storage.add_session

    async def late(*args: Any, **values: Any) -> Any:
        monkeypatch.setattr(browser.auth.storage, "add_session", add)
        await change(browser)
        return await add(*args, **values)

    monkeypatch.setattr(browser.auth.storage, "add_session", late)

    refused = await browser.log_in()

    assert (refused.status, refused.json["code"]) == (401, "second_factor_required")
    live = await browser.auth.storage.sessions(await browser.user_id(), int(browser.clock()), 0)
    assert {session.amr for session in live} <= {("pwd", "otp", "mfa")}
