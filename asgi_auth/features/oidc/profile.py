"""Who a provider says that the user is."""

from collections.abc import Mapping
from typing import Any

import msgspec

from asgi_auth._typed_text import without_margins
from asgi_auth.feature import Record
from asgi_auth.validation.email_address import MAX_LENGTH


class Profile(Record, frozen=True, kw_only=True):
    """An account at a provider: `issuer` and `subject` name it, and never the address."""

    issuer: str
    subject: str
    email: str = ""
    email_verified: bool = False
    label: str = ""
    auth_time: int | None = None
    #: The tokens of the login, sealed, if they are kept.
    tokens: str = ""

    @property
    def identifier(self) -> str:
        """The identifier of its credential. An issuer has no space."""
        return f"{self.issuer} {self.subject}"

    @classmethod
    def of(cls, kept: Any) -> "Profile":
        """Read a profile that was kept in a token."""
        return msgspec.convert(kept, cls)


def is_subject(value: Any) -> bool:
    """Tell whether a value can name an account: 1 to 255 printable characters of ASCII (Core 1.0, section 2)."""
    return isinstance(value, str) and 0 < len(value) <= 255 and value.isascii() and value.isprintable()


def label_of(value: Any) -> str:
    """Return a name that can be shown and stored: no database stores half of a surrogate pair, or NUL."""
    return "".join(filter(str.isprintable, value))[:255] if isinstance(value, str) else ""


def address_of(value: Any) -> str:
    """Return an address as a provider names it; empty for a text that no account can have and no database stores."""
    address = without_margins(value) if isinstance(value, str) and len(value) <= MAX_LENGTH else ""
    return address if address.isprintable() else ""


def name_in(user: str) -> str:
    """Return the name in the field `user`, which Apple sends at the first login only; empty without one.

    The browser carries it, and no signature covers it: it is shown to its user, and decides nothing.
    """
    try:
        found = msgspec.json.decode(user, type=dict[str, Any]).get("name") if user else None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return ""
    parts = [found.get(part) for part in ("firstName", "lastName")] if isinstance(found, dict) else []
    return label_of(" ".join(part for part in parts if isinstance(part, str)).strip())


def profile_of(issuer: str, claims: Mapping[str, Any], *, verified: bool) -> Profile:
    """Return the profile in checked claims."""
    email, label, auth_time = claims.get("email"), claims.get("name"), claims.get("auth_time")
    has_time = isinstance(auth_time, int) and not isinstance(auth_time, bool)
    return Profile(
        issuer=issuer,
        subject=claims["sub"],
        email=address_of(email),
        email_verified=verified,
        label=label_of(label),
        auth_time=auth_time if has_time else None,
    )
