"""asgi_auth: authentication for every ASGI framework. Names are loaded on first use."""

from typing import TYPE_CHECKING

from asgi_auth._lazy import loader

if TYPE_CHECKING:
    from asgi_auth.app import AuthApp
    from asgi_auth.auth import Auth
    from asgi_auth.crypto.argon2 import Argon2
    from asgi_auth.crypto.keys import SigningKey
    from asgi_auth.errors import AuthError
    from asgi_auth.features.account import Account
    from asgi_auth.features.admin import Admin
    from asgi_auth.features.audit import Audit
    from asgi_auth.features.authorization_server import AuthorizationServer, OAuthClient, Resource
    from asgi_auth.features.browser_client import BrowserClient
    from asgi_auth.features.email_change import EmailChange
    from asgi_auth.features.email_verification import EmailVerification
    from asgi_auth.features.health import Health
    from asgi_auth.features.invitations import Invitations
    from asgi_auth.features.issuer import IntrospectionClient, Issuer
    from asgi_auth.features.lockout import Lockout
    from asgi_auth.features.magic_link import MagicLink
    from asgi_auth.features.new_device import NewDevice
    from asgi_auth.features.notices import Notices
    from asgi_auth.features.oidc import (
        OIDC,
        OAuthProvider,
        OpenIDProvider,
        apple,
        discord,
        github,
        gitlab,
        google,
        linkedin,
        microsoft,
    )
    from asgi_auth.features.passkeys import Passkeys
    from asgi_auth.features.password_reset import PasswordReset
    from asgi_auth.features.passwords import Passwords
    from asgi_auth.features.rate_limits import RateLimits
    from asgi_auth.features.recovery_codes import RecoveryCodes
    from asgi_auth.features.revocation import Revocation
    from asgi_auth.features.second_factors import SecondFactors
    from asgi_auth.features.server_metadata import ServerMetadata
    from asgi_auth.features.sessions import Sessions
    from asgi_auth.features.token_endpoint import TokenEndpoint
    from asgi_auth.features.totp import Totp
    from asgi_auth.features.trusted_devices import TrustedDevices
    from asgi_auth.features.unlock import Unlock
    from asgi_auth.features.usernames import Usernames
    from asgi_auth.limits.counters import MemoryCounters
    from asgi_auth.limits.redis import RedisCounters
    from asgi_auth.mail import ConsoleMailer, Mail, Mailer, Outbox
    from asgi_auth.mail.smtp import SMTPMailer
    from asgi_auth.middleware import AuthMiddleware
    from asgi_auth.openapi.feature import OpenAPI
    from asgi_auth.pages.feature import Pages
    from asgi_auth.sessions.handover import acting_as, identity_of
    from asgi_auth.sessions.identity import Identity, current_user
    from asgi_auth.sessions.scope import admit, require
    from asgi_auth.settings import Settings
    from asgi_auth.validation.password_policy import PasswordPolicy
    from asgi_auth.validation.user_field import Field
    from asgi_auth.web.responses import problem

__all__ = [
    "OIDC",
    "Account",
    "Admin",
    "Argon2",
    "Audit",
    "Auth",
    "AuthApp",
    "AuthError",
    "AuthMiddleware",
    "AuthorizationServer",
    "BrowserClient",
    "ConsoleMailer",
    "EmailChange",
    "EmailVerification",
    "Field",
    "Health",
    "Identity",
    "IntrospectionClient",
    "Invitations",
    "Issuer",
    "Lockout",
    "MagicLink",
    "Mail",
    "Mailer",
    "MemoryCounters",
    "NewDevice",
    "Notices",
    "OAuthClient",
    "OAuthProvider",
    "OpenAPI",
    "OpenIDProvider",
    "Outbox",
    "Pages",
    "Passkeys",
    "PasswordPolicy",
    "PasswordReset",
    "Passwords",
    "RateLimits",
    "RecoveryCodes",
    "RedisCounters",
    "Resource",
    "Revocation",
    "SMTPMailer",
    "SecondFactors",
    "ServerMetadata",
    "Sessions",
    "Settings",
    "SigningKey",
    "TokenEndpoint",
    "Totp",
    "TrustedDevices",
    "Unlock",
    "Usernames",
    "acting_as",
    "admit",
    "apple",
    "current_user",
    "discord",
    "github",
    "gitlab",
    "google",
    "identity_of",
    "linkedin",
    "microsoft",
    "problem",
    "require",
]
__version__ = "0.1.0"

#: The module of each name.
LATER = {
    "Account": "features.account",
    "Admin": "features.admin",
    "Argon2": "crypto.argon2",
    "Audit": "features.audit",
    "Auth": "auth",
    "AuthApp": "app",
    "AuthError": "errors",
    "AuthMiddleware": "middleware",
    "AuthorizationServer": "features.authorization_server",
    "BrowserClient": "features.browser_client",
    "ConsoleMailer": "mail",
    "EmailChange": "features.email_change",
    "EmailVerification": "features.email_verification",
    "Field": "validation.user_field",
    "Health": "features.health",
    "Identity": "sessions.identity",
    "IntrospectionClient": "features.issuer",
    "Invitations": "features.invitations",
    "Issuer": "features.issuer",
    "Lockout": "features.lockout",
    "MagicLink": "features.magic_link",
    "Mail": "mail",
    "Mailer": "mail",
    "MemoryCounters": "limits.counters",
    "NewDevice": "features.new_device",
    "Notices": "features.notices",
    "OAuthClient": "features.authorization_server",
    "OAuthProvider": "features.oidc",
    "OIDC": "features.oidc",
    "OpenAPI": "openapi.feature",
    "OpenIDProvider": "features.oidc",
    "Outbox": "mail",
    "Pages": "pages.feature",
    "Passkeys": "features.passkeys",
    "PasswordPolicy": "validation.password_policy",
    "PasswordReset": "features.password_reset",
    "Passwords": "features.passwords",
    "RateLimits": "features.rate_limits",
    "RecoveryCodes": "features.recovery_codes",
    "RedisCounters": "limits.redis",
    "Resource": "features.authorization_server",
    "Revocation": "features.revocation",
    "SMTPMailer": "mail.smtp",
    "SecondFactors": "features.second_factors",
    "ServerMetadata": "features.server_metadata",
    "Sessions": "features.sessions",
    "Settings": "settings",
    "SigningKey": "crypto.keys",
    "TokenEndpoint": "features.token_endpoint",
    "Totp": "features.totp",
    "TrustedDevices": "features.trusted_devices",
    "Unlock": "features.unlock",
    "Usernames": "features.usernames",
    "acting_as": "sessions.handover",
    "admit": "sessions.scope",
    "apple": "features.oidc",
    "current_user": "sessions.identity",
    "discord": "features.oidc",
    "github": "features.oidc",
    "gitlab": "features.oidc",
    "google": "features.oidc",
    "identity_of": "sessions.handover",
    "linkedin": "features.oidc",
    "microsoft": "features.oidc",
    "problem": "web.responses",
    "require": "sessions.scope",
}

if not TYPE_CHECKING:
    __getattr__ = loader(__name__, LATER)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
