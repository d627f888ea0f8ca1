"""The access cookie and the refresh cookie (RFC 6265bis, 4.1.3.2). Only settings determine their attributes."""

from asgi_auth.model.answers import TokenPair
from asgi_auth.settings import Settings

MAX_COOKIE = 4096


class Cookies:
    """Names, attributes and header lines of the access cookie and the refresh cookie."""

    def __init__(self, settings: Settings) -> None:
        """Compose names and attributes.

        The prefix is `__Host-`, or `__Secure-` with a Domain, which `__Host-` forbids. Both prefixes require the
        attribute Secure, so development uses no prefix.
        """
        prefix = "__Secure-" if settings.cookie_domain else "__Host-"
        prefix = "" if settings.development else prefix
        self.access: str = f"{prefix}{settings.cookie_name}"
        self.refresh: str = f"{self.access}-refresh"
        secure = "" if settings.development else "; Secure"
        domain = f"; Domain={settings.cookie_domain}" if settings.cookie_domain else ""
        self._attributes = f"Path=/; HttpOnly; SameSite={settings.cookie_same_site.capitalize()}{domain}{secure}"

    def set(self, pair: TokenPair) -> list[tuple[bytes, bytes]]:
        """Return the headers that set both cookies. Raises ValueError when custom claims make a cookie too large."""
        values = (
            (self.access, pair.access_token, pair.expires_in),
            (self.refresh, pair.refresh_token, pair.refresh_expires_in),
        )
        lines = [f"{name}={value}; Max-Age={seconds}; {self._attributes}" for name, value, seconds in values]
        for name, value, _ in values:
            if len(f"{name}={value}") > MAX_COOKIE:
                raise ValueError(f"the cookie {name} is over {MAX_COOKIE} bytes; add fewer claims")
        return [(b"set-cookie", line.encode("ascii")) for line in lines]

    def clear(self) -> list[tuple[bytes, bytes]]:
        """Return the headers that delete both cookies. Deletion needs the same attributes."""
        lines = [f"{name}=; Max-Age=0; {self._attributes}" for name in (self.access, self.refresh)]
        return [(b"set-cookie", line.encode("ascii")) for line in lines]

    def sets_token(self, header: bytes) -> bool:
        """Tell whether a Set-Cookie line sets or deletes one of the two cookies."""
        name = header.partition(b"=")[0].decode("latin-1").strip()
        return name in {self.access, self.refresh}
