"""Bytes in base64url without padding (RFC 7515, section 2)."""

import base64


def encode(value: bytes) -> str:
    """Return the text of bytes."""
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def decode(text: str) -> bytes:
    """Return the bytes of a text that `encode` has made."""
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
