"""No user is led to finish the login of a stranger, or to give a stranger's account a second factor (login CSRF)."""

import base64

import pytest

from asgi_auth import AuthMiddleware, Pages, RecoveryCodes, SecondFactors, Totp
from asgi_auth.features.totp.codes import code_at
from asgi_auth.mail import Outbox
from tests.pages.surfer import VISITOR, Surfer
from tests.support import EMAIL, PASSWORD, Client, Clock, cheap, make_auth, register, who

FORM = {"content-type": "application/x-www-form-urlencoded", "accept": "text/html"}
OTHER_SITES = [
    {"origin": "https://evil.example", "sec-fetch-site": "cross-site"},
    {"origin": "null"},
    {"sec-fetch-site": "same-site", "origin": "https://evil.example.com"},
]


class Trap:
    """A site that requires a second factor, a victim with a browser, and pending logins of a stranger."""

    def __init__(self) -> None:
        self.clock = Clock()
        features = [*cheap(mail=True), SecondFactors(required=True), Totp(), RecoveryCodes(), Pages()]
        self.auth = make_auth(features=features, clock=self.clock, mailer=Outbox())
        self.victim = Surfer(AuthMiddleware(who, self.auth, mount="/auth"))
        self.stranger = Client(AuthMiddleware(who, self.auth, mount="/auth"))

    async def begin(self) -> None:
        for email in ("stranger@example.com", "newer@example.com", EMAIL):
            await self.auth.users.set_verified(await register(self.auth, email))
        self.key = await self.set_up("stranger@example.com")
        self.waiting = {
            "setup": await self.pending("newer@example.com"),
            "factor": await self.pending("stranger@example.com"),
        }

    async def pending(self, email: str) -> str:
        pending: str = (await self.stranger.post("/auth/login", {"email": email, "password": PASSWORD})).json["pending"]
        return pending

    async def set_up(self, email: str) -> bytes:
        pending = await self.pending(email)
        setup = (await self.stranger.post("/auth/totp/setup", {"pending": pending})).json
        key = base64.b32decode(setup["secret"])
        sent = {"pending": pending, "request": setup["request"], "code": self.code(key)}
        done = await self.stranger.post("/auth/totp", sent)
        assert done.status == 200
        self.token = done.json["access_token"]
        return key

    def code(self, key: bytes) -> str:
        self.clock.move(30)
        return code_at(key, int(self.clock() // 30))


@pytest.fixture
async def trap() -> Trap:
    made = Trap()
    await made.begin()
    return made


@pytest.mark.parametrize("page", ["totp/setup", "second-factor"])
@pytest.mark.parametrize("kind", ["setup", "factor"])
async def test_no_page_takes_a_pending_login_from_its_url(trap: Trap, page: str, kind: str) -> None:
    for query in (f"pending={trap.waiting[kind]}", f"pending={trap.waiting[kind]}&request=x&said=factor_added"):
        led = await trap.victim.get(f"{page}?{query}")

        assert led.url.partition("?")[0] == "/auth/login"
        assert trap.waiting[kind] not in led.answer.body.decode()
        assert trap.waiting[kind] not in led.url


@pytest.mark.parametrize("headers", OTHER_SITES)
async def test_no_other_site_ends_a_login_in_a_browser(trap: Trap, headers: dict[str, str]) -> None:
    code = trap.code(trap.key)
    posts = [
        ("/auth/totp/setup", f"pending={trap.waiting['setup']}"),
        ("/auth/login/totp", f"pending={trap.waiting['factor']}&code={code}"),
    ]
    for path, body in posts:
        refused = await trap.stranger.post(path, body=body.encode(), headers=FORM | headers)

        assert (refused.status, "cross_site" in refused.body.decode() or "<html" in refused.body.decode()) == (
            403,
            True,
        )
        assert not any(refused.cookies.values())
    sent = {"pending": trap.waiting["factor"], "code": code}
    as_json = await trap.stranger.post("/auth/login/totp", sent, headers={"auth-transport": "cookie", **headers})
    assert (as_json.status, as_json.json["code"]) == (403, "cross_site_request")
    assert (await trap.stranger.post("/auth/login/totp", sent)).status == 200


async def test_a_planted_cookie_does_not_reach_the_account_of_a_session(trap: Trap) -> None:
    """The pages of a logged-in victim act on the victim's account, whatever pending login the browser has."""
    await trap.set_up(EMAIL)
    headers = bearer_of(trap) | {"cookie": f"__Host-auth-pending={trap.waiting['setup']}"}

    setup = await trap.stranger.post("/auth/totp/setup", {}, headers=headers)
    off = await trap.stranger.request("DELETE", "/auth/totp", headers=headers)

    assert (setup.status, setup.json["code"]) == (409, "factor_exists")
    assert off.status == 204
    stranger = await trap.auth.users.by_email("newer@example.com")
    assert await trap.auth.factors.of(stranger) == []


def bearer_of(trap: Trap) -> dict[str, str]:
    return {"authorization": f"Bearer {trap.token}", "origin": "https://app.example.com"}


async def test_a_browser_takes_the_cookie_of_a_pending_login_from_this_host_alone(trap: Trap) -> None:
    refused = await trap.stranger.post(
        "/auth/login",
        {"email": "newer@example.com", "password": PASSWORD},
        headers=VISITOR | {"auth-transport": "cookie"},
    )

    (line,) = [line for line in refused.all("set-cookie") if "pending" in line]
    assert line.startswith("__Host-")
    assert all(part in line for part in ("Path=/", "Secure", "HttpOnly"))
    assert "Domain" not in line
