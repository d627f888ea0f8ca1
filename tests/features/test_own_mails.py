"""A feature of a host's own sends a mail: with its own texts, by every mailer, and with a token of its own."""

from pathlib import Path
from typing import Any

import pytest

from asgi_auth import Argon2, Auth, AuthMiddleware, Outbox, Passwords, Sessions
from asgi_auth.errors import InvalidOneTimeTokenError
from asgi_auth.feature import Client as Caller
from asgi_auth.feature import Feature, Identity, Line, Purpose, Requested, TokenText, post
from asgi_auth.features.defaults import defaults
from asgi_auth.mail import Callbacks
from tests.support import EMAIL, Client, bearer, login, make_auth, register, who

TEXTS = {
    "en": {
        "mail.approve_payment.subject": "Approve {amount} at {name}",
        "mail.approve_payment.body": "You are about to pay {amount}.",
        "mail.approve_payment.action": "Approve",
    },
    "de": {
        "mail.approve_payment.subject": "{amount} bei {name} freigeben",
        "mail.approve_payment.body": "Sie zahlen {amount}.",
    },
    "xx": {"mail.approve_payment.body": "xx {amount}"},
}


class Payments(Feature):
    """Lets users approve a payment by a mailed code, and announces it."""

    needs_mail = True
    mails = ("approve_payment", "paid_by_mail")
    texts = TEXTS

    def __init__(self) -> None:
        self.purpose = Purpose("approve_payment", "/approve", ttl=600, link="https://pay.example.com/#{token}")

    @post("/pay", status=202)
    async def pay(self, *, amount: Line, identity: Identity, client: Caller = Caller()) -> None:
        """Announce a payment."""
        self.auth.letters.notify("approve_payment", await identity.load(), client, {"amount": amount})

    @post("/ask", status=202)
    async def ask(self, *, identity: Identity, client: Caller = Caller()) -> Requested:
        """Mail a code."""
        user = await identity.load()
        return await self.auth.one_time.ask(
            self.purpose, subject=user.email_canonical, user=user, client=client, letter="paid_by_mail"
        )

    @post("/approve", status=204, errors=(InvalidOneTimeTokenError,))
    async def approve(self, *, token: TokenText = "", request: Line = "", code: Line = "") -> None:
        """Approve by the mailed token or code."""
        found = await self.auth.one_time.find((self.purpose,), token, request, code)
        async with self.auth.storage.transaction() as storage:
            await self.auth.one_time.redeem(storage, found, self.purpose.error)


FURTHER = {"en": {"mail.paid_by_mail.subject": "Your code", "mail.paid_by_mail.body": "For {name}."}}


def make(mailer: Any, **settings: Any) -> Auth:
    settings.setdefault("texts", FURTHER)
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), Payments()]
    return make_auth(features=features, mailer=mailer, **settings)


@pytest.mark.parametrize(
    ("language", "subject", "body"),
    [
        ("en", "Approve 5 EUR at Account", "You are about to pay 5 EUR."),
        ("de-AT", "5 EUR bei Account freigeben", "Sie zahlen 5 EUR."),
        ("xx", "Approve 5 EUR at Account", "You are about to pay 5 EUR."),
    ],
)
async def test_a_feature_of_ones_own_sends_a_mail_with_its_own_texts(language: str, subject: str, body: str) -> None:
    outbox = Outbox()
    async with make(outbox) as auth:
        await register(auth)
        client = Client(AuthMiddleware(who, auth, mount="/auth"), bearer(await login(auth)))

        answer = await client.post("/auth/pay", {"amount": "5 EUR"}, headers={"accept-language": language})
        mail = await outbox.next("approve_payment")

    assert answer.status == 202
    assert (mail.to, mail.subject) == (EMAIL, subject)
    assert body in mail.text
    assert body in mail.html


