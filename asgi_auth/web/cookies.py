"""Our cookies: for access, refresh and device, and those of features (RFC 6265bis, 4.1.3.2)."""

import re
from collections.abc import Collection, Iterable, Iterator
from typing import Literal

from asgi_auth.model.answers import SetCookie, TokenPair
from asgi_auth.settings import DOMAIN, SAME_SITE, Settings

MAX_COOKIE = 4096
#: Seconds that browsers keep the device cookie: their maximum (RFC 6265bis, 5.6.2).
DEVICE_TTL = 400 * 86400
#: The maximum number of lines that delete stale cookies: proxies bound the size of a response's headers.
MAX_DELETIONS = 16
#: A name of a feature's cookie, after the prefix.
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}")
#: A value of a cookie, without quotes (RFC 6265, 4.1.1).
VALUE = re.compile(r"[\x21\x23-\x2b\x2d-\x3a\x3c-\x5b\x5d-\x7e]*")
TAKEN = frozenset({"refresh", "device"})
SAFE_PATH = re.compile(r"[A-Za-z0-9/._~-]+")


class Cookies:
    """Names, attributes and header lines of cookies."""

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
        self._by_same_site = {
            each: f"Path=/; HttpOnly; SameSite={each.capitalize()}{domain}{secure}" for each in SAME_SITE
        }
        self._attributes = self._by_same_site[settings.cookie_same_site]

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

    def line(
        self, name: str, value: str, max_age: int, same_site: Literal["lax", "strict"] = "lax"
    ) -> tuple[bytes, bytes]:
        """Return the header that sets a cookie of a feature, or with `max_age=0` deletes it.

        Its name is `name` after the prefix of all our cookies. Raises ValueError for a name, a value or an age that no
        cookie has, and for the name of another cookie.
        """
        if NAME.fullmatch(name) is None or name in TAKEN:
            raise ValueError(f"{name!r} cannot be the name of a cookie of a feature")
        full = f"{self.access}-{name}"
        if VALUE.fullmatch(value) is None or len(f"{full}={value}") > MAX_COOKIE:
            raise ValueError(f"the value of the cookie {full} has forbidden characters, or is too long")
        if not 0 <= max_age <= DEVICE_TTL:
            raise ValueError(f"the cookie {full} must live 0 to {DEVICE_TTL} seconds")
        return b"set-cookie", f"{full}={value}; Max-Age={max_age}; {self._by_same_site[same_site]}".encode("ascii")

    def lines(self, asked: Iterable[SetCookie]) -> list[tuple[bytes, bytes]]:
        """Return the headers that set cookies of features."""
        return [self.line(item.name, item.value, item.max_age, item.same_site) for item in asked]

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
