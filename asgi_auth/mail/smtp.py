"""Mail by SMTP (RFC 5321), encrypted unless the server is this very machine; each failure is temporary or final."""

import asyncio
import ipaddress
import re
import ssl
from collections.abc import Iterator
from contextlib import suppress
from datetime import UTC, datetime
from email.headerregistry import Address
from email.message import EmailMessage
from typing import Literal

from asgi_auth.mail.message import Mail, MailError, TemporaryMailError
from asgi_auth.validation.email_address import parse_email

TLS = Literal["starttls", "tls", "none"]
PORTS = {"starttls": 587, "tls": 465, "none": 25}
ENHANCED_CODE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")


class SMTPMailer:
    """Sends by an SMTP server, with a connection for each mail.

    `tls` is `starttls` (port 587), `tls` (465), or `none` (25), which is for a server on this machine only. There is no
    downgrade, and the certificate is checked (`context` may bring another authority). `sender` may be
    `Name <address>`. A step of the conversation may take `timeout` seconds, all of them three times as long. Raises
    ValueError for settings that can't work or aren't safe, ImportError without the extra `smtp`.
    """

    def __init__(
        self,
        host: str,
        port: int | None = None,
        *,
        sender: str,
        username: str | None = None,
        password: str | None = None,
        tls: TLS = "starttls",
        timeout: float = 10.0,
        context: ssl.SSLContext | None = None,
    ) -> None:
        """Check everything; nothing is opened yet."""
        try:
            import aiosmtplib  # noqa: PLC0415 (an extra)
        except ImportError as error:
            raise ImportError("SMTPMailer needs the extra: pip install 'asgi-auth[smtp]'") from error
        if tls not in PORTS:
            raise ValueError(f"tls is one of {', '.join(PORTS)}")
        if tls == "none" and not _is_here(host):
            raise ValueError("tls='none' would send tokens and passwords readable: it is for this machine only")
        if (username is None) != (password is None):
            raise ValueError("username and password go together")
        self._library = aiosmtplib
        self._sender = _sender(sender)
        self._timeout = timeout
        self._options = {
            "hostname": host,
            "port": port or PORTS[tls],
            "username": username,
            "password": password,
            "use_tls": tls == "tls",
            "start_tls": tls == "starttls",
            "tls_context": None if tls == "none" else context or ssl.create_default_context(),
            "timeout": timeout,
            # The library would ask DNS for this machine's name, and tell the server.
            "local_hostname": self._sender.domain,
        }

    async def send(self, mail: Mail) -> None:
        """Send. Raises TemporaryMailError for 4xx answers and connections that fail, MailError for all else."""
        try:
            message, recipient = self._message(mail)
            async with asyncio.timeout(3 * self._timeout):
                await self._transmit(message, recipient)
        except Exception as error:  # noqa: BLE001 (each is judged)
            # What servers answer may hold the address.
            raise self._judged(error) from None

    async def _transmit(self, message: EmailMessage, recipient: str) -> None:
        client = self._library.SMTP(**self._options)  # type: ignore[arg-type]  # each of its own type
        try:
            await client.connect()
            await client.send_message(message, sender=self._sender.addr_spec, recipients=[recipient])
            # The server has the mail: however the goodbye ends, sending it again would be wrong.
            with suppress(Exception):
                await client.quit(timeout=1)
        finally:
            client.close()

    def _message(self, mail: Mail) -> tuple[EmailMessage, str]:
        """Make the message; its ASCII domain lets servers without SMTPUTF8 take all but local parts beyond ASCII."""
        local, _, _ = mail.to.rpartition("@")
        recipient = Address(username=local, domain=parse_email(mail.to).canonical.rpartition("@")[2])
        message = EmailMessage()
        message["From"] = self._sender
        message["To"] = recipient
        message["Subject"] = mail.subject
        message["Date"] = datetime.now(UTC)
        message["Message-ID"] = f"<{mail.id}@{self._sender.domain}>"
        message["Auto-Submitted"] = "auto-generated"
        message.set_content(mail.text)
        message.add_alternative(mail.html, subtype="html")
        if mail.language:
            message["Content-Language"] = mail.language
        return message, recipient.addr_spec

    def _judged(self, error: Exception) -> MailError:
        """Say whether it is worth trying again, in words without addresses."""
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _chain(error)):
            return MailError("the server's certificate is not trusted")
        if isinstance(error, self._library.SMTPRecipientsRefused):
            error = error.recipients[0]
        name = type(error).__name__
        if isinstance(error, self._library.SMTPResponseException):
            kind = MailError if error.code >= 500 else TemporaryMailError
            detail = ENHANCED_CODE.match(error.message)
            return kind(f"{name}: {error.code} {detail[0] if detail else ''}".strip())
        if isinstance(error, OSError):
            return TemporaryMailError(name)
        # The library says so in its own words that a server has no STARTTLS, or no way to log in.
        return MailError(f"{name}: {error}" if type(error) is self._library.SMTPException else name)


def _is_here(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _sender(text: str) -> Address:
    """Read `Name <address>`. Raises ValueError."""
    message = EmailMessage()
    message["From"] = text
    addresses = message["From"].addresses
    if len(addresses) != 1 or not addresses[0].username or not addresses[0].domain or not addresses[0].domain.isascii():
        raise ValueError(f"the sender {text!r} is not one address of an ASCII domain, with or without a name")
    return Address(addresses[0].display_name, addresses[0].username, addresses[0].domain)


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
