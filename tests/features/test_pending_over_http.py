"""Pending logins over HTTP: in the body, in a cookie for browsers, and at the token endpoint in the form of OAuth."""

import base64
from urllib.parse import urlencode

import pytest

from asgi_auth import AuthApp, RecoveryCodes, SecondFactors, Totp
from asgi_auth.features.totp.codes import code_at
from tests.support import EMAIL, ORIGIN, PASSWORD, Client, Clock, bearer, cheap, login, make_auth, register

ACCOUNT = {"email": EMAIL, "password": PASSWORD}
BROWSER = {"auth-transport": "cookie", "origin": ORIGIN, "sec-fetch-site": "same-origin"}


class App:
    """A client of an app whose user has codes."""

    def __init__(self) -> None:
        self.clock = Clock()
        features = [*cheap(), SecondFactors(), Totp(), RecoveryCodes()]
        self.auth = make_auth(features=features, clock=self.clock)
        self.client = Client(AuthApp(self.auth), keep_cookies=True)

    async def set_up(self) -> None:
        await register(self.auth)
        headers = bearer(await login(self.auth))
        setup = (await self.client.post("/totp/setup", {}, headers=headers)).json
        self.key = base64.b32decode(setup["secret"])
        done = await self.client.post("/totp", {"request": setup["request"], "code": self.code()}, headers=headers)
        assert done.status == 200
        assert done.json["access_token"]

    def code(self) -> str:
        self.clock.move(30)
        return code_at(self.key, int(self.clock() // 30))


@pytest.fixture
async def app() -> App:
    made = App()
    await made.set_up()
    return made


async def test_a_client_gets_the_pending_login_in_the_body(app: App) -> None:
    refused = await app.client.post("/login", ACCOUNT)

    assert (refused.status, refused.json["code"]) == (401, "second_factor_required")
    assert (refused.json["factors"], refused.json["expires_in"]) == (["otp"], 300)
    assert refused.cookies == {}
    done = await app.client.post("/login/totp", {"pending": refused.json["pending"], "code": app.code()})
    assert done.status == 200
    again = await app.client.post("/login/totp", {"pending": refused.json["pending"], "code": app.code()})
    assert (again.status, again.json["code"]) == (401, "pending_login_expired")


async def test_a_browser_keeps_the_pending_login_in_a_cookie_that_no_script_reads(app: App) -> None:
    refused = await app.client.post("/login", ACCOUNT, headers=BROWSER)

    assert "pending" not in refused.json
    (line,) = refused.all("set-cookie")
    assert line.startswith("__Host-auth-pending=")
    assert all(part in line for part in ("Max-Age=300", "HttpOnly", "SameSite=Lax", "Secure"))
    cross_site = await app.client.post("/login/totp", {"code": app.code()}, headers={"origin": "https://evil.example"})
    assert (cross_site.status, cross_site.json["code"]) == (403, "cross_site_request")
    done = await app.client.post("/login/totp", {"code": app.code()}, headers=BROWSER)
    assert done.status == 200
    assert "access_token" not in done.json or done.json["access_token"] == ""
    assert done.cookies["__Host-auth-pending"] == ""
    assert done.cookies["__Host-auth"]


async def test_a_pending_login_of_the_browser_does_not_win_over_a_session(app: App) -> None:
    token = await inside(app)
    await app.client.post("/login", ACCOUNT, headers=BROWSER)
    assert "__Host-auth-pending" in app.client.cookies

    refused = await app.client.post("/totp/setup", {}, headers=BROWSER | {"authorization": f"Bearer {token}"})

    assert refused.json["code"] == "factor_exists"


async def test_the_token_endpoint_names_the_pending_login(app: App) -> None:
    body = urlencode({"grant_type": "password", "username": EMAIL, "password": PASSWORD}).encode()
    form = {"content-type": "application/x-www-form-urlencoded"}

    refused = await app.client.post("/token", body=body, headers=form)

    assert (refused.status, refused.json["error"]) == (400, "mfa_required")
    done = await app.client.post("/login/totp", {"pending": refused.json["pending"], "code": app.code()})
    assert done.status == 200


async def test_the_policy_and_the_list(app: App) -> None:
    listed = (await app.client.get("/second-factors", headers=bearer(await inside(app)))).json
    assert listed == {"factors": ["otp"], "required": False}
    app.auth[SecondFactors].required = ["admin"]
    assert not (await app.client.get("/second-factors", headers=bearer(await inside(app)))).json["required"]
    user = await app.auth.users.by_email(EMAIL)
    await app.auth.users.set_roles(user.id, ["admin"])
    assert (await app.client.get("/second-factors", headers=bearer(await inside(app)))).json["required"]


async def inside(app: App) -> str:
    refused = (await app.client.post("/login", ACCOUNT)).json
    done = await app.client.post("/login/totp", {"pending": refused["pending"], "code": app.code()})
    token: str = done.json["access_token"]
    return token


async def test_a_policy_that_settings_contradict_is_refused() -> None:
    with pytest.raises(ValueError, match="AAL2"):
        make_auth(features=[*cheap(), SecondFactors.aal2(), Totp()])
    make_auth(features=[*cheap(), SecondFactors.aal2(), Totp()], session_ttl=86400, session_idle=3600)
    with pytest.raises(ValueError, match="no feature brings one"):
        make_auth(features=[*cheap(), SecondFactors(required=True)])
    roles = {"editor": ["posts:edit"]}
    with pytest.raises(ValueError, match=r'^the setting permissions has no role "amdin". Its roles are: editor.$'):
        make_auth(features=[*cheap(), SecondFactors(required=["amdin"]), Totp()], permissions=roles)
    make_auth(features=[*cheap(), SecondFactors(required=["editor"]), Totp()], permissions=roles)
    make_auth(features=[*cheap(), SecondFactors(required=["amdin"]), Totp()])
    with pytest.raises(TypeError):
        SecondFactors(required="admin")
    for wrong in (-1, 3):
        with pytest.raises(ValueError, match="drift"):
            Totp(drift=wrong)
    for wrong in (0, 33):
        with pytest.raises(ValueError, match="count"):
            RecoveryCodes(count=wrong)
