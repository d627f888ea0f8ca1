"""The testing kit, for tests of apps that use the library. Nothing else of the library imports it."""

from typing import TYPE_CHECKING

from asgi_auth._lazy import loader

if TYPE_CHECKING:
    from asgi_auth.mail.outbox import Outbox
    from asgi_auth.testing.acting import as_user
    from asgi_auth.testing.cheap import cheap_auth
    from asgi_auth.testing.clock import Clock
    from asgi_auth.testing.passkey import Passkey
    from asgi_auth.testing.provider import FakeProvider, InProcess
    from asgi_auth.testing.totp import totp_code
    from asgi_auth.testing.users import login_cookies, login_headers, make_user

__all__ = [
    "Clock",
    "FakeProvider",
    "InProcess",
    "Outbox",
    "Passkey",
    "as_user",
    "cheap_auth",
    "login_cookies",
    "login_headers",
    "make_user",
    "totp_code",
]

#: The public names, with the modules that define them. Each is imported at its first use.
LATER = {
    "Clock": "testing.clock",
    "FakeProvider": "testing.provider",
    "InProcess": "testing.provider",
    "Outbox": "mail.outbox",
    "Passkey": "testing.passkey",
    "as_user": "testing.acting",
    "cheap_auth": "testing.cheap",
    "login_cookies": "testing.users",
    "login_headers": "testing.users",
    "make_user": "testing.users",
    "totp_code": "testing.totp",
}

if not TYPE_CHECKING:
    __getattr__ = loader(__name__, LATER, root="asgi_auth")
