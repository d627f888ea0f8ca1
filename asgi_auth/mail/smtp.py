"""Mail over SMTP (RFC 5321), encrypted unless the server runs on this machine. Errors are temporary or final."""

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
from asgi_auth.sources.kinds import checks_options
from asgi_auth.validation.email_address import parse_email

TLS = Literal["starttls", "tls", "none"]
PORTS = {"starttls": 587, "tls": 465, "none": 25}
QUOTED_PAIR = re.compile(r"\\(.)")
ENHANCED_CODE = re.compile(r"[245]\.\d{1,3}\.\d{1,3}\b")


class SMTPMailer:
    """Sends mails through an SMTP server, with one connection per mail.

    `tls` is `starttls` (port 587), `tls` (port 465), or `none` (port 25, only for a server on this machine). The
    connection is never downgraded, and the certificate is verified; `context` can trust another authority. `sender` is
    an address or `Name <address>`. `timeout` limits each step in seconds, and three times `timeout` limits the whole
    delivery. Raises ValueError for settings that cannot work or are not safe, and ImportError without the extra `smtp`.
    """

    @checks_options
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
        """Check the settings. No connection is opened."""
        try:
            import aiosmtplib  # noqa: PLC0415 (an optional dependency)
        except ImportError as error:
            raise ImportError("SMTPMailer needs the extra: pip install 'asgi-auth[smtp]'") from error
        if tls not in PORTS:
            raise ValueError(f"tls must be one of {', '.join(PORTS)}")
        if tls == "none" and not _is_loopback(host):
            raise ValueError(
                "tls='none' is only for a server on this machine: tokens and passwords are sent unencrypted"
            )
        if (username is None) != (password is None):
            raise ValueError("username and password must be set together")
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
            # By default, aiosmtplib looks up the name of this machine and sends it to the server.
            "local_hostname": self._sender.domain,
        }

    async def send(self, mail: Mail) -> None:
        """Send a mail. Raises TemporaryMailError for 4xx replies and failed connections, MailError for other errors."""
        try:
            message, recipient = self._message(mail)
            async with asyncio.timeout(3 * self._timeout):
                await self._transmit(message, recipient)
        except Exception as error:  # noqa: BLE001 (each error is converted)
            # The original error can contain the address.
            raise self._converted(error) from None

    async def _transmit(self, message: EmailMessage, recipient: str) -> None:
        client = self._library.SMTP(**self._options)  # type: ignore[arg-type]  # a dict has one value type
        try:
            await client.connect()
            await client.send_message(message, sender=self._sender.addr_spec, recipients=[recipient])
            # The server has accepted the mail: an error of QUIT must not send the mail again.
            with suppress(Exception):
                await client.quit(timeout=1)
        finally:
            client.close()

    def _message(self, mail: Mail) -> tuple[EmailMessage, str]:
        """Return the message and the recipient's address.

        The domain is encoded in ASCII (RFC 5891): servers without SMTPUTF8 then accept all ASCII local parts.
        """
        local, _, _ = mail.to.rpartition("@")
        if local.startswith('"'):
            # `Address` quotes by itself.
            local = QUOTED_PAIR.sub(r"\1", local[1:-1])
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

    def _converted(self, error: Exception) -> MailError:
        """Return a temporary or final MailError without addresses."""
        if any(isinstance(cause, ssl.SSLCertVerificationError) for cause in _causes(error)):
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
        # A plain SMTPException has a fixed message of aiosmtplib (no STARTTLS, no login), without text of the server.
        return MailError(f"{name}: {error}" if type(error) is self._library.SMTPException else name)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _sender(text: str) -> Address:
    """Parse an address or `Name <address>`. Raises ValueError."""
    message = EmailMessage()
    message["From"] = text
    addresses = message["From"].addresses
    if len(addresses) != 1 or not addresses[0].username or not addresses[0].domain or not addresses[0].domain.isascii():
        raise ValueError(f"the sender {text!r} must be one address with an ASCII domain, with or without a name")
    return Address(addresses[0].display_name, addresses[0].username, addresses[0].domain)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """Yield an error and its chain of causes."""
    while error is not None:
        yield error
        error = error.__cause__
