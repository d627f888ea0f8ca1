"""The addresses that clients are sent back to (OAuth 2.1, 2.3.1; RFC 8252, 7 and 8.3; RFC 9700, 4.1.3)."""

import re
from urllib.parse import urlencode

#: The longest address, and the greatest number of those of one client.
MAX_URI, MAX_URIS = 512, 10
#: Printable ASCII without what no URL has.
PLAIN = re.compile(r"[!#-;=?-\[\]_a-z~]+")
WEB = re.compile(r"(https?)://(\[[0-9a-f:]+\]|[A-Za-z0-9._-]+)(:[0-9]{1,5})?([/?].*)?")
PRIVATE = re.compile(r"([a-z][a-z0-9+.-]{2,}):.+")
LOOPBACK = frozenset({"127.0.0.1", "[::1]", "localhost"})
#: Schemes that browsers and operating systems handle themselves: no program of the user gets the answer.
OF_BROWSERS = frozenset(
    {
        "about",
        "android-app",
        "blob",
        "chrome",
        "chrome-extension",
        "data",
        "devtools",
        "edge",
        "file",
        "filesystem",
        "ftp",
        "ftps",
        "http",
        "https",
        "intent",
        "jar",
        "javascript",
        "ldap",
        "mailto",
        "moz-extension",
        "opera",
        "resource",
        "search",
        "search-ms",
        "shell",
        "smb",
        "sms",
        "ssh",
        "tel",
        "telnet",
        "urn",
        "vbscript",
        "view-source",
        "ws",
        "wss",
    }
)


def check_redirect(uri: str) -> None:
    """Raise ValueError for an address that no client may have."""
    if len(uri) > MAX_URI or PLAIN.fullmatch(uri) is None or "#" in uri:
        raise ValueError(f"a redirect URI has at most {MAX_URI} plain characters and no fragment")
    web = WEB.fullmatch(uri)
    if web is not None:
        if web[1] == "http" and web[2] not in LOOPBACK:
            raise ValueError("a redirect URI with http leads to this computer: 127.0.0.1, [::1] or localhost")
        return
    private = PRIVATE.fullmatch(uri)
    # Windows has many of its own, and they take commands.
    if private is None or private[1] in OF_BROWSERS or private[1].startswith("ms-"):
        raise ValueError("a redirect URI is https, http to this computer, or of a scheme of the program")


def without_port(uri: str) -> str:
    """Return an address for comparison: of one that leads to this computer, any port fits (RFC 8252, 7.3)."""
    web = WEB.fullmatch(uri)
    if web is None or web[1] != "http" or web[2] not in LOOPBACK:
        return uri
    return f"http://{web[2]}{web[4] or ''}"


def fits(uri: str, registered: tuple[str, ...]) -> bool:
    """Tell whether an address is one of those of a client: the same text, but for the port on this computer."""
    try:
        check_redirect(uri)
    except ValueError:
        return False
    return without_port(uri) in {without_port(each) for each in registered}


def host_of(uri: str) -> str:
    """Return what users are shown of an address: its host, or its scheme; empty for this computer."""
    web = WEB.fullmatch(uri)
    if web is None:
        return f"{uri.partition(':')[0]}:"
    return "" if web[2] in LOOPBACK else web[2].lower() + (web[3] or "")


def form_source(uri: str) -> str:
    """Return the source by which the Content-Security-Policy lets a form be followed to an address."""
    web = WEB.fullmatch(uri)
    if web is None:
        return f"{uri.partition(':')[0]}:"
    # Browsers ignore an IPv6 address as a source.
    return "http:" if web[2].startswith("[") else f"{web[1]}://{web[2]}{web[3] or ''}"


def with_answer(uri: str, **values: str) -> str:
    """Return an address with the members of an answer in its query; empty ones are left out."""
    query = urlencode({name: value for name, value in values.items() if value})
    return f"{uri}{'&' if '?' in uri else '?'}{query}"
