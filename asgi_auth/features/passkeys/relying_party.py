"""The relying party: the domain that passkeys belong to, the origins that may use them, and the names of its users."""

import hashlib
import ipaddress
import re
from collections.abc import Sequence
from urllib.parse import urlsplit

from asgi_auth.runtime.public_suffix import is_below, is_public_suffix
from asgi_auth.settings import Settings

#: The origin of an app for Android: the SHA-256 of the certificate that signs it, in base64url.
ANDROID = re.compile(r"android:apk-key-hash:[A-Za-z0-9_-]{43}")


class RelyingParty:
    """The id of the relying party (RP ID), its name, and its origins (WebAuthn Level 3, 5.1.2 and 13.5.9)."""

    def __init__(self, settings: Settings, rp_id: str | None, android_origins: Sequence[str] = ()) -> None:
        """Take the settings; `rp_id` is by default their `cookie_domain`, else the host of `base_url`.

        Raises ValueError without a `base_url`, for one by an IP address, for an id that browsers refuse there, and for
        what is no origin of an app.
        """
        if settings.base_url is None or settings.origin is None:
            raise ValueError("passkeys belong to a domain: set base_url, such as base_url='https://app.example.com'")
        host = urlsplit(settings.base_url).hostname or ""
        self.id: str = rp_id or settings.cookie_domain or host
        self.name: str = settings.name
        if _is_address(host):
            raise ValueError(f"passkeys belong to a domain, and {host} is an address; use localhost on this machine")
        if not is_below(host, self.id) or (self.id != host and is_public_suffix(self.id)):
            raise ValueError(f"rp_id must be {host}, or a parent domain of it that is no public suffix")
        if isinstance(android_origins, str) or not all(map(ANDROID.fullmatch, android_origins)):
            raise ValueError("android_origins are texts such as android:apk-key-hash: and 43 characters of base64url")
        below = [url for url in settings.trusted_origins if url.startswith("http") and self._has(url)]
        #: The exact origins of the pages and the apps that may use the passkeys.
        self.origins: list[str] = [settings.origin, *below, *android_origins]

    def handle(self, user_id: str) -> bytes:
        """Return the user handle: the same for all passkeys of a user, without personal data (14.6.1)."""
        return hashlib.sha256(f"{self.id}\0{user_id}".encode()).digest()

    def _has(self, origin: str) -> bool:
        return is_below(urlsplit(origin).hostname or "", self.id)


def _is_address(host: str) -> bool:
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
