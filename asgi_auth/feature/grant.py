"""Grant types of the OAuth 2 token endpoint (RFC 6749, section 4), which features offer."""

from collections.abc import Awaitable, Callable, Mapping

from asgi_auth.model.answers import TokenPair
from asgi_auth.model.records import Client, Record


class Grant(Record, frozen=True):
    """One grant type: the parameters that it requires, and the function that gives tokens for them."""

    requires: tuple[str, ...]
    run: Callable[[Mapping[str, str], Client], Awaitable[TokenPair]]
