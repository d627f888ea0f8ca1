"""Pages take the code of a mail only in the browser that asked for it, and lead that browser on to where it was going.

An attacker may begin a sign-up with the address of a victim, and send the victim the genuine page for its code: typed
there, the code would give the victim's address to an account with the attacker's passkey, provider or password.
"""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from asgi_auth import OIDC, Auth, AuthMiddleware, OpenIDProvider, Outbox, Pages, Passkeys, SecondFactors
from asgi_auth.accounts.asked_mail import COOKIE, LONGEST
from asgi_auth.mail import Mail
from asgi_auth.testing.passkey import Passkey
from asgi_auth.testing.provider import FakeProvider, InProcess
from tests.pages.flows import all_features
from tests.pages.surfer import Page, Surfer
from tests.support import EMAIL, ORIGIN, PASSWORD, Clock, make_auth, who

ISSUER, SECRET = "https://id.example.com", "the secret of a client of a fake provider"
NAME = f"__Host-auth-{COOKIE}"
ELSEWHERE = "A code works only in the browser that asked for it"


class Site:
    """An app with all ways that mail a code, and its browsers."""

    def __init__(self, auth: Auth, op: FakeProvider) -> None:
        self.auth, self.op = auth, op

    def browser(self) -> Surfer:
        return Surfer(AuthMiddleware(who, self.auth, mount="/auth"))

    async def mail(self, email: str = EMAIL) -> Mail:
        """The last mail to an address with a code."""
        await self.auth.mail.idle()
        outbox = self.auth.mail.mailer
        assert isinstance(outbox, Outbox)
        return next(mail for mail in reversed(outbox.mails) if mail.to == email and mail.code)


@pytest.fixture
async def site(clock: Clock) -> AsyncIterator[Site]:
    op = FakeProvider(ISSUER, client_id="app", client_secret=SECRET, now=clock)
    op.add_user("7", email=EMAIL)
    op.visitor = "7"
    features = [
        *all_features(Pages()),
        SecondFactors(),
        Passkeys(sign_up=True),
        OIDC([OpenIDProvider("op", "app", SECRET, issuer=ISSUER)], outgoing=InProcess(op)),
    ]
    async with make_auth(clock=clock, features=features, mailer=Outbox(), enumeration="hide") as auth:
        yield Site(auth, op)


async def by_password(_: Site, surfer: Surfer) -> Page:
    sent = {"email": EMAIL, "password": PASSWORD}
    return await surfer.submit(await surfer.get("register?next=/deep"), "/register", **sent)


async def by_passkey(_: Site, surfer: Surfer) -> Page:
    asked = (await surfer.client.post("/auth/register/passkey/options", {"email": EMAIL})).json
    made = json.dumps(Passkey(origin=ORIGIN).create(asked["options"]))
    sent = {"email": EMAIL, "request": asked["request"], "credential": made, "next": "/deep"}
    return await surfer.post("register/passkey", sent)


async def by_provider(site: Site, surfer: Surfer) -> Page:
    begun = await surfer.client.get("/auth/oidc/op/login?next=/deep")
    way = (await site.op.visit(begun.header("location") or "")).url
    return await surfer.get(way.removeprefix(ORIGIN))


SIGN_UPS: dict[str, Callable[[Site, Surfer], Awaitable[Page]]] = {
    "password": by_password,
    "passkey": by_passkey,
    "provider": by_provider,
}


async def user_of(site: Site) -> None:
    """Make the account of the victim."""
    await site.auth.users.create(EMAIL, password=PASSWORD, verified=True)


async def by_mail(site: Site, surfer: Surfer, asks: str) -> Page:
    """Ask for a mail for the account with the address."""
    await user_of(site)
    return await surfer.submit(await surfer.get(asks), f"/{asks}", email=EMAIL)


async def by_change(site: Site, surfer: Surfer) -> Page:
    """Ask to change the address of another account to that of the victim."""
    await site.auth.users.create("eve@example.com", password=PASSWORD, verified=True)
    await surfer.submit(await surfer.get("login"), "/login", email="eve@example.com", password=PASSWORD)
    return await surfer.submit(await surfer.get("account"), "/change-email", new_email=EMAIL, password=PASSWORD)


ASKS: dict[str, Callable[[Site, Surfer], Awaitable[Page]]] = SIGN_UPS | {
    "magic-link": lambda site, surfer: by_mail(site, surfer, "magic-link"),
    "forgot-password": lambda site, surfer: by_mail(site, surfer, "forgot-password"),
    "request-unlock": lambda site, surfer: by_mail(site, surfer, "request-unlock"),
    "change-email": by_change,
}


def request_in(page: Page) -> str:
    return parse_qs(urlsplit(page.url).query)["request"][0]


def path_of(page: Page) -> str:
    return urlsplit(page.url).path


async def is_logged_in(surfer: Surfer) -> bool:
    return not (await surfer.get("account")).url.startswith("/auth/login")


@pytest.mark.parametrize("way", ASKS)
async def test_the_code_is_taken_only_in_the_browser_that_asked(way: str, site: Site) -> None:
    eve, victim = site.browser(), site.browser()
    waiting = await ASKS[way](site, eve)
    path, more = path_of(waiting), {"new_password": "another long password"} if way == "forgot-password" else {}
    code = (await site.mail()).code

    led = await victim.get(waiting.url)
    typed = await victim.post(path, {"request": request_in(waiting), "code": code, **more})

    for page in (led, typed):
        assert (path_of(page), page.status) == (path, 200)
        assert ELSEWHERE in page.text
        assert path not in [form.action for form in page.forms]
        assert request_in(waiting) not in "".join([*page.links, *(str(form.values) for form in page.forms)])
    assert not await is_logged_in(victim)
    # Nothing has used the code up.
    done = await eve.submit(waiting, path.removeprefix("/auth"), code=code, **more)
    assert path_of(done) != path


