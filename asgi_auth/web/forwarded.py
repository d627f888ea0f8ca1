"""What a host sees of a request that a trusted proxy has passed on: the address of the client, and the scheme."""

import re

from starlette.types import Scope

from asgi_auth.settings import Settings
from asgi_auth.web.client_address import MAX_FORWARDED, address_of, parse_hop, proxies_of
from asgi_auth.web.headers import headers

#: A scheme in a `Forwarded` header (RFC 7239, section 5.4).
PROTO = re.compile(r"""(?:^|[;,\s])proto="?([A-Za-z]{1,5})"?(?=$|[;,\s])""", re.IGNORECASE)
#: The schemes of a request and of a websocket, by what proxies say.
SCHEMES = {"http": "http", "https": "https", "ws": "http", "wss": "https"}


def see_through_proxies(scope: Scope, settings: Settings) -> None:
    """Set `client` and `scheme` of a scope, in place, to those of the client, if the peer is a trusted proxy.

    The scheme is that of `X-Forwarded-Proto` or `Forwarded`, else that of `base_url`. The port of the client is 0:
    proxies do not tell it.
    """
    peer = str((scope.get("client") or ("",))[0] or "")
    if not proxies_of(tuple(settings.trusted_proxies)).trusts_peer(scope, peer):
        return
    address = address_of(scope, settings.trusted_proxies)
    if address != peer and parse_hop(address) is not None:
        scope["client"] = (address, 0)
    scheme = _scheme(scope) or (settings.origin or "").partition("://")[0]
    if scheme:
        scope["scheme"] = scheme.replace("http", "ws") if scope["type"] == "websocket" else scheme


def _scheme(scope: Scope) -> str:
    """Return the scheme that all headers of proxies name; empty without one, and for several."""
    named = ",".join(headers(scope, b"x-forwarded-proto"))[:MAX_FORWARDED].split(",")
    named += PROTO.findall(",".join(headers(scope, b"forwarded"))[:MAX_FORWARDED])
    known = {SCHEMES.get(text.strip().lower(), "") for text in named if text.strip()}
    return known.pop() if len(known) == 1 else ""
