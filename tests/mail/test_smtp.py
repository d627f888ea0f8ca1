"""SMTP with a real server: the received mails, and the error for each failure."""

import asyncio
import ssl
import sys
from contextlib import suppress
from email.utils import parsedate_to_datetime
from typing import Any

import pytest

from asgi_auth.mail import MailError, SMTPMailer, TemporaryMailError
from tests.mail.server import SENDER, a_mail, serving, unused_port

PLAIN: dict[str, Any] = {"username": None, "password": None, "tls": "none", "context": None}


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_mail_arrives_with_both_parts_and_the_headers_of_a_machine(tls: str) -> None:
    mail = a_mail(language="de")

    async with serving(tls=tls) as server:
        await server.mailer(tls=tls).send(mail)

    ((envelope, message),) = server.got
    assert (envelope.mail_from, envelope.rcpt_tos) == ("no-reply@example.com", ["ann@example.com"])
    assert (message["From"], message["To"], message["Subject"]) == (SENDER, "ann@example.com", mail.subject)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Content-Language"] == "de"
    assert message["Message-ID"] == f"<{mail.id}@example.com>"
    assert parsedate_to_datetime(message["Date"]).tzinfo is not None
    assert message.get_content_type() == "multipart/alternative"
    text, html = message.iter_parts()
    assert (text.get_content_type(), text.get_content().strip()) == ("text/plain", mail.text)
    assert (html.get_content_type(), html.get_content().strip()) == ("text/html", mail.html)


async def test_a_server_on_this_machine_needs_no_encryption() -> None:
    async with serving(tls="none", login=False) as server:
        await server.mailer(**PLAIN).send(a_mail())

    assert len(server.got) == 1
    assert server.got[0][1]["Content-Language"] is None


@pytest.mark.parametrize(
    ("address", "sent"),
    [
        ("ünï@example.com", "ünï@example.com"),
        ("ann@straße.example", "ann@xn--strae-oqa.example"),
    ],
)
async def test_every_address_that_can_be_registered_gets_its_mail(address: str, sent: str) -> None:
    async with serving() as server:
        await server.mailer().send(a_mail(address))

    ((envelope, message),) = server.got
    for text in (*envelope.rcpt_tos, message["To"].addresses[0].addr_spec):
        assert text.encode("utf-8", "surrogateescape").decode() == sent


async def test_a_domain_beyond_ascii_needs_no_smtputf8_and_a_local_part_does() -> None:
    async with serving(utf8=False) as server:
        await server.mailer().send(a_mail("ann@straße.example"))
        error = await failure(server.mailer(), to="ünï@example.com")

    assert len(server.got) == 1
    assert type(error) is MailError


async def failure(mailer: SMTPMailer, **fields: Any) -> MailError:
    with pytest.raises(MailError) as caught:
        await mailer.send(a_mail(**fields))
    assert "@" not in str(caught.value)
    assert caught.value.__suppress_context__
    return caught.value


@pytest.mark.parametrize(
    ("to", "kind", "said"),
    [
        ("bad@example.com", MailError, "SMTPRecipientRefused: 550 5.1.1"),
        ("later@example.com", TemporaryMailError, "SMTPRecipientRefused: 451"),
    ],
)
async def test_a_refused_recipient_is_final_or_not_by_the_code(to: str, kind: type, said: str) -> None:
    async with serving() as server:
        error = await failure(server.mailer(), to=to)

    assert (type(error), str(error)) == (kind, said)


@pytest.mark.parametrize(("answer", "kind"), [("452 4.3.1 full", TemporaryMailError), ("554 5.7.1 spam", MailError)])
async def test_a_refused_text_is_final_or_not_by_the_code(answer: str, kind: type) -> None:
    async with serving() as server:
        server.data = answer
        error = await failure(server.mailer())

    assert (type(error), str(error)) == (kind, f"SMTPDataError: {answer[:9]}")


async def test_a_wrong_password_is_final_and_not_told() -> None:
    async with serving() as server:
        error = await failure(server.mailer(password="guessed"))

    assert type(error) is MailError
    assert str(error).startswith("SMTPAuthenticationError: 535")


async def test_a_server_that_wants_a_login_and_gets_none_is_final() -> None:
    async with serving() as server:
        error = await failure(server.mailer(username=None, password=None))

    assert (type(error), str(error)[:22]) == (MailError, "SMTPSenderRefused: 530")


@pytest.mark.parametrize("tls", ["starttls", "tls"])
async def test_a_certificate_that_is_not_trusted_is_final_and_nothing_is_sent(tls: str) -> None:
    async with serving(tls=tls) as server:
        error = await failure(server.mailer(tls=tls, context=None))

    assert (type(error), str(error)) == (MailError, "the server's certificate is not trusted")
    assert server.got == []


