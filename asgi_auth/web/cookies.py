"""The cookies for access, refresh and device (RFC 6265bis, 4.1.3.2). Only settings determine their attributes."""

from asgi_auth.model.answers import TokenPair
from asgi_auth.settings import Settings

MAX_COOKIE = 4096
#: Seconds that browsers keep the device cookie: their maximum (RFC 6265bis, 5.6.2).
DEVICE_TTL = 400 * 86400


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
        secure = "" if settings.development else "; Secure"
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

    def clear(self) -> list[tuple[bytes, bytes]]:
        """Return the headers that delete the cookies of a session. Deletion needs the same attributes.

        The device cookie stays: a logout does not make the device unknown.
        """
        lines = [f"{name}=; Max-Age=0; {self._attributes}" for name in (self.access, self.refresh)]
        return [(b"set-cookie", line.encode("ascii")) for line in lines]

    def sets_token(self, header: bytes) -> bool:
        """Tell whether a Set-Cookie line sets or deletes a cookie of the session."""
        name = header.partition(b"=")[0].decode("latin-1").strip()
        return name in {self.access, self.refresh}
