"""Fake identity providers that can lie: plain ASGI apps, for calls in process as well as behind a server.

They need the extra `oidc`.
"""

from asgi_auth.testing.provider.clients import RegisteredClient
from asgi_auth.testing.provider.fake import FakeProvider
from asgi_auth.testing.provider.lies import ABSENT, LIES, Lie
from asgi_auth.testing.provider.network import InProcess, Network
from asgi_auth.testing.provider.oauth import FakeOAuth, discord, github, linkedin
from asgi_auth.testing.provider.troubles import TROUBLES, Trouble
from asgi_auth.testing.provider.wire import Request, Response

__all__ = [
    "ABSENT",
    "LIES",
    "TROUBLES",
    "FakeOAuth",
    "FakeProvider",
    "InProcess",
    "Lie",
    "Network",
    "RegisteredClient",
    "Request",
    "Response",
    "Trouble",
    "discord",
    "github",
    "linkedin",
]
