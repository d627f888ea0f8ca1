"""The client of a request: its address, user agent, languages, and the id of the request."""

import re
import secrets
from collections.abc import Mapping
from types import MappingProxyType

from starlette.types import Scope

from asgi_auth.model.records import Client
from asgi_auth.settings import Settings
from asgi_auth.web.client_address import address_of
from asgi_auth.web.headers import headers

NO_COOKIES: Mapping[str, str] = MappingProxyType({})
CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
MAX_USER_AGENT = 255
MAX_LANGUAGES = 255
REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
#: Where the scope keeps the id of the request, for all parts of the library that serve it.
REQUEST_KEY = "asgi_auth.request_id"
#: A host on which browsers keep cookies with `Secure` also by http.
ON_THIS_COMPUTER = re.compile(r"((.+\.)?localhost|127\.[\d.]+|\[::1\])(:\d+)?")
FORWARDED = {b"x-forwarded-for", b"forwarded", b"x-real-ip"}


def client_of(
    scope: Scope,
    settings: Settings,
    session_id: str | None = None,
    device: str | None = None,
    cookies: Mapping[str, str] = NO_COOKIES,
) -> Client:
    """Describe the client; the user agent has no control characters, and at most 255 characters."""
    agent = " ".join(headers(scope, b"user-agent"))
    return Client(
        address=address_of(scope, settings.trusted_proxies),
        user_agent=CONTROL.sub("", agent)[:MAX_USER_AGENT],
        accept_language=",".join(headers(scope, b"accept-language"))[:MAX_LANGUAGES],
        session_id=session_id,
        request_id=_request_id(scope),
        device=device,
        cookies=cookies,
    )


def _request_id(scope: Scope) -> str:
    """Return the one id of a request: its X-Request-ID, if it is short and of safe characters, else a random one."""
    if REQUEST_KEY not in scope:
        found = headers(scope, b"x-request-id")
        valid = len(found) == 1 and REQUEST_ID.fullmatch(found[0])
        scope[REQUEST_KEY] = found[0] if valid else secrets.token_hex(8)
    return str(scope[REQUEST_KEY])


def is_plain_page(scope: Scope, settings: Settings) -> bool:
    """Tell whether a request is of a page of this host by http, where browsers drop cookies with `Secure`.

    They keep them on localhost. Behind a proxy with TLS, the page is https whatever the scheme of the request is.
    """
    if settings.development or settings.base_url is not None:
        return False
    origins, hosts = headers(scope, b"origin"), headers(scope, b"host")
    if len(hosts) != 1 or origins != [f"http://{hosts[0]}"]:
        return False
    return ON_THIS_COMPUTER.fullmatch(hosts[0]) is None


def is_forwarded(scope: Scope) -> bool:
    """Tell whether a request has headers that proxies add."""
    return any(name in FORWARDED for name, _ in scope["headers"])