@pytest.mark.parametrize("way", ["passkey", "provider", "forgot-password"])
async def test_another_browser_does_not_make_the_request_its_own(way: str, site: Site) -> None:
    """It asks for a mail of its own; the form that asks again does not hand the first one over."""
    eve, victim = site.browser(), site.browser()
    waiting = await ASKS[way](site, eve)
    path, request = path_of(waiting), request_in(waiting)
    again = "forgot-password" if way == "forgot-password" else "resend-verification"

    asked = await victim.post(again, {"email": EMAIL, "request": request})
    back = await victim.get(f"{path}?request={request}")

    assert request_in(asked) != request
    assert ELSEWHERE in back.text
    assert path not in [form.action for form in back.forms]


@pytest.mark.parametrize("way", ["passkey", "provider"])
async def test_the_page_names_where_to_begin(way: str, site: Site) -> None:
    waiting = await SIGN_UPS[way](site, site.browser())

    page = await site.browser().get(waiting.url)

    assert [urlsplit(link).path for link in page.links] == ["/auth/register", "/auth/login"]
    assert "said=" not in page.url or "on its way" not in page.text


@pytest.mark.parametrize("way", SIGN_UPS)
async def test_the_code_of_a_sign_up_logs_its_browser_in_and_leads_on(way: str, site: Site) -> None:
    ada = site.browser()
    waiting = await SIGN_UPS[way](site, ada)
    assert f"the mail to {EMAIL}" in waiting.text

    done = await ada.submit(waiting, "/verify-email", code=(await site.mail()).code)

    assert done.url == "/deep"
    assert await is_logged_in(ada)
    me = (await ada.client.get("/auth/me", headers={"accept": "application/json"})).json
    assert (me["email"], me["email_verified"]) == (EMAIL, True)
    assert NAME not in ada.client.cookies


async def test_the_session_has_the_methods_that_the_sign_up_has_shown(site: Site) -> None:
    found = []
    for begin in SIGN_UPS.values():
        ada = site.browser()
        waiting = await begin(site, ada)
        await ada.submit(waiting, "/verify-email", code=(await site.mail()).code)
        identity = await site.auth.authenticate(ada.client.cookies["__Host-auth"])
        found.append(identity.amr)
        await site.auth.users.delete(identity.id)

    assert found == [("email",), ("email", "hwk", "mfa"), ("email", "fed")]


async def test_the_link_in_the_same_browser_leads_on_to_the_target_of_the_registration(site: Site) -> None:
    ada, other = site.browser(), site.browser()
    await by_password(site, ada)
    link = f"verify-email?token={(await site.mail()).token}"

    assert "next" not in (await other.get(link)).form("/verify-email").inputs
    done = await ada.submit(await ada.get(link), "/verify-email", password=PASSWORD)

    assert done.url == "/auth/login?next=%2Fdeep&said=email_verified"
    assert (await ada.submit(done, "/login", email=EMAIL, password=PASSWORD)).url == "/deep"


@pytest.mark.parametrize("by", ["code", "link"])
@pytest.mark.parametrize(("target", "end"), [("/deep", "/deep"), ("https://evil.example/", "/auth/account")])
async def test_a_user_who_is_logged_in_goes_on_to_next(by: str, target: str, end: str, site: Site) -> None:
    ada = site.browser()
    await site.auth.users.create(EMAIL, password=PASSWORD)
    await ada.submit(await ada.get("login"), "/login", email=EMAIL, password=PASSWORD)
    page = await ada.get(f"verify-email?next={target}")
    waiting = await ada.submit(page, "/resend-verification")
    mail = await site.mail()

    if by == "code":
        done = await ada.submit(waiting, "/verify-email", code=mail.code)
    else:
        done = await ada.submit(await ada.get(f"verify-email?token={mail.token}"), "/verify-email")

    assert path_of(done) == end
    assert (await site.auth.users.by_email(EMAIL)).email_verified


async def test_a_browser_brings_the_codes_of_several_mails(site: Site) -> None:
    ada = site.browser()
    await user_of(site)
    forgotten = await ada.submit(await ada.get("forgot-password"), "/forgot-password", email=EMAIL)
    first = (await site.mail()).code
    link = await ada.submit(await ada.get("magic-link"), "/magic-link", email=EMAIL)
    second = (await site.mail()).code

    reset = await ada.submit(forgotten, "/reset-password", code=first, new_password="another long password")
    # A changed password voids the other mail: its form is still for this browser, and the code is wrong.
    late = await ada.submit(link, "/magic-link/login", code=second)

    assert reset.url == "/auth/login?said=password_changed"
    assert (late.status, path_of(late)) == (400, "/auth/magic-link/login")


async def test_the_cookie_keeps_the_newest_mails_and_stays_short(site: Site) -> None:
    ada = site.browser()
    first, *_, last = [
        await ada.submit(
            await ada.get(f"magic-link?next=/{'x' * 500}"), "/magic-link", email=f"{number}{'y' * 60}@e.com"
        )
        for number in range(9)
    ]

    assert len(ada.client.cookies[NAME]) <= LONGEST + 44
    assert ELSEWHERE in (await ada.get(first.url)).text
    assert "/auth/magic-link/login" in [form.action for form in (await ada.get(last.url)).forms]
