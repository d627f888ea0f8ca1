"""Where a request came from: the page's origin, against cross-site requests, and the client's address."""

import functools
import ipaddress
import re
import secrets

from starlette.types import Scope

from asgi_auth.errors import CrossSiteRequestError
from asgi_auth.model.records import Client
from asgi_auth.settings import Settings
from asgi_auth.web.body import headers, single_header

CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
MAX_USER_AGENT = 255
MAX_LANGUAGES = 255
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
FORWARDED = {b"x-forwarded-for", b"forwarded", b"x-real-ip"}


def check_origin(scope: Scope, settings: Settings) -> None:
    """Raise CrossSiteRequestError unless the request comes from a page of ours or of a trusted origin.

    Sec-Fetch-Site decides where the browser sends it, else Origin; with neither it is refused (OWASP CSRF, fetch
    metadata). Without a `base_url` the Origin must name the host that was asked.
    """
    origin = single_header(scope, b"origin")
    if origin is not None and origin in settings.trusted_origins:
        return
    site = single_header(scope, b"sec-fetch-site")
    if site is not None and scope["type"] == "http":
        allowed = site in {"same-origin", "none"}
    elif settings.origin is not None:
        allowed = origin == settings.origin
    else:
        host = single_header(scope, b"host")
        allowed = origin is not None and bool(host) and origin.partition("://")[2] == host
    if not allowed:
        raise CrossSiteRequestError


def client_of(scope: Scope, settings: Settings, session_id: str | None = None) -> Client:
    """Describe who is calling; the user agent without control characters, at most 255 characters."""
    agent = " ".join(headers(scope, b"user-agent"))
    return Client(
        address=_address(scope, settings),
        user_agent=CONTROL.sub("", agent)[:MAX_USER_AGENT],
        accept_language=",".join(headers(scope, b"accept-language"))[:MAX_LANGUAGES],
        session_id=session_id,
        request_id=_request_id(scope),
    )


def _request_id(scope: Scope) -> str:
    """The X-Request-ID of the request, if it is short and harmless; else a new one."""
    found = headers(scope, b"x-request-id")
    return found[0] if len(found) == 1 and REQUEST_ID.fullmatch(found[0]) else secrets.token_hex(8)


def is_forwarded(scope: Scope) -> bool:
    """Tell whether a request shows headers as proxies add them."""
    return any(name in FORWARDED for name, _ in scope["headers"])


@functools.lru_cache(16)
def _networks(proxies: tuple[str, ...]) -> list["ipaddress.IPv4Network | ipaddress.IPv6Network"]:
    return [ipaddress.ip_network(item) for item in proxies]


def _address(scope: Scope, settings: Settings) -> str:
    """The peer's address; behind trusted proxies the rightmost forwarded one that is none of them."""
    peer = (scope.get("client") or ("",))[0]
    if not settings.trusted_proxies:
        return peer
    networks = _networks(tuple(settings.trusted_proxies))
    forwarded = ",".join(headers(scope, b"x-forwarded-for")).split(",")
    for candidate in (peer, *reversed(forwarded)):
        try:
            address = ipaddress.ip_address(candidate.strip())
        except ValueError:
            return peer
        # A socket that serves both families shows 10.0.0.1 as ::ffff:10.0.0.1.
        address = getattr(address, "ipv4_mapped", None) or address
        peer = str(address)
        if not any(address in network for network in networks):
            return peer
    return peer
