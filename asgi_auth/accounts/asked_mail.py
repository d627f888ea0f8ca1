"""The mails that a browser has asked for: a signed cookie keeps each `request` and what its user typed.

So the page for the code names the address without a URL that holds it, asks again without retyping, and takes the code
of no mail that another browser has asked for. The cookie tells nothing about an account: it repeats what the browser
has sent, and the `request` that every caller gets.
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
COOKIE, PURPOSE = "asked", "asked mails"
#: The mails that a browser remembers, and the maximum length of their text.
MOST, LONGEST = 4, 3000
#: The maximum length of a target that is kept.
LONGEST_NEXT = 512
#: The text of the records, and its MAC in base64url without padding.
SHAPE = re.compile(r"([A-Za-z0-9_-]{1,3000})\.([A-Za-z0-9_-]{43})")


class AskedMail(Record, frozen=True, kw_only=True, omit_defaults=True):
    """A mail that this browser has asked for; times are seconds since 1970.

    `name` is what was typed into `field` on `page`. `registers`: whether it was asked for by a registration. `next` is
    where the browser goes on afterwards.
    """

    request: str
    field: str
    name: str
    page: str
    at: int
    until: int
    registers: bool = False
    next: str = ""


class AskedMails:
    """Writes and reads the cookie."""

    def __init__(self, keys: KeyRing, now: Callable[[], float]) -> None:
        """Take the keys, and the clock."""
        self._keys = keys
        self._now = now

    def with_mail(self, cookies: Mapping[str, str], asked: AskedMail) -> SetCookie:
        """Return the cookie with one more mail; the oldest ones give way."""
        if len(asked.next) > LONGEST_NEXT:
            asked = msgspec.structs.replace(asked, next="")
        return self._cookie([asked, *self._others(cookies, asked.request)])

    def without(self, cookies: Mapping[str, str], request: str) -> SetCookie:
        """Return the cookie without the mail of a request."""
        return self._cookie(self._others(cookies, request))

    def find(self, cookies: Mapping[str, str], request: str) -> AskedMail | None:
        """Return the mail with this `request`; None for one that the browser has not asked for, or that is too old."""
        return next((each for each in self._read(cookies) if each.request == request), None)

    def _others(self, cookies: Mapping[str, str], request: str) -> list[AskedMail]:
        return [each for each in self._read(cookies) if each.request != request]

    def _cookie(self, asked: list[AskedMail]) -> SetCookie:
        """Return the cookie. A login at a provider, and a link in a mail, come from another site: it is not strict."""
        asked = asked[:MOST]
        while len(text := _text(msgspec.json.encode(asked))) > LONGEST:
            asked = asked[:-1]
        if not asked:
            return SetCookie(COOKIE, "", 0)
        # By the oldest secret: during a rolling change of secrets all processes have it.
        mac = _mac(self._keys.for_service(PURPOSE)[-1], text)
        return SetCookie(COOKIE, f"{text}.{mac}", max(each.until for each in asked) - int(self._now()))

    def _read(self, cookies: Mapping[str, str]) -> list[AskedMail]:
        """Return what the cookie of a request holds; nothing without one, and for one that is forged."""
        try:
            found = SHAPE.fullmatch(cookies.get(COOKIE, ""))
        except BadRequestError:
            # Two cookies of this name: the site of a sibling domain may have set one.
            return []
        keys = self._keys.for_service(PURPOSE) if found else []
        if found is None or not any(hmac.compare_digest(found[2], _mac(key, found[1])) for key in keys):
            return []
        asked = msgspec.json.decode(urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4)), type=list[AskedMail])
        return [each for each in asked if self._now() < each.until]


def _mac(key: bytes, text: str) -> str:
    return _text(hmac.digest(key, text.encode(), "sha256"))


def _text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()
