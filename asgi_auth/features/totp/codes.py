"""One-time passwords by time (RFC 6238), as every authenticator app computes them."""

import base64
import hmac
import struct
from urllib.parse import quote

#: Seconds of a code, its digits, and the bytes of a key (RFC 4226, section 4, R6).
PERIOD, DIGITS, KEY_SIZE = 30, 6, 20


def code_at(key: bytes, step: int, digits: int = DIGITS, algorithm: str = "sha1") -> str:
    """Return the code of a step, the number of periods since 1970 (RFC 4226, section 5.3)."""
    digest = hmac.digest(key, struct.pack(">Q", step), algorithm)
    offset = digest[-1] & 15
    number = struct.unpack_from(">I", digest, offset)[0] & 0x7FFFFFFF
    return f"{number % 10**digits:0{digits}d}"


def step_of(key: bytes, code: str, now: float, after: int, drift: int) -> int | None:
    """Return the step that a code belongs to, at most `drift` steps away and greater than `after`; None without one.

    All steps are compared, whichever fits.
    """
    found = None
    for step in range(int(now // PERIOD) - drift, int(now // PERIOD) + drift + 1):
        if hmac.compare_digest(code_at(key, step).encode(), code.encode()) and step > after:
            found = step
    return found


def text_of(key: bytes) -> str:
    """Return a key as users type it."""
    return base64.b32encode(key).decode().rstrip("=")


def uri_of(key: bytes, issuer: str, account: str) -> str:
    """Return the URI of a key for authenticator apps."""
    name, label = quote(issuer, safe=""), quote(account, safe="")
    return (
        f"otpauth://totp/{name}:{label}?secret={text_of(key)}&issuer={name}"
        f"&algorithm=SHA1&digits={DIGITS}&period={PERIOD}"
    )


def svg_of(uri: str) -> str:
    """Return the QR code of a URI as inline SVG without styles, on white ground, so that it reads in dark mode."""
    import segno  # noqa: PLC0415 (of an extra)

    code = segno.make(uri, micro=False, error="m")
    return str(code.svg_inline(scale=4, border=4, light="#fff", dark="#000", svgclass=None, lineclass=None))
