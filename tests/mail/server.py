"""A real SMTP server in the event loop of the test. Its failures are configurable."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from functools import cache
from typing import Any, cast

import trustme
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

from asgi_auth.mail import Mail, SMTPMailer

USER, PASSWORD = "user", "mail password"
SENDER = "Example <no-reply@example.com>"


@cache
def authority() -> trustme.CA:
    return trustme.CA()


@cache
def server_context(name: str) -> ssl.SSLContext:
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    authority().issue_cert(name).configure_cert(context)
    return context


@cache
def client_context() -> ssl.SSLContext:
    """A context that trusts the server."""
    context = ssl.create_default_context()
    authority().configure_trust(context)
    return context


class Server:
    """The handler of aiosmtpd. It refuses recipients named `bad…` and `later…`; `data` is the reply to DATA."""

    def __init__(self) -> None:
        self.port = 0
        self.got: list[tuple[Envelope, EmailMessage]] = []
        self.tries = 0
        self.tried = asyncio.Semaphore(0)
        self.data = "250 OK"
        self.dropping = 0
        self.rude = False
        self.running = asyncio.Event()
        self.running.set()

    async def handle_RCPT(  # noqa: N802 (aiosmtpd's name)
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        if address.startswith("bad"):
            return f"550 5.1.1 <{address}> is unknown"
        if address.startswith("later"):
            return f"451 <{address}> later"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        self.tries += 1
        self.tried.release()
        if self.dropping:
            self.dropping -= 1
            cast("asyncio.WriteTransport", server.transport).abort()
            return "250 lost"
        await self.running.wait()
        if self.data.startswith("250"):
            content = envelope.original_content or b""
            message = message_from_bytes(content, policy=policy.SMTPUTF8)
            self.got.append((envelope, message))
        return self.data

    async def handle_QUIT(self, server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802 (aiosmtpd's name)
        if self.rude:
            cast("asyncio.WriteTransport", server.transport).abort()
        return "221 bye"

    def authenticate(
        self, _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: Any
    ) -> AuthResult:
        success = (given.login, given.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=success, handled=False)

    def mailer(self, **options: Any) -> SMTPMailer:
        """A mailer for this server. `options` replace its working options."""
        given: dict[str, Any] = {
            "sender": SENDER,
            "username": USER,
            "password": PASSWORD,
            "timeout": 5,
            "context": client_context(),
        }
        return SMTPMailer("127.0.0.1", self.port, **given | options)


@asynccontextmanager
async def serving(
    *, tls: str = "starttls", name: str = "127.0.0.1", utf8: bool = True, login: bool = True
) -> AsyncIterator[Server]:
    """Serve with STARTTLS, TLS, or no encryption, with a certificate for `name`, with or without a login."""
    server = Server()
    context = server_context(name)

    def protocol() -> SMTP:
        options: dict[str, Any] = {"authenticator": server.authenticate} if login else {}
        if tls == "starttls":
            options |= {"tls_context": context, "require_starttls": True, "auth_required": login}
        else:
            # aiosmtpd does not see the encryption of the listener.
            options |= {"auth_require_tls": False}
        return SMTP(server, hostname="localhost", enable_SMTPUTF8=utf8, **options)

    loop = asyncio.get_running_loop()
    listening = await loop.create_server(protocol, "127.0.0.1", 0, ssl=context if tls == "tls" else None)
    server.port = listening.sockets[0].getsockname()[1]
    try:
        yield server
    finally:
        server.running.set()
        listening.close()


def a_mail(to: str = "ann@example.com", **fields: Any) -> Mail:
    """A rendered mail."""
    given = {
        "purpose": "verify_email",
        "subject": "Bestätigen: ü",
        "text": "Öffnen: https://x.example/?token=t0k",
        "html": "<p>ü</p>",
    }
    return Mail(to=to, **given | fields)


async def unused_port() -> int:
    """A port without a listener."""
    listening = await asyncio.get_running_loop().create_server(asyncio.Protocol, "127.0.0.1", 0)
    port = listening.sockets[0].getsockname()[1]
    listening.close()
    await listening.wait_closed()
    return int(port)
