"""The text of a signed token: strictly one way to write it."""

import re
from typing import Any, NamedTuple, TypeVar

import msgspec
from jwt.utils import base64url_decode

from asgi_auth.errors import InvalidTokenError

MAX_TOKEN = 8192
MAX_NESTED = 256
COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
CANONICAL_ENDS = (ALPHABET, "", ALPHABET[::16], ALPHABET[::4])
HEADER = msgspec.json.Decoder(dict[str, str])
OBJECT = msgspec.json.Decoder(dict[str, Any])
C = TypeVar("C")


class Parts(NamedTuple):
    """The segments of a token. Nothing is verified yet."""

    header: str
    body: str
    signature: str

    @property
    def signed(self) -> bytes:
        """What the signature is over (RFC 7515, section 5.1)."""
        return f"{self.header}.{self.body}".encode()

    def is_verified_by(self, verify: Any) -> bool:
        """Tell whether a function of signed bytes and signature accepts the signature."""
        try:
            return bool(verify(self.signed, base64url_decode(self.signature)))
        except ValueError:
            return False

    def header_members(self) -> dict[str, str]:
        """Return the members of the header. Raises InvalidTokenError unless all of them are texts."""
        try:
            return HEADER.decode(base64url_decode(self.header))
        except (ValueError, msgspec.MsgspecError):
            raise InvalidTokenError from None

    def claims(self, kind: type[C]) -> tuple[C, dict[str, Any]]:
        """Return the claims, typed and raw. Raises InvalidTokenError for other bytes than a server writes."""
        try:
            payload = base64url_decode(self.body)
            if is_nested(payload):
                raise InvalidTokenError
            raw = OBJECT.decode(payload)
            claims = msgspec.convert(raw, kind)
        except (ValueError, msgspec.MsgspecError):
            raise InvalidTokenError from None
        if msgspec.json.encode(raw) != payload:
            raise InvalidTokenError
        return claims, raw


def parts_of(token: str) -> Parts:
    """Split a token. Raises InvalidTokenError for one that is too long, or not in its one canonical form."""
    if len(token) > MAX_TOKEN or COMPACT.fullmatch(token) is None:
        raise InvalidTokenError
    header, body, signature = token.split(".")
    if not (_is_canonical(header) and _is_canonical(body) and _is_canonical(signature)):
        raise InvalidTokenError
    return Parts(header, body, signature)


def is_nested(payload: bytes) -> bool:
    """Tell whether a payload may nest too deeply: the limit of parsers depends on the Python version."""
    return payload.count(b"[") + payload.count(b"{") > MAX_NESTED


def _is_canonical(segment: str) -> bool:
    """Tell whether a base64url text is canonical: unused bits are zero (RFC 4648, 3.5)."""
    return segment[-1] in CANONICAL_ENDS[len(segment) % 4]
