"""Fake identity providers that can lie: plain ASGI apps, for calls in process as well as behind a server."""

from tests.providers.clients import RegisteredClient
from tests.providers.fake import FakeProvider
from tests.providers.lies import ABSENT, LIES, Lie
from tests.providers.network import Network
from tests.providers.oauth import FakeOAuth, discord, github, linkedin
from tests.providers.troubles import TROUBLES, Trouble
from tests.providers.wire import Request, Response

__all__ = [
    "ABSENT",
    "LIES",
    "TROUBLES",
    "FakeOAuth",
    "FakeProvider",
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
