"""A form that asks for a proof first comes back with its values, and with no secret."""

import pytest

from asgi_auth import Auth, AuthMiddleware, MagicLink, Pages, RecoveryCodes, SecondFactors, Totp
from asgi_auth.mail import Outbox
from tests.pages.surfer import Form, Page, Surfer
from tests.pages.test_second_factors import Visitor
from tests.support import EMAIL, PASSWORD, Clock, cheap, make_auth, register, who

NEW = 'new"><b>@example.com'


class Keeper(Visitor):
    """A user in a browser, and the `Auth` of the site."""

    auth: Auth


@pytest.fixture
async def visitor() -> Keeper:
    """A user with an app, who has logged in a while ago."""
    clock = Clock()
    features = [*cheap(mail=True), MagicLink(), SecondFactors(), Totp(), RecoveryCodes(), Pages()]
    auth = make_auth(features=features, clock=clock, mailer=Outbox())
    await auth.users.set_verified(await register(auth))
    visitor = Keeper(AuthMiddleware(who, auth, mount="/auth"))
    visitor.clock, visitor.auth = clock, auth
    await visitor.log_in()
    await visitor.set_up(await visitor.get("totp/setup"))
    clock.move(700)
    return visitor


def form_of(page: Page, action: str) -> Form:
    (form,) = (form for form in page.forms if form.action.partition("?")[0].endswith(action))
    return form


async def test_the_values_come_back_after_a_wrong_and_a_right_code(visitor: Keeper) -> None:
    prove = await visitor.submit(await visitor.get("account"), "/change-email", new_email=NEW)
    assert prove.text.startswith("Prove that it is you")

    wrong = await visitor.submit(prove, "/reauthenticate/totp", code="000000")
    assert (wrong.status, "wrong" in wrong.text) == (401, True)
    back = await visitor.submit(wrong, "/reauthenticate/totp", code=visitor.code())

    assert back.status == 200
    assert "Nothing was changed yet" in back.text
    assert form_of(back, "/change-email").values["new_email"] == NEW
    assert "kept" not in form_of(back, "/change-email").values
    sent = await visitor.submit(back, "/change-email", new_email="new@example.com")
    assert "on its way" in sent.text


async def test_a_form_without_values_goes_on_as_before(visitor: Keeper) -> None:
    prove = await visitor.submit(await visitor.get("account"), "/totp")

    done = await visitor.submit(prove, "/reauthenticate/totp", code=visitor.code())

    assert done.url.endswith("/account")


async def test_no_secret_is_kept(visitor: Keeper) -> None:
    account = await visitor.get("account")
    user = await visitor.auth.users.by_email(EMAIL)
    visitor.auth.revocation.lower(await visitor.auth.storage.lower_sessions(user.id, ["mfa"], int(visitor.clock())))

    prove = await visitor.submit(account, "/change-email", new_email=NEW, password=PASSWORD)

    assert {"kept", "kept.new_email", "next", "code"} == form_of(prove, "/reauthenticate/totp").values.keys()
    assert PASSWORD not in prove.answer.body.decode()


@pytest.mark.parametrize(
    "more",
    [
        {"kept": "no_such_form", "kept.new_email": NEW},
        {"kept": "register", "kept.password": "secret horse"},
        {"kept": "change_password", "kept.current_password": "secret horse", "kept.new_password": "secret horse"},
        {"kept": "", "kept.x": "y"},
        {"kept.new_email": NEW},
    ],
)
async def test_what_is_made_up_shows_nothing_and_breaks_nothing(visitor: Keeper, more: dict[str, str]) -> None:
    page = await visitor.get("reauthenticate?said=fresh_login_required")
    made_up = {name: {"type": "hidden", "value": value} for name, value in more.items()}
    form_of(page, "/reauthenticate/totp").inputs.update(made_up)

    back = await visitor.submit(page, "/reauthenticate/totp", code=visitor.code())

    assert back.status in {200, 303}
    assert "secret horse" not in back.answer.body.decode()


class Passwordless(Surfer):
    """A user without a password, whose login is old, and the mails of the site."""

    outbox: Outbox

    async def mailed(self, page: Page, **values: str) -> Page:
        """Ask for a mail with a code by a form of the page."""
        return await self.submit(page, "/magic-link", **values)

    async def code(self) -> str:
        return (await self.outbox.next("magic_link")).code


@pytest.fixture
async def passwordless() -> Passwordless:
    clock, outbox = Clock(), Outbox()
    auth = make_auth(features=[*cheap(mail=True), MagicLink(), Pages()], clock=clock, mailer=outbox)
    for email in (EMAIL, "eve@example.com"):
        await auth.users.create(email, verified=True)
    surfer = Passwordless(AuthMiddleware(who, auth, mount="/auth"))
    surfer.outbox = outbox
    waits = await surfer.mailed(await surfer.get("magic-link"), email=EMAIL)
    await surfer.submit(waits, "/magic-link/login", code=await surfer.code())
    clock.move(700)
    return surfer


async def test_the_values_come_back_after_a_login_where_nothing_less_proves_the_user(
    passwordless: Passwordless,
) -> None:
    login = await passwordless.submit(await passwordless.get("account"), "/change-email", new_email=NEW)
    assert "Log in again" in login.text or "once more" in login.text, login.text
    assert form_of(login, "/magic-link").values["email"] == EMAIL

    waits = await passwordless.mailed(login)
    wrong = await passwordless.submit(waits, "/magic-link/login", code="00000000")
    assert wrong.status == 400
    back = await passwordless.submit(wrong, "/magic-link/login", code=await passwordless.code())

    assert "Nothing was changed yet" in back.text
    assert form_of(back, "/change-email").values["new_email"] == NEW
    sent = await passwordless.submit(back, "/change-email", new_email="new@example.com")
    assert "on its way" in sent.text


async def test_another_user_who_logs_in_gets_no_values(passwordless: Passwordless) -> None:
    login = await passwordless.submit(await passwordless.get("account"), "/change-email", new_email=NEW)

    waits = await passwordless.mailed(login, email="eve@example.com")
    page = await passwordless.submit(waits, "/magic-link/login", code=await passwordless.code())

    assert page.url.endswith("/account")
    assert "new&#34;" not in page.answer.body.decode()
    assert form_of(page, "/change-email").values["new_email"] == ""
