"""The name and the secret of a program that calls: `Authorization: Basic` (RFC 7617)."""

import base64
import binascii
from typing import ClassVar
from urllib.parse import unquote_plus

from asgi_auth.model.concealed import Concealed
from asgi_auth.model.records import Record

#: The longest header that is read, in bytes.
MOST = 2048


class BasicCredentials(Concealed, Record, frozen=True):
    """What a program shows, in the ways in which it may be meant; secrets are not in the `repr`.

    OAuth 2 clients encode name and secret like a form before they join them (RFC 6749, section 2.3.1), and other
    programs do not.
    """

    concealed: ClassVar[frozenset[str]] = frozenset({"readings"})
    readings: tuple[tuple[str, str], ...]

    @classmethod
    def of(cls, value: bytes) -> "BasicCredentials | None":
        """Read the value of a header; None for another scheme, and for one that is not valid."""
        scheme, _, encoded = value.partition(b" ")
        if scheme.lower() != b"basic" or len(value) > MOST:
            return None
        try:
            text = base64.b64decode(encoded.strip(b" "), validate=True).decode("utf-8")
            name, colon, secret = text.partition(":")
            decoded = (unquote_plus(name, errors="strict"), unquote_plus(secret, errors="strict"))
        except (binascii.Error, UnicodeDecodeError):
            return None
        return cls(tuple(dict.fromkeys([decoded, (name, secret)]))) if colon else None
