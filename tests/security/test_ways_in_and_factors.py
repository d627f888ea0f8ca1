"""Every endpoint that logs in meets the second factor, and each takes one kind of pending login.

The endpoints are found by what features declare, and by what they reach in the source.
"""

import base64
from collections.abc import AsyncIterator, Awaitable, Callable
from types import MethodType
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest

from asgi_auth import OIDC, AuthApp, Passkeys, Passwords, SecondFactors
from asgi_auth.accounts.asked_mail import AskedMail, AskedMails
from asgi_auth.feature.endpoint import Endpoint
from asgi_auth.features.totp.codes import code_at
from asgi_auth.mail import Outbox
from asgi_auth.testing.passkey import Passkey
from asgi_auth.testing.provider import FakeProvider, InProcess
from asgi_auth.web.cookies import Cookies
from tests.documentation import every_endpoint
from tests.features.factors import World, a_world
from tests.oidc.test_handoff import CHALLENGE, VERIFIER
from tests.oidc.world import ISSUER, SECRET, openid
from tests.security.reach import reached
from tests.support import EMAIL, ORIGIN, PASSWORD, Answer, Client, Clock, register

FORM = {"content-type": "application/x-www-form-urlencoded"}
ACCOUNT = {"email": EMAIL, "password": PASSWORD}
OTHER = {"email": "other@example.com", "password": PASSWORD}
#: A passkey of no device, as one that is made and as one that is used.
UNKNOWN = {
    "id": "eA",
    "rawId": "eA",
    "type": "public-key",
    "response": dict.fromkeys(("clientDataJSON", "attestationObject", "authenticatorData", "signature"), "eA"),
}
#: The codes of logins that wait for a factor that the user has, and for its setup.
REQUIRED, SETUP = "second_factor_required", "second_factor_setup_required"


