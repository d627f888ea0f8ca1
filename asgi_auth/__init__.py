"""asgi_auth: authentication for every ASGI framework. Each name is loaded when it is first asked for."""

from typing import TYPE_CHECKING

from asgi_auth.later import loader

if TYPE_CHECKING:
    from asgi_auth.app import AuthApp
    from asgi_auth.auth import Auth
    from asgi_auth.counters import MemoryCounters
    from asgi_auth.errors import AuthError
    from asgi_auth.features.account import Account
    from asgi_auth.features.audit import Audit
    from asgi_auth.features.email_change import EmailChange
    from asgi_auth.features.email_verification import EmailVerification
    from asgi_auth.features.lockout import Lockout
    from asgi_auth.features.magic_link import MagicLink
    from asgi_auth.features.new_device import NewDevice
    from asgi_auth.features.notices import Notices
    from asgi_auth.features.openapi import OpenAPI
    from asgi_auth.features.pages import Pages
    from asgi_auth.features.password_reset import PasswordReset
    from asgi_auth.features.passwords import Passwords
    from asgi_auth.features.rate_limits import RateLimits
    from asgi_auth.features.sessions import Sessions
    from asgi_auth.features.unlock import Unlock
    from asgi_auth.fields import Field
    from asgi_auth.hashing import Argon2
    from asgi_auth.http import problem
    from asgi_auth.identity import Identity, current_user, require
    from asgi_auth.keys import SigningKey
    from asgi_auth.mail import ConsoleMailer, Mail, Mailer, Outbox
    from asgi_auth.mail.smtp import SMTPMailer
    from asgi_auth.middleware import AuthMiddleware
    from asgi_auth.password_policy import PasswordPolicy
    from asgi_auth.redis_counters import RedisCounters
    from asgi_auth.settings import Settings

__all__ = [
    "Account",
    "Argon2",
    "Audit",
    "Auth",
    "AuthApp",
    "AuthError",
    "AuthMiddleware",
    "ConsoleMailer",
    "EmailChange",
    "EmailVerification",
    "Field",
    "Identity",
    "Lockout",
    "MagicLink",
    "Mail",
    "Mailer",
    "MemoryCounters",
    "NewDevice",
    "Notices",
    "OpenAPI",
    "Outbox",
    "Pages",
    "PasswordPolicy",
    "PasswordReset",
    "Passwords",
    "RateLimits",
    "RedisCounters",
    "SMTPMailer",
    "Sessions",
    "Settings",
    "SigningKey",
    "Unlock",
    "current_user",
    "problem",
    "require",
]
__version__ = "0.1.0"

#: The modules that they are in.
LATER = {
    "Account": "features.account",
    "Argon2": "hashing",
    "Audit": "features.audit",
    "Auth": "auth",
    "AuthApp": "app",
    "AuthError": "errors",
    "AuthMiddleware": "middleware",
    "ConsoleMailer": "mail",
    "EmailChange": "features.email_change",
    "EmailVerification": "features.email_verification",
    "Field": "fields",
    "Identity": "identity",
    "Lockout": "features.lockout",
    "MagicLink": "features.magic_link",
    "Mail": "mail",
    "Mailer": "mail",
    "MemoryCounters": "counters",
    "NewDevice": "features.new_device",
    "Notices": "features.notices",
    "OpenAPI": "features.openapi",
    "Outbox": "mail",
    "Pages": "features.pages",
    "PasswordPolicy": "password_policy",
    "PasswordReset": "features.password_reset",
    "Passwords": "features.passwords",
    "RateLimits": "features.rate_limits",
    "RedisCounters": "redis_counters",
    "SMTPMailer": "mail.smtp",
    "Sessions": "features.sessions",
    "Settings": "settings",
    "SigningKey": "keys",
    "Unlock": "features.unlock",
    "current_user": "identity",
    "problem": "http",
    "require": "identity",
}

if not TYPE_CHECKING:
    __getattr__ = loader(__name__, LATER)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
