"""The mail that a browser has asked for: a signed cookie keeps its `request` and what its user typed.

So the page for the code names the address without a URL that holds it, asks again without retyping, and the browser
that registered is recognized when it brings the code. The cookie tells nothing about an account: it repeats what the
browser has sent, and the `request` that every caller gets.
"""

import hmac
import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Mapping

import msgspec

from asgi_auth.crypto.keys import KeyRing
from asgi_auth.errors import BadRequestError
from asgi_auth.model.answers import SetCookie
from asgi_auth.model.records import Record

#: The name of the cookie, and the purpose of its key.
COOKIE, PURPOSE = "asked", "asked mail"
#: The text of a record, and its MAC in base64url without padding.
SHAPE = re.compile(r"([A-Za-z0-9_-]{1,3000})\.([A-Za-z0-9_-]{43})")


class AskedMail(Record, frozen=True, kw_only=True):
    """A mail that this browser has asked for; times are seconds since 1970.

    `name` is what was typed into `field` on `page`. `registers`: whether it was asked for by a registration.
    """

    request: str
    field: str
    name: str
    page: str
    at: int
    until: int
    registers: bool = False


class AskedMails:
    """Writes and reads the cookie."""

    def __init__(self, keys: KeyRing, now: Callable[[], float]) -> None:
        """Take the keys, and the clock."""
        self._keys = keys
        self._now = now

    def cookie(self, asked: AskedMail) -> SetCookie:
        """Return the cookie. Only pages of this site need it."""
        text = _text(msgspec.json.encode(asked))
        # By the oldest secret: during a rolling change of secrets all processes have it.
        mac = _mac(self._keys.for_service(PURPOSE)[-1], text)
        return SetCookie(COOKIE, f"{text}.{mac}", max(0, asked.until - int(self._now())), "strict")

    def read(self, cookies: Mapping[str, str]) -> AskedMail | None:
        """Return what the cookie of a request holds; None without one, and for one that is forged or too old."""
        try:
            found = SHAPE.fullmatch(cookies.get(COOKIE, ""))
        except BadRequestError:
            # Two cookies of this name: the site of a sibling domain may have set one.
            return None
        keys = self._keys.for_service(PURPOSE) if found else []
        if found is None or not any(hmac.compare_digest(found[2], _mac(key, found[1])) for key in keys):
            return None
        asked = msgspec.json.decode(urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4)), type=AskedMail)
        return asked if self._now() < asked.until else None


def forgotten() -> SetCookie:
    """Return the cookie that deletes it."""
    return SetCookie(COOKIE, "", 0, "strict")


def _mac(key: bytes, text: str) -> str:
    return _text(hmac.digest(key, text.encode(), "sha256"))


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
