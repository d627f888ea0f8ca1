"""The life of a second factor in a browser without JavaScript: turned on, asked for, recovered from, turned off."""

import base64
import re

import pytest

from asgi_auth import AuthMiddleware, Pages, RecoveryCodes, SecondFactors, Totp
from asgi_auth.features.totp.codes import code_at
from asgi_auth.mail import Outbox
from tests.pages.surfer import Page, Surfer
from tests.support import EMAIL, PASSWORD, Clock, cheap, make_auth, register, who


class Visitor(Surfer):
    """A user in a browser, with an app that shows codes."""

    clock: Clock
    key: bytes
    policy: SecondFactors

    def code(self) -> str:
        self.clock.move(30)
        return code_at(self.key, int(self.clock() // 30))

    async def log_in(self, next_page: str = "login?next=/here") -> Page:
        return await self.submit(await self.get(next_page), "/login", email=EMAIL, password=PASSWORD)

    async def set_up(self, page: Page) -> Page:
        """Show the key on the page of the app, and turn it on."""
        shown = await self.submit(page, "/totp/setup")
        assert "<svg" in shown.answer.body.decode()
        found = re.search(r"<code>([A-Z2-7 ]{39})</code>", shown.answer.body.decode())
        assert found is not None
        self.key = base64.b32decode(found[1].replace(" ", ""))
        return await self.submit(shown, "/totp", code=self.code())


@pytest.fixture
async def visitor() -> Visitor:
    clock, policy = Clock(), SecondFactors()
    features = [*cheap(mail=True), policy, Totp(), RecoveryCodes(), Pages()]
    auth = make_auth(features=features, clock=clock, mailer=Outbox())
    await auth.users.set_verified(await register(auth))
    visitor = Visitor(AuthMiddleware(who, auth, mount="/auth"))
    visitor.clock, visitor.policy = clock, policy
    return visitor


async def test_the_whole_life(visitor: Visitor) -> None:
    await visitor.log_in()
    account = await visitor.get("account")
    assert "password alone" in account.text
    done = await visitor.set_up(await visitor.get("totp/setup"))
    assert done.status in {200, 303}
    assert "asks for a code" in (await visitor.get("account")).text
    codes = await visitor.submit(await visitor.get("recovery-codes/new"), "/recovery-codes")
    (recovery, *others) = re.findall(r"<code>([0-9A-Z-]{29})</code>", codes.answer.body.decode())
    assert len(others) == 7
    assert recovery not in (await visitor.get("recovery-codes/new")).answer.body.decode()

    visitor.client.cookies.clear()
    step = await visitor.log_in()
    assert step.text.startswith("One more step")
    wrong = await visitor.submit(step, "/login/totp", code="000000")
    assert (wrong.status, "wrong" in wrong.text) == (401, True)
    inside = await visitor.submit(wrong, "/login/totp", code=visitor.code())
    assert (inside.status, inside.url) == (303, "/here")

    visitor.client.cookies.clear()
    step = await visitor.log_in()
    recovered = await visitor.submit(step, "/login/recovery-code", code=recovery.lower())
    assert (recovered.status, recovered.url) == (303, "/here")

    off = await visitor.submit(await visitor.get("account"), "/totp")
    assert "turned off" in off.text
    visitor.client.cookies.clear()
    assert (await visitor.log_in()).url == "/here"


async def test_after_a_while_a_change_asks_for_the_app_once_more(visitor: Visitor) -> None:
    await visitor.log_in()
    await visitor.set_up(await visitor.get("totp/setup"))
    visitor.clock.move(700)

    prove = await visitor.submit(await visitor.get("account"), "/totp")

    assert prove.text.startswith("Prove that it is you")
    done = await visitor.submit(prove, "/reauthenticate/totp", code=visitor.code())
    assert done.url.endswith("/account") or done.text.startswith("Your account")
    assert "turned off" in (await visitor.submit(await visitor.get("account"), "/totp")).text


async def test_who_must_have_a_factor_sets_it_up_during_the_login(visitor: Visitor) -> None:
    visitor.policy.required = True

    setup = await visitor.log_in()
    assert setup.text.startswith("Authenticator app")
    done = await visitor.set_up(setup)

    assert (done.status, done.url) == (303, "/here")
    assert (await visitor.get("account")).status == 200


async def test_no_one_sees_the_pages_of_a_login_that_has_not_begun(visitor: Visitor) -> None:
    for page in ("second-factor", "totp/setup", "recovery-codes/new", "reauthenticate"):
        assert (await visitor.get(page)).url.partition("?")[0] == "/auth/login"
