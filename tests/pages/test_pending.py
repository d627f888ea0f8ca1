"""A login that needs a second step: the page of that step goes on with a value that no URL and no cookie has."""

from typing import Any, ClassVar

import pytest

from asgi_auth import Account, AuthMiddleware, Pages
from asgi_auth.errors import AuthError, ForbiddenError, UnauthorizedError
from asgi_auth.feature import (
    Client,
    Feature,
    Form,
    Identity,
    Line,
    LoginAttempt,
    Page,
    Record,
    SetCookie,
    TokenPair,
    TokenText,
    get,
    post,
)
from tests.pages.surfer import Page as Shown
from tests.pages.surfer import Surfer
from tests.support import EMAIL, PASSWORD, Clock, cheap, make_auth, who

TEXTS = {
    "pages.step.title": "One more step",
    "pages.step.button": "Go on",
    "pages.other_step.title": "Another way",
    "pages.other_step.button": "Use it",
    "field.step.code": "Code of the door",
}


class StepNeededError(UnauthorizedError):
    """A second step is needed."""

    code = "step_needed"
    page = "step"

    def __init__(self, pending: str) -> None:
        super().__init__()
        self.pending = pending

    def members(self) -> dict[str, Any]:
        return {"pending": self.pending, "steps": ["code"]}

    @property
    def http_cookies(self) -> tuple[SetCookie, ...]:
        return (SetCookie("door", self.pending, 60),)


class WrongCodeError(AuthError):
    """The code is wrong."""

    status = 401
    code = "wrong_code"
    default_detail = "The code is wrong."
    fields: ClassVar[tuple[str, ...]] = ("code",)


class Open(Record, frozen=True):
    address: str


class Steps(Feature):
    """Asks for a code after the password."""

    texts: ClassVar[dict[str, dict[str, str]]] = {"en": TEXTS}
    pages = (Page(name="step", endpoint="pending_step", path="/step", entrance=True, carries="pending", loads=True),)
    forms = (
        Form(endpoint="step", page="step", hidden=("pending",)),
        Form(endpoint="other_step", page="step", hidden=("pending",)),
    )

    def __init__(self) -> None:
        self.waiting: dict[str, LoginAttempt] = {}

    async def before_login(self, login: LoginAttempt) -> None:
        if "step" not in login.amr:
            self.waiting["p" * 43] = login
            raise StepNeededError("p" * 43)

    @get("/step/pending")
    async def pending_step(self, *, pending: TokenText) -> Open:
        """Tell the address that a pending login is for."""
        if pending not in self.waiting:
            raise ForbiddenError
        return Open(self.waiting[pending].user.email)

    @post("/step", logs_in=True)
    async def step(self, *, pending: TokenText, code: Line, client: Client = Client()) -> TokenPair:
        """Log in by the code."""
        if code != "1234":
            raise WrongCodeError
        login = self.waiting.pop(pending)
        credential = await self.auth.storage.credential(login.user.id, "password")
        assert credential is not None
        return await self.auth.login(login.user, credential, amr=("pwd", "step"), client=client)

    @post("/other-step", logs_in=True)
    async def other_step(self, *, pending: TokenText, client: Client = Client()) -> TokenPair:  # noqa: ARG002
        """Log in otherwise."""
        raise WrongCodeError


class Doors(Feature):
    """Pages for visitors with a cookie, and for users with a fresh login."""

    texts: ClassVar[dict[str, dict[str, str]]] = {"en": {"pages.door.title": "A door", "pages.vault.title": "A vault"}}
    pages = (
        Page(name="door", endpoint="opened", path="/door", carries="door"),
        Page(name="vault", endpoint="vault", path="/vault", login=True, loads=True),
    )

    @get("/opened")
    async def opened(self) -> Open:
        """Say nothing."""
        return Open("")

    @get("/vault/own", fresh=True)
    async def vault(self, *, identity: Identity) -> Open:
        """Open the vault."""
        return Open(identity.id)


@pytest.fixture
async def surfer() -> Surfer:
    auth = make_auth(features=[*cheap(), Steps(), Doors(), Pages()])
    surfer = Surfer(AuthMiddleware(who, auth, mount="/auth"))
    await surfer.submit(await surfer.get("register"), "/register", email=EMAIL, password=PASSWORD)
    return surfer


async def begun(surfer: Surfer) -> Shown:
    login = await surfer.get("login?next=/here")
    return await surfer.submit(login, "/login", email=EMAIL, password=PASSWORD)


async def test_the_page_of_the_step_follows_and_the_login_goes_on_to_its_target(surfer: Surfer) -> None:
    step = await begun(surfer)
    done = await surfer.submit(step, "/step", code="1234")

    assert (step.status, step.text.startswith("One more step")) == (200, True)
    assert "Code of the door" in step.text
    assert step.form("/step").values == {"pending": "p" * 43, "next": "/here", "code": ""}
    assert "p" * 43 not in step.url
    assert (done.status, done.url) == (303, "/here")
    assert (await surfer.get("account")).status == 200


async def test_a_wrong_code_leaves_all_forms_of_the_page_usable(surfer: Surfer) -> None:
    wrong = await surfer.submit(await begun(surfer), "/step", code="1")
    other = await surfer.submit(wrong, "/other-step")
    done = await surfer.submit(other, "/step", code="1234")

    assert (wrong.status, other.status) == (401, 401)
    assert wrong.by_id("step-code")[1]["aria-invalid"] == "true"
    assert wrong.form("/other-step").inputs["pending"]["value"] == "p" * 43
    assert done.url == "/here"


async def test_without_the_value_there_is_no_page(surfer: Surfer) -> None:
    opened = await surfer.get("step?pending=" + "p" * 43)
    sent = await surfer.post("/auth/step", {"code": "1234"})
    forged = await surfer.post("/auth/step", {"code": "1", "pending": "x" * 43})

    assert opened.url == "/auth/login?said=login_needed"
    assert sent.url == "/auth/login?said=login_needed"
    assert (forged.status, forged.forms) == (403, [])


async def test_who_is_logged_in_is_sent_on_from_the_page_of_a_step(surfer: Surfer) -> None:
    await surfer.submit(await begun(surfer), "/step", code="1234")

    assert (await surfer.get("step")).url == "/"


async def test_a_cookie_opens_a_page_and_nothing_else_does(surfer: Surfer) -> None:
    closed = await surfer.get("door?next=/here")
    await begun(surfer)

    opened = await surfer.get("door")

    assert closed.url == "/auth/login?next=%2Fhere&said=login_needed"
    assert (opened.status, opened.text.startswith("A door")) == (200, True)


@pytest.mark.parametrize("proves", [True, False])
async def test_a_page_that_needs_a_fresh_login_leads_to_the_proof_or_to_the_login(proves: bool) -> None:  # noqa: FBT001 (a case)
    clock = Clock()
    features = [item for item in cheap() if proves or not isinstance(item, Account)]
    auth = make_auth(features=[*features, Doors(), Pages()], clock=clock, access_ttl=7200)
    surfer = Surfer(AuthMiddleware(who, auth, mount="/auth"))
    page = await surfer.submit(await surfer.get("register"), "/register", email=EMAIL, password=PASSWORD)
    await surfer.submit(page, "/login", email=EMAIL, password=PASSWORD)
    fresh = await surfer.get("vault")
    clock.move(3600)

    old = await surfer.get("vault")

    assert fresh.text.startswith("A vault")
    assert "Log in again, to be sure that it is you." in old.text
    assert old.url == ("/auth/vault" if proves else "/auth/login?next=vault&said=fresh_login_required")
    assert (await surfer.get("account")).status == (200 if proves else 404)
