"""The cookies for access, refresh and device (RFC 6265bis, 4.1.3.2). Only settings determine their attributes."""

import re
from collections.abc import Collection, Iterator

from asgi_auth.model.answers import TokenPair
from asgi_auth.settings import DOMAIN, Settings

MAX_COOKIE = 4096
#: Seconds that browsers keep the device cookie: their maximum (RFC 6265bis, 5.6.2).
DEVICE_TTL = 400 * 86400
#: The maximum number of lines that delete stale cookies: proxies bound the size of a response's headers.
MAX_DELETIONS = 16
SAFE_PATH = re.compile(r"[A-Za-z0-9/._~-]+")


class Cookies:
    """Names, attributes and header lines of the three cookies."""

    def __init__(self, settings: Settings) -> None:
        """Compose names and attributes.

        The prefix is `__Host-`, or `__Secure-` with a Domain, which `__Host-` forbids. Both prefixes require the
        attribute Secure, so development uses no prefix.
        """
        prefix = "__Secure-" if settings.cookie_domain else "__Host-"
        prefix = "" if settings.development else prefix
        self.access: str = f"{prefix}{settings.cookie_name}"
        self.refresh: str = f"{self.access}-refresh"
        self.device: str = f"{self.access}-device"
        self._secure = secure = "" if settings.development else "; Secure"
        self._domain = settings.cookie_domain or ""
        domain = f"; Domain={settings.cookie_domain}" if settings.cookie_domain else ""
        self._attributes = f"Path=/; HttpOnly; SameSite={settings.cookie_same_site.capitalize()}{domain}{secure}"

    def set(self, pair: TokenPair) -> list[tuple[bytes, bytes]]:
        """Return the headers that set the cookies of a session.

        Raises ValueError when custom claims make a cookie too large.
        """
        values = (
            (self.access, pair.access_token, pair.expires_in),
            (self.refresh, pair.refresh_token, pair.refresh_expires_in),
        )
        lines = [f"{name}={value}; Max-Age={seconds}; {self._attributes}" for name, value, seconds in values]
        for name, value, _ in values:
            if len(f"{name}={value}") > MAX_COOKIE:
                raise ValueError(f"the cookie {name} is over {MAX_COOKIE} bytes; add fewer claims")
        return [(b"set-cookie", line.encode("ascii")) for line in lines]

    def set_device(self, value: str) -> list[tuple[bytes, bytes]]:
        """Return the header that sets the device cookie."""
        line = f"{self.device}={value}; Max-Age={DEVICE_TTL}; {self._attributes}"
        return [(b"set-cookie", line.encode("ascii"))]

    def clear(self, keep: Collection[str] = ()) -> list[tuple[bytes, bytes]]:
        """Return the headers that delete the cookies of a session, but not those to `keep`, by the same attributes.

        The device cookie stays: a logout does not make the device unknown.
        """
        names = [name for name in (self.access, self.refresh) if name not in keep]
        return [(b"set-cookie", f"{name}=; Max-Age=0; {self._attributes}".encode("ascii")) for name in names]

    def clear_elsewhere(self, names: Collection[str], host: str, path: str) -> list[tuple[bytes, bytes]]:
        """Return the headers that delete cookies of these `names` with another Domain or Path (RFC 6265bis, 5.7).

        A request does not tell the attributes of its cookies, so these are all under which a browser sends a cookie to
        `host` and `path`. A name with the prefix `__Host-` has no others.
        """
        if self.access.startswith("__Host-"):
            return []
        lines = [
            f"{name}=; Max-Age=0; Path={each}{f'; Domain={domain}' if domain else ''}{self._secure}"
            for each in _paths(path)
            for domain in _domains(host)
            for name in names
            if (domain, each) != (self._domain, "/")
        ]
        return [(b"set-cookie", line.encode("ascii")) for line in lines[:MAX_DELETIONS]]

    def sets_token(self, header: bytes) -> bool:
        """Tell whether a Set-Cookie line sets or deletes a cookie of the session."""
        name = header.partition(b"=")[0].decode("latin-1").strip()
        return name in {self.access, self.refresh}


def _domains(host: str) -> Iterator[str]:
    """Yield the values of Domain that match a host: none, the host, and its parents of at least two labels."""
    yield ""
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdigit() else host
    while DOMAIN.fullmatch(name.lower()) and "." in name:
        yield name.lower()
        name = name.partition(".")[2]


def _paths(path: str) -> Iterator[str]:
    """Yield the values of Path that match a path of safe characters, the shortest first."""
    yield "/"
    steps = path.split("/")[1:]
    for number in range(1, len(steps) + 1):
        found = "/" + "/".join(steps[:number])
        if found != "/" and SAFE_PATH.fullmatch(found):
            yield found