class Site:
    """A site where all users must have a second factor: one user has an app, and another one has nothing."""

    def __init__(self, world: World, op: FakeProvider) -> None:
        self.world, self.auth, self.op = world, world.auth, op
        self.client = Client(AuthApp(world.auth))

    async def begin(self) -> None:
        self.auth[SecondFactors].required = True
        # Two setups that begin before there is a factor: the second one comes too late.
        await self.auth.users.set_verified(await register(self.auth, OTHER["email"]))
        first, self.world.key = await self.set_up(await self.pending(SETUP, ACCOUNT))
        self.late, _ = await self.set_up(await self.pending(SETUP, ACCOUNT))
        pending = await self.pending(SETUP, ACCOUNT)
        asked = await self.client.post("/passkeys/options", {"pending": pending})
        made = Passkey(origin=ORIGIN).create(asked.json["options"])
        self.late_passkey = {"pending": pending, "credential": made}
        done = await self.client.post("/totp", first)
        assert done.status == 200
        self.token = done.json["access_token"]
        self.world.clock.move(30)

    async def pending(self, code: str, account: dict[str, str]) -> str:
        refused = await self.client.post("/login", account)
        assert refused.json["code"] == code
        pending: str = refused.json["pending"]
        return pending

    async def set_up(self, pending: str) -> tuple[dict[str, str], bytes]:
        """Begin a setup; return the body that ends it, and the key."""
        setup = (await self.client.post("/totp/setup", {"pending": pending})).json
        key = base64.b32decode(setup["secret"])
        code = code_at(key, int(self.world.clock() // 30))
        return {"pending": pending, "request": setup["request"], "code": code}, key


@pytest.fixture
async def site() -> AsyncIterator[Site]:
    clock = Clock()
    op = FakeProvider(ISSUER, client_id="app", client_secret=SECRET, now=clock)
    op.add_user("7", email=EMAIL, email_verified=True)
    op.visitor = "7"
    more = (Passkeys(sign_up=True), OIDC([openid()], outgoing=InProcess(op)))
    async with a_world("sqlite://", clock, *more) as world:
        made = Site(world, op)
        await made.begin()
        yield made


async def by_password(site: Site) -> Answer:
    return await site.client.post("/login", ACCOUNT)


async def by_the_token_endpoint(site: Site) -> Answer:
    body = urlencode({"grant_type": "password", "username": EMAIL, "password": PASSWORD}).encode()
    return await site.client.post("/token", body=body, headers=FORM)


async def by_a_magic_link(site: Site) -> Answer:
    await site.client.post("/magic-link", {"email": EMAIL})
    outbox: Outbox = site.auth.mail.mailer  # type: ignore[assignment]  # the tests' own
    return await site.client.post("/magic-link/login", {"token": (await outbox.next("magic_link")).token})


async def by_registering(site: Site) -> Answer:
    site.auth[Passwords].login_after_register = True
    return await site.client.post("/register", {"email": "new@example.com", "password": PASSWORD})


async def by_the_code_of_a_registration(site: Site) -> Answer:
    """Bring the code in the browser that has registered, as its cookie says."""
    cookies, now = Cookies(site.auth.settings), int(site.world.clock())
    browser = Client(AuthApp(site.auth), headers={"auth-transport": "cookie", "origin": ORIGIN}, keep_cookies=True)
    asked = (await browser.post("/register", {"email": "new@example.com", "password": PASSWORD})).json
    request = asked.get("request") or asked["verification"]["request"]
    about = {"request": request, "field": "email", "name": "new@example.com", "page": "register"}
    remembered = AskedMail(**about, at=now, until=now + 600, registers=True)
    browser.cookies[f"{cookies.access}-asked"] = (
        AskedMails(site.auth.keys, site.world.clock).with_mail({}, remembered).value
    )
    outbox: Outbox = site.auth.mail.mailer  # type: ignore[assignment]  # the tests' own
    return await browser.post("/verify-email", {"request": request, "code": (await outbox.next("verify_email")).code})


async def by_a_late_setup(site: Site) -> Answer:
    return await site.client.post("/totp", site.late)


async def by_a_wrong_code(site: Site) -> Answer:
    return await site.client.post("/login/totp", {"pending": await site.pending(REQUIRED, ACCOUNT), "code": "000000"})


async def by_a_wrong_recovery_code(site: Site) -> Answer:
    sent = {"pending": await site.pending(REQUIRED, ACCOUNT), "code": "0000-0000-0000-0000-0000-0000"}
    return await site.client.post("/login/recovery-code", sent)


async def by_an_unknown_passkey(site: Site) -> Answer:
    sent = {"pending": await site.pending(REQUIRED, ACCOUNT), "credential": UNKNOWN}
    return await site.client.post("/login/passkey", sent)


async def by_a_late_passkey(site: Site) -> Answer:
    return await site.client.post("/passkeys", site.late_passkey)


async def by_a_new_passkey(site: Site) -> Answer:
    """Register the address of the account once more, with a key of another person."""
    free = (await site.client.post("/register/passkey/options", {"email": "new@example.com"})).json
    made = Passkey(origin=ORIGIN).create(free["options"])
    return await site.client.post("/register/passkey", {"email": EMAIL, "request": free["request"], "credential": made})


async def by_a_provider(site: Site) -> Answer:
    browser = Client(AuthApp(site.auth), keep_cookies=True)
    begun = await browser.get("/oidc/op/login")
    way = (await site.op.visit(begun.header("location") or "")).url
    return await browser.get(f"/oidc/op/callback?{urlsplit(way).query}")


async def by_a_handoff(site: Site) -> Answer:
    browser = Client(AuthApp(site.auth), keep_cookies=True)
    begun = await browser.get(f"/oidc/op/login?next=/after&challenge={CHALLENGE}")
    way = (await site.op.visit(begun.header("location") or "")).url
    back = await browser.get(f"/oidc/op/callback?{urlsplit(way).query}")
    token = (back.header("location") or "").partition("?token=")[2]
    return await browser.post("/handoff", {"token": token, "verifier": VERIFIER})


async def by_a_sign_up(site: Site) -> Answer:
    """Type the address of the account where the provider has named none."""
    site.op.add_user("without an address")
    site.op.visitor = "without an address"
    asked = await by_a_handoff(site)
    sent = {"sign_up": asked.json["sign_up"], "email": EMAIL}
    return await site.client.post("/oidc/sign-up", sent)


#: How a user tries to get in without the factor.
WAYS: dict[str, Callable[[Site], Awaitable[Answer]]] = {
    "login": by_password,
    "token": by_the_token_endpoint,
    "magic_link_login": by_a_magic_link,
    "register": by_registering,
    "verify_email": by_the_code_of_a_registration,
    "totp_turn_on": by_a_late_setup,
    "totp_login": by_a_wrong_code,
    "recovery_code_login": by_a_wrong_recovery_code,
    "passkey_login": by_an_unknown_passkey,
    "add_passkey": by_a_late_passkey,
    "passkey_sign_up": by_a_new_passkey,
    "oidc_callback": by_a_provider,
    "handoff": by_a_handoff,
    "oidc_sign_up": by_a_sign_up,
}


@pytest.mark.parametrize("name", WAYS)
async def test_no_way_in_leads_past_the_second_factor(name: str, site: Site) -> None:
    before = await sessions(site)

    answer = await WAYS[name](site)

    assert "access_token" not in answer.body.decode()
    # A browser that comes back from a provider keeps its pending login in a cookie.
    assert not any(value for name, value in answer.cookies.items() if not name.endswith("-pending"))
    assert await sessions(site) == before


async def sessions(site: Site) -> int:
    found = [await site.auth.users.by_email(email) for email in (EMAIL, OTHER["email"])]
    return sum([len(await site.auth.storage.sessions(user.id, int(site.world.clock()), 0)) for user in found])


def test_every_endpoint_that_logs_in_is_tried_here() -> None:
    assert {endpoint.name for endpoint in every_endpoint() if endpoint.logs_in} == WAYS.keys()


async def test_sessions_are_reached_through_the_gate_alone_and_by_those_that_log_in(site: Site) -> None:
    features = site.auth.features
    calls: list[tuple[str, Callable[..., Any], object]] = [
        (endpoint.name, endpoint.function, feature) for feature in features for endpoint in feature.endpoints
    ]
    # The token endpoint asks the features for the functions of its grants.
    grants = [(name, grant.run) for feature in features for name, grant in feature.grants.items()]
    calls += [(f"grant {name}", run.__func__, run.__self__) for name, run in grants if isinstance(run, MethodType)]

    found = {name: reached(function, type(feature), frozenset({"add_session"})) for name, function, feature in calls}

    assert {name for name, calls in found.items() if calls} == WAYS.keys() - {"token"} | {"grant password"}
    assert {call for calls in found.values() for call in calls} == {("SessionService._login", "add_session")}


def taking_pending() -> list[Endpoint]:
    """The endpoints that take a pending login."""
    return [endpoint for endpoint in every_endpoint() if "pending" in endpoint.fields]


#: The challenge of a passkey is bound to one pending login (tests/passkeys/test_challenges.py), and is checked first.
ASKED = [endpoint for endpoint in taking_pending() if endpoint.name != "passkey_login"]


@pytest.mark.parametrize("endpoint", ASKED, ids=lambda endpoint: endpoint.name)
async def test_each_endpoint_takes_exactly_one_kind_of_pending_login(endpoint: Endpoint, site: Site) -> None:
    waiting = {
        "a factor": await site.pending(REQUIRED, ACCOUNT),
        "a setup": await site.pending(SETUP, OTHER),
        "nothing": "x" * 43,
        "a mail": await mailed(site),
        "an access": site.token,
    }
    others = {name: UNKNOWN if name == "credential" else "123456" for name in endpoint.fields if name != "pending"}

    refused = set()
    for kind, pending in waiting.items():
        answer = await site.client.post(endpoint.path, {**others, "pending": pending})
        assert answer.status != 422, answer.json
        refused |= {kind} if answer.json.get("code") == "pending_login_expired" else set()

    assert waiting.keys() - refused == {"a factor" if endpoint.path.startswith("/login/") else "a setup"}


async def mailed(site: Site) -> str:
    """Return the token of a mail."""
    await site.client.post("/magic-link", {"email": EMAIL})
    outbox: Outbox = site.auth.mail.mailer  # type: ignore[assignment]  # the tests' own
    return (await outbox.next("magic_link")).token or ""


def test_pending_logins_are_taken_by_setups_and_by_the_last_steps_of_logins() -> None:
    paths = sorted(endpoint.path for endpoint in taking_pending())

    assert paths == [
        "/login/passkey", "/login/passkey/options", "/login/recovery-code", "/login/totp",
        "/passkeys", "/passkeys/options", "/totp", "/totp/setup",
    ]  # fmt: skip
