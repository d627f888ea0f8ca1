"""The outbox: the newest mail, its code and its link; at once in async tests, awaited by a thread in others."""

import pytest
from starlette.testclient import TestClient

from asgi_auth import AuthMiddleware, Pages
from asgi_auth.mail import Mail
from asgi_auth.testing import Outbox, cheap_auth
from tests.support import Client, cheap, who

PASSWORD = "correct horse battery"
ACCOUNT = {"email": "ada@example.com", "password": PASSWORD}


def a_mail(to: str = "ada@example.com", purpose: str = "register", **fields: str) -> Mail:
    return Mail(purpose=purpose, to=to, subject="", text="", html="", **fields)


async def test_an_async_test_reads_the_mail_after_the_answer() -> None:
    outbox = Outbox()
    async with cheap_auth(mailer=outbox, features=[*cheap(mail=True), Pages()]) as auth:
        client = Client(AuthMiddleware(who, auth, mount="/auth"))
        asked = await client.post("/auth/register", ACCOUNT)

        done = await client.post(
            "/auth/verify-email", {"request": asked.json["request"], "code": outbox.code("ada@example.com")}
        )

        assert (asked.status, done.status) == (202, 204)
        assert outbox.last("ada@example.com", purpose="register").subject
        await client.post("/auth/forgot-password", {"email": "ada@example.com"})
        assert outbox.link("ada@example.com").startswith("https://app.example.com/")
        assert outbox.token("ada@example.com") in outbox.link()


def test_a_sync_test_waits_for_a_mail_that_is_sent_after_the_answer() -> None:
    outbox = Outbox()
    auth = cheap_auth(mailer=outbox, after_answer=True)
    auth.mail.pause = 0.05
    with TestClient(AuthMiddleware(who, auth, mount="/auth")) as client:
        asked = client.post("/auth/register", json=ACCOUNT)

        body = {"request": asked.json()["request"], "code": outbox.code("ada@example.com", seconds=60)}

        assert client.post("/auth/verify-email", json=body).status_code == 204


async def test_the_newest_mail_that_fits_is_read_and_stays() -> None:
    outbox = Outbox()
    for mail in (a_mail(code="1", link="https://a", token="t"), a_mail(code="2"), a_mail("bob@example.com", code="3")):
        await outbox.send(mail)
    await outbox.send(a_mail(purpose="new_device"))

    assert (outbox.code("ada@example.com"), outbox.code(), outbox.link()) == ("2", "3", "https://a")
    assert outbox.last("ada@example.com").purpose == "new_device"
    assert len(outbox) == 4
    outbox.clear()
    with pytest.raises(LookupError, match=r"no mail with a code .*to any address; the outbox has \[\]"):
        outbox.code()


def test_a_mail_that_does_not_come_is_an_error_with_what_came() -> None:
    outbox = Outbox()
    outbox.mails.append(a_mail())

    with pytest.raises(LookupError, match=r"no mail reset_password to bob@example.com; the outbox has \[Mail\("):
        outbox.last("bob@example.com", purpose="reset_password", seconds=0.01)
