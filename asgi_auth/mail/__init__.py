"""Mails: features write letters, templates render them to mails, and a mailer sends the mails after the response."""

from typing import TYPE_CHECKING

from asgi_auth._lazy import loader
from asgi_auth.mail.delivery import Delivery
from asgi_auth.mail.mailers import Callbacks, ConsoleMailer
from asgi_auth.mail.message import Letter, Mail, Mailer, MailError, TemporaryMailError
from asgi_auth.mail.outbox import Outbox
from asgi_auth.mail.templates import Templates

if TYPE_CHECKING:
    from asgi_auth.mail.smtp import SMTPMailer

__all__ = [
    "Callbacks",
    "ConsoleMailer",
    "Delivery",
    "Letter",
    "Mail",
    "MailError",
    "Mailer",
    "Outbox",
    "SMTPMailer",
    "Templates",
    "TemporaryMailError",
]

if not TYPE_CHECKING:
    # Imported on first use: it imports large parts of the package `email`.
    __getattr__ = loader(__name__, {"SMTPMailer": "smtp"})
