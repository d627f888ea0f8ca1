"""Mail: flows write letters, templates make mails of them, a mailer sends those after the answer."""

from asgi_auth.mail.delivery import Delivery
from asgi_auth.mail.mailers import Callbacks, ConsoleMailer, Outbox
from asgi_auth.mail.message import Letter, Mail, Mailer, MailError, TemporaryMailError
from asgi_auth.mail.smtp import SMTPMailer
from asgi_auth.mail.templates import Templates

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
