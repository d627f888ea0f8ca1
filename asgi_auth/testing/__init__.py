"""The testing kit, for tests of apps that use the library. Nothing else of the library imports it."""

from typing import TYPE_CHECKING

from asgi_auth._lazy import loader

if TYPE_CHECKING:
    from asgi_auth.testing.passkey import Passkey
    from asgi_auth.testing.provider import FakeProvider

__all__ = ["FakeProvider", "Passkey"]

#: The public names, with the modules that define them. Each is imported at its first use.
LATER = {
    "FakeProvider": "provider",
    "Passkey": "passkey",
}

if not TYPE_CHECKING:
    __getattr__ = loader(__name__, LATER)
