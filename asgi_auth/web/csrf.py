"""Protection against cross-site requests, by fetch metadata and origin (OWASP CSRF)."""

from urllib.parse import parse_qs

from starlette.types import Scope

from asgi_auth.errors import CrossSiteRequestError
from asgi_auth.feature.endpoint import Endpoint
from asgi_auth.runtime.public_suffix import site_of
from asgi_auth.settings import Settings
from asgi_auth.validation.origins import origin_of
from asgi_auth.validation.targets import is_local_path
from asgi_auth.web.headers import single_header

#: The methods that change nothing (RFC 9110, section 9.2.1).
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS", "TRACE"})


def check_origin(scope: Scope, settings: Settings) -> None:
    """Raise CrossSiteRequestError unless the request comes from a page of this site or of a trusted origin.

    Sec-Fetch-Site decides if the browser sends it, else Origin; a request with neither is refused. Without a
    `base_url` the Origin must name the requested host.
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
        allowed = origin is not None and _is_of_host(origin, single_header(scope, b"host"))
    if not allowed:
        raise CrossSiteRequestError


def check_site(scope: Scope, settings: Settings) -> None:
    """Raise CrossSiteRequestError when the browser would drop the cookies of the response to a script.

    Cookies with SameSite are neither stored nor sent for the page of another site, even if its origin is trusted. A
    form is a navigation, and its cookies are stored.
    """
    if single_header(scope, b"sec-fetch-mode") == "navigate":
        return
    origin = single_header(scope, b"origin") or ""
    own = settings.origin or f"{origin.partition('://')[0]}://{single_header(scope, b'host')}"
    site = single_header(scope, b"sec-fetch-site")
    # The sites are compared last: that needs the list of public suffixes.
    crosses = site == "cross-site" if site is not None else origin not in {"", own} and site_of(origin) != site_of(own)
    if crosses:
        raise CrossSiteRequestError(
            f"The page at {origin} is of another site than {own}, so the browser would drop the cookies. "
            "Serve both from one site, such as localhost and localhost, or use bearer tokens."
        )


def is_begun_elsewhere(scope: Scope, endpoint: Endpoint, settings: Settings) -> bool:
    """Tell whether another site has sent a browser to begin something, such as a login at a provider, by itself.

    A login begins by an act of the user alone (ASVS 7.6.2). The end of one may come from anywhere. A script of another
    site that names itself by the field `begun_by` has its own users, and goes on at a page of its own: at a page of
    this site, which may show its URL to others, it could collect the logins of this site (RFC 9700, section 4.1).
    """
    if endpoint.method != "GET" or endpoint.logs_in:
        return False
    if single_header(scope, b"sec-fetch-site") != "cross-site":
        return False
    sent = parse_qs(scope["query_string"].decode("utf-8", "replace"))
    if not endpoint.begun_by or endpoint.begun_by not in sent:
        return True
    return any(_is_of_this_site(target, settings) for target in sent.get("next", ()))


def check_form(scope: Scope, settings: Settings) -> None:
    """Raise CrossSiteRequestError for a form from a page of another site; for endpoints that clients call by forms.

    Browsers send such forms without a preflight. Clients that are no browsers send neither Origin nor Sec-Fetch-Site.
    """
    origin, site = single_header(scope, b"origin"), single_header(scope, b"sec-fetch-site")
    if "*" in settings.cors_origins or origin in settings.cors_origins or (origin is None and site is None):
        return
    check_origin(scope, settings)


def _is_of_this_site(target: str, settings: Settings) -> bool:
    """Tell whether a target is a page of this site."""
    try:
        return is_local_path(target) or origin_of(target) == settings.origin
    except ValueError:
        return False


def _is_of_host(origin: str, host: str | None) -> bool:
    """Tell whether an origin names the requested host. Clients and proxies may add the default port to the host."""
    try:
        return bool(host) and origin == origin_of(f"{origin.partition('://')[0]}://{host}")
    except ValueError:
        return False