async def test_a_certificate_of_another_name_is_final_and_nothing_is_sent() -> None:
    async with serving(name="mail.example.com") as server:
        error = await failure(server.mailer())

    assert (type(error), str(error)) == (MailError, "the server's certificate is not trusted")
    assert server.got == []


async def test_a_server_without_starttls_gets_nothing() -> None:
    async with serving(tls="none", login=False) as server:
        error = await failure(server.mailer(username=None, password=None))

    assert type(error) is MailError
    assert "STARTTLS" in str(error)
    assert server.got == []


async def test_tls_to_a_server_that_speaks_none_sends_nothing() -> None:
    async with serving(tls="none", login=False) as server:
        error = await failure(server.mailer(tls="tls", username=None, password=None, timeout=0.5))

    assert type(error) is TemporaryMailError
    assert server.got == []


async def test_a_connection_that_is_dropped_is_worth_another_try() -> None:
    async with serving() as server:
        server.dropping = 1
        error = await failure(server.mailer())

    assert (type(error), str(error)) == (TemporaryMailError, "SMTPServerDisconnected")


async def test_a_goodbye_that_fails_does_not_send_the_mail_twice() -> None:
    async with serving() as server:
        server.rude = True
        await server.mailer().send(a_mail())

    assert len(server.got) == 1


async def test_a_slow_server_is_worth_another_try() -> None:
    async with serving() as server:
        server.running.clear()
        error = await failure(server.mailer(timeout=0.2))

    assert (type(error), str(error)) == (TemporaryMailError, "SMTPReadTimeoutError")


async def test_a_server_that_takes_its_time_at_every_step_is_cut_off() -> None:
    delivered = False
    ended = asyncio.Event()

    async def slowly(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal delivered
        for answer in (b"220 hello", b"250 hello", b"250 sender", b"250 recipient", b"354 go on", b"250 delivered"):
            await asyncio.sleep(0.25)
            writer.write(answer + b"\r\n")
            await reader.readuntil(b"\r\n.\r\n" if answer.startswith(b"354") else b"\r\n")
        delivered = True

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            await slowly(reader, writer)
        writer.transport.abort()
        ended.set()

    listening = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    error = await failure(SMTPMailer("127.0.0.1", port, sender=SENDER, tls="none", timeout=0.4))
    await ended.wait()
    listening.close()

    assert type(error) is TemporaryMailError
    assert not delivered


async def test_nothing_that_listens_is_worth_another_try() -> None:
    error = await failure(SMTPMailer("127.0.0.1", await unused_port(), sender=SENDER))

    assert (type(error), str(error)) == (TemporaryMailError, "SMTPConnectError")


@pytest.mark.parametrize("to", ["ann@example.com\r\nBcc: eve@example.com", "ann@example.com, eve@example.com", "ann"])
async def test_an_address_that_is_more_or_less_than_one_is_final(to: str) -> None:
    async with serving() as server:
        error = await failure(server.mailer(), to=to)

    assert type(error) is MailError
    assert server.got == []


async def test_a_subject_adds_no_header() -> None:
    async with serving() as server:
        error = await failure(server.mailer(), subject="Hello\r\nBcc: eve@example.com")

    assert type(error) is MailError
    assert server.got == []


@pytest.mark.parametrize(("tls", "port"), [("starttls", 587), ("tls", 465), ("none", 25)])
def test_the_port_follows_from_the_encryption(tls: Any, port: int) -> None:
    assert SMTPMailer("localhost", sender=SENDER, tls=tls)._options["port"] == port


@pytest.mark.parametrize(
    ("host", "options"),
    [
        ("mail.example.com", {"tls": "none"}),
        ("192.0.2.1", {"tls": "none"}),
        ("localhost", {"tls": "maybe"}),
        ("localhost", {"username": "user"}),
        ("localhost", {"password": "secret"}),
        ("localhost", {"sender": "nobody"}),
        ("localhost", {"sender": "a@example.com, b@example.com"}),
        ("localhost", {"sender": "a@example.com\r\nBcc: b@example.com"}),
        ("localhost", {"sender": "a@straße.example"}),
        ("localhost", {"sender": ""}),
    ],
)
def test_settings_that_are_wrong_or_not_safe_are_refused(host: str, options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".") as caught:
        SMTPMailer(host, **{"sender": SENDER} | options)

    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_this_machine_may_go_without_encryption(host: str) -> None:
    assert SMTPMailer(host, sender=SENDER, tls="none")._options["tls_context"] is None


def test_the_certificate_is_checked_unless_a_context_says_otherwise() -> None:
    context = SMTPMailer("mail.example.com", sender=SENDER)._options["tls_context"]

    assert isinstance(context, ssl.SSLContext)
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname


def test_the_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "aiosmtplib", None)

    with pytest.raises(ImportError, match=r"asgi-auth\[smtp\]"):
        SMTPMailer("mail.example.com", sender=SENDER)