async def test_callbacks_have_an_entry_for_the_mail_of_a_feature_of_ones_own() -> None:
    got: list[tuple[str, str]] = []
    callbacks = Callbacks(approve_payment=lambda *mail: got.append(mail), paid_by_mail=lambda *mail: got.append(mail))
    async with make(callbacks) as auth:
        await register(auth)
        client = Client(AuthMiddleware(who, auth, mount="/auth"), bearer(await login(auth)))

        await client.post("/auth/pay", {"amount": "5 EUR"})
        await auth.mail.idle()
        asked = await client.post("/auth/ask", {})
        await auth.mail.idle()
        approved = await client.post("/auth/approve", {"token": got[-1][1]})
        again = await client.post("/auth/approve", {"token": got[-1][1]})

    assert got[0] == (EMAIL, "")
    assert (asked.status, approved.status, again.status) == (202, 204, 400)


def test_beside_all_defaults_its_texts_come_from_the_host_as_well() -> None:
    texts = {"en": FURTHER["en"] | {"mail.approve_payment.subject": "Pay {amount}!"}}
    features = [*defaults(mail=True), Payments()]

    auth = make_auth(features=features, mailer=Outbox(), texts=texts)

    assert auth.texts.get("mail.approve_payment.subject", amount=3) == "Pay 3!"
    assert auth.texts.get("mail.approve_payment.subject", "de", amount=3, name="x") == "3 bei x freigeben"


def test_a_callback_that_is_missing_or_named_wrong_is_refused() -> None:
    def send(email: str, token: str) -> None: ...

    with pytest.raises(ValueError, match="no callback for the mails paid_by_mail"):
        make(Callbacks(approve_payment=send))
    with pytest.raises(ValueError, match="unknown mail purposes"):
        Callbacks(approve_paymnt=send)
    with pytest.raises(ValueError, match="unknown mail purposes"):
        Callbacks(approve_payment=send, others=Outbox(), verify_mail=send)


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"en": {"mail.aprove_payment.subject": "x"}}, "unknown text"),
        ({"en": {"mail.approve_payment.sbject": "x"}}, "unknown text"),
        ({"en": {"mail.approve_payment.subject": "{amont}"}}, "can only use the placeholders"),
    ],
)
def test_a_text_of_the_host_with_a_wrong_name_is_refused(texts: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make(Outbox(), texts=texts)


def test_texts_of_another_feature_need_that_feature() -> None:
    with pytest.raises(ValueError, match="unknown text"):
        make_auth(mailer=Outbox(), texts={"en": {"mail.approve_payment.subject": "x"}})


@pytest.mark.parametrize(
    ("texts", "message"),
    [
        ({"en": {"mail.verify_email.subject": "x"}}, "one of the library"),
        ({"en": {"mail.approve_payment.subject": "x"}}, "two features define"),
        ({"en": {"error.mine": "{a}"}, "de": {"error.mine": "{b}"}}, "different placeholders"),
    ],
)
def test_texts_of_features_that_clash_are_refused(texts: Any, message: str) -> None:
    class Other(Feature):
        """Adds texts."""

    Other.texts = texts
    features = [Passwords(argon2=Argon2.cheap()), Sessions(), Payments(), Other()]

    with pytest.raises(ValueError, match=message):
        make_auth(features=features, mailer=Outbox(), texts=FURTHER)


async def test_a_template_of_its_mail_is_rendered_when_the_auth_is_made(tmp_path: Path) -> None:
    folder = tmp_path / "mail"
    folder.mkdir()
    (folder / "approve_payment.txt").write_text("{{ values.amount }}: {{ body }}")
    outbox = Outbox()
    async with make(outbox, templates=str(tmp_path)) as auth:
        await register(auth)
        await auth[Payments].pay(amount="7 EUR", identity=await auth.authenticate((await login(auth)).access_token))
        mail = await outbox.next("approve_payment")

    assert mail.text == "7 EUR: You are about to pay 7 EUR."
    (folder / "approve_payment.txt").write_text("{{ nothing }}")
    with pytest.raises(ValueError, match="cannot render the mail approve_payment"):
        make(Outbox(), templates=str(tmp_path))
